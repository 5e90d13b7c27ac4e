# shellcheck shell=bash disable=SC2034,SC2154 # variables shared with the caller
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# process.sh - starts, recognises and stops the processes of one cluster by record, never by name.
#
# A record is the file $cluster_dir/pid/NAME with one line "PID START BOOT". The pid alone may by now belong
# to a stranger; together with the start time (ticks since boot) and the boot id it names one process for ever.
#
# REQUIRES: $cluster_dir with the folders pid/ and log/, and the functions say and die.

boot_id=$(</proc/sys/kernel/random/boot_id)
started_pid= # of the last process_start, for `wait`

# wait_until SECONDS COMMAND...: runs COMMAND until it succeeds; fails when SECONDS have passed.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
}

# start_time PID: prints when PID started; fails if there is no such process or only its zombie. One whose other threads are
# still dying has its sockets yet.
start_time() {
    local stat
    local -a field
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    read -ra field <<<"${stat##*) }" # the command's name, field 2, may hold blanks and brackets
    [[ ${field[0]} != [ZX] ]] || ((field[17] > 1)) || return 1
    printf '%s\n' "${field[19]}" # field 22 of proc(5)
}

# process_start NAME COMMAND...: runs COMMAND in the background, detached, output in log/NAME.out.
process_start() {
    local name=$1
    shift
    rm -f "$cluster_dir/pid/$name"
    process_become "$name" "$@" </dev/null >>"$cluster_dir/log/$name.out" 2>&1 &
    started_pid=$!
    wait_until 10 test -e "$cluster_dir/pid/$name" || die "cannot start $name; see $cluster_dir/log/$name.out"
}

# process_become NAME COMMAND...: the child's half of process_start; does not return.
# The child writes its own record before it turns into COMMAND, so that no daemon ever runs without one.
process_become() {
    local name=$1 self=$BASHPID fd
    shift
    for fd in "/proc/$self/fd"/*; do
        fd=${fd##*/}
        # A daemon that holds the caller's descriptors keeps a test harness waiting for their end.
        ((fd <= 2)) || exec {fd}>&-
    done
    cd "$cluster_dir/log" || exit # core files stay with the cluster
    printf '%s %s %s\n' "$self" "$(start_time "$self")" "$boot_id" >"$cluster_dir/pid/.$name"
    mv "$cluster_dir/pid/.$name" "$cluster_dir/pid/$name"
    exec setsid -- "$@" # out of reach of the terminal's ctrl-C
}

# process_pid NAME: prints the pid of the recorded process; fails if it does not run any more.
process_pid() {
    local pid start boot
    { read -r pid start boot <"$cluster_dir/pid/$1"; } 2>/dev/null || return 1
    [[ $boot == "$boot_id" && $(start_time "$pid") == "$start" ]] || return 1
    printf '%s\n' "$pid"
}

# process_record NAME PID: a process that was not started by process_start.
process_record() {
    printf '%s %s %s\n' "$2" "$(start_time "$2")" "$boot_id" >"$cluster_dir/pid/$1"
}

process_runs() { process_pid "$1" >/dev/null; }

process_gone() { ! process_runs "$1"; }

# process_names KIND: prints the recorded names KIND.*, one per line.
process_names() {
    find "$cluster_dir/pid" -name "$1.*" ! -name '.*' -printf '%f\n' 2>/dev/null | sort -V
}

# process_names_running: prints the names of those that run.
process_names_running() {
    local name
    for name in $(process_names '*'); do
        ! process_runs "$name" || printf '%s\n' "$name"
    done
}

# process_signal SIGNAL NAME: a process that is gone already is no error.
process_signal() {
    local pid
    if pid=$(process_pid "$2"); then
        kill "-$1" "$pid" 2>/dev/null || process_gone "$2"
    fi
}

# process_stop SIGNAL NAME...: signals all, waits until they are gone, kills those that stay, forgets their records.
process_stop() {
    local signal=$1 name
    shift
    for name; do
        process_signal "$signal" "$name" || say "cannot signal $name"
    done
    for name; do
        if ! wait_until 20 process_gone "$name"; then
            say "$name does not react to $signal: killing it"
            process_signal KILL "$name" || true
            wait_until 10 process_gone "$name" || return 1
        fi
        rm -f "$cluster_dir/pid/$name"
    done
}
