# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# test.sh - what the tests in qa/standalone are made of. A test file sources this, defines TEST_* functions and ends
# with `run_tests "$@"`; with arguments only the tests named run. Each test prints one line, `ok FILE.TEST` or
# `FAIL FILE.TEST`, on standard output; everything it says itself goes to its log.
#
# setup() and teardown(), if the file defines them, run once around all tests. A test runs in a subshell with
# `set -euo pipefail`: any command that fails fails the test.

repo=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
build=${SSN_BUILD_DIR:-$repo/build}
test_file=$(basename "$0")
log_dir=$build/qa-log/$test_file
work=      # a folder of this run, removed at its end
cluster_dir=

say() { printf '%s: %s\n' "$test_file" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# fail MESSAGE... - the end of a test that found something wrong.
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    return 1
}

# expect_error TEXT COMMAND... - the command must fail, and its output must hold TEXT.
expect_error() {
    local text=$1 output
    shift
    if output=$("$@" 2>&1); then fail "succeeded, but should not have: $*"; return 1; fi
    grep -qF -- "$text" <<<"$output" || fail "no '$text' in what '$*' said: $output"
}

# wait_for SECONDS COMMAND... - polls until the command succeeds.
wait_for() {
    local limit=$1 start=$SECONDS
    shift
    until "$@"; do
        if ((SECONDS - start >= limit)); then fail "after $limit s still not: $*"; return 1; fi
        sleep 0.3
    done
}

cluster() { "$repo/qa/cluster" --dir "$cluster_dir" "$@"; }

# start_cluster [up's ARGUMENT...] - makes this run's cluster, without a QKDN, and points ceph, rados and rbd at it.
start_cluster() {
    cluster up --build "$build" --no-qkdn "$@"
    use_cluster
}

# use_cluster - points them there, or fails: eval "$(cluster env)" would go on to the machine's own cluster.
use_cluster() {
    local settings
    settings=$(cluster env) || return
    eval "$settings"
}

# stop_own: a test's own processes are recorded as test.NAME and lead a group each. One that failed has left them.
stop_own() {
    local name pid
    declare -F process_names >/dev/null || return 0
    for name in $(process_names test); do
        pid=$(process_pid "$name") || continue
        kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid"
        wait_until 10 process_gone "$name"
    done
}

finish() {
    local status=$?
    set +e
    stop_own
    if declare -F teardown >/dev/null; then teardown; fi
    # Even a run that was ended in the middle of its setup has a cluster by now.
    if [[ -e $cluster_dir ]]; then
        ((failed == 0 && status == 0)) || cp -r "$cluster_dir/log" "$log_dir/cluster" 2>/dev/null
        if ! cluster down >>"$log_dir/cluster.log" 2>&1; then
            say "the cluster in $cluster_dir did not stop: $log_dir/cluster.log"
            exit 1
        fi
    fi
    rm -rf "$work"
    exit "$status"
}

run_tests() {
    local tests=("$@") test status
    ((${#tests[@]} > 0)) || mapfile -t tests < <(grep -o '^TEST_[a-zA-Z0-9_]*' "$0")
    failed=0
    rm -rf "$log_dir"
    mkdir -p "$log_dir"
    work=$(mktemp -d "${TMPDIR:-/tmp}/ssn-qa.XXXXXX")
    cluster_dir=$work/cluster
    trap finish EXIT
    trap 'exit 130' INT TERM
    if declare -F setup >/dev/null; then
        # A file whose setup fails has one failed test of that name.
        set +e
        (set -euo pipefail; setup) >"$log_dir/setup.log" 2>&1
        status=$?
        set -e
        if ((status != 0)); then
            failed=1
            printf 'FAIL %s.setup\n' "$test_file"
            say "setup failed: $log_dir/setup.log"
            tail -n 20 "$log_dir/setup.log" >&2
            exit 1
        fi
        # setup ran in a subshell: take over where its cluster is.
        if [[ -e $cluster_dir ]]; then use_cluster; fi
    fi
    for test in "${tests[@]}"; do
        set +e
        (set -euo pipefail; "$test") >"$log_dir/$test.log" 2>&1
        status=$?
        set -e
        if ((status == 0)); then
            printf 'ok %s.%s\n' "$test_file" "${test#TEST_}"
        else
            failed=$((failed + 1))
            printf 'FAIL %s.%s\n' "$test_file" "${test#TEST_}"
            say "$test failed: $log_dir/$test.log ends with"
            tail -n 20 "$log_dir/$test.log" >&2
        fi
    done
    ((failed == 0)) || exit 1
}
