# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared with the test
#
# survival.sh - what a cluster under one-time pad has to survive: no daemon has ended, data is as it was written, and all is
# healthy again without help. Its pool is `safe`, and $work/object is what is written.
#
# REQUIRES: test.sh and network.sh.

client=() # what a command line begins with that is to run as a client

put() { "${client[@]}" timeout 60 rados -p safe put "$1" "$work/object"; }
# The manager is asked for nothing here: same_content is one read.
is_same() { "${client[@]}" timeout 60 rados -p safe get "$1" - | cmp - "$work/object"; }

healthy() { "${client[@]}" timeout 20 ceph health | grep -q '^HEALTH_OK'; }

# healthy_within SECONDS: waits for HEALTH_OK, or says what is in its way and fails.
healthy_within() {
    wait_for "$1" healthy && return
    "${client[@]}" timeout 20 ceph health detail || true
    "${client[@]}" timeout 20 ceph pg dump_stuck 2>/dev/null || true
    return 1
}

# daemons: prints the pid of every daemon that has to survive.
daemons() {
    local name
    for name in mon.a mgr.x $(process_names osd); do
        printf '%s %s\n' "$name" "$(process_pid "$name" || echo gone)"
    done
}

# in_background COMMAND...: its pid is in $writer. It ends with the test file, if not before.
in_background() {
    set -m # a group of its own
    "$@" &
    set +m
    writer=$!
    process_record test.writer "$writer"
}

# load SECONDS [ARGUMENT...]: writes in the background, and removes what it has written: the OSDs are small.
load() {
    rm -f "$work/bench" # of the one before
    in_background write_load "$@"
}

write_load() {
    "${client[@]}" timeout 300 rados bench -p safe "$1" write -b 1M -t 4 --run-name "load$RANDOM" "${@:2}" >"$work/bench" 2>&1
}

# survived DAEMONS: those of before run still, the cluster is healthy, and data is as it was written.
survived() {
    healthy_within 120
    [[ $(daemons) == "$1" ]] || fail "a daemon ended: $(diff <(echo "$1") <(daemons))"
    is_same before
    put after
    is_same after
}
