# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # the variables of the caller
#
# qkdn.sh - the simulated QKDN of a cluster or of a test, and one qkdn-proxy for each of its nodes.
#
# REQUIRES: $cluster_dir with the folders pid/ and log/, $build, the function die, process.sh and netns.sh.

# pad_socket NODE: prints where programs of that node find their proxy.
pad_socket() { printf '%s\n' "$cluster_dir/qkdn/node-$1/pad.sock"; }

# make_qkdn NODES [ARGUMENT...]: writes certificates and configurations, with what `qkdn-sim init` takes besides.
make_qkdn() {
    local nodes=$1
    shift
    "$build/bin/qkdn-sim" init "$cluster_dir/qkdn" --nodes "$nodes" "$@" >"$cluster_dir/log/qkdn-init.out" 2>&1 ||
        die "qkdn-sim init failed; see $cluster_dir/log/qkdn-init.out"
}

# Both programs say `ready` on a line of its own when they listen.
says_ready() { grep -qx ready "$cluster_dir/log/$1.out"; }

start_ready() { # NAME COMMAND...
    local name=$1
    # What an earlier run said must not be taken for this one's word.
    [[ ! -e $cluster_dir/log/$name.out ]] || cat "$cluster_dir/log/$name.out" >>"$cluster_dir/log/$name.earlier"
    rm -f "$cluster_dir/log/$name.out"
    process_start "$@"
    wait_until 20 says_ready_or_gone "$name" || die "$name is not ready after 20 s; see $cluster_dir/log/$name.out"
    process_runs "$name" || die "$name ended while it started; see $cluster_dir/log/$name.out"
}

says_ready_or_gone() { says_ready "$1" || process_gone "$1"; }

start_sim() {
    local -a place
    choose_place bridge
    start_ready qkdn.sim "${place[@]}" "$build/bin/qkdn-sim" "$cluster_dir/qkdn/qkdn-sim.toml"
}

start_proxy() { # NODE
    local -a place
    choose_place "$1"
    start_ready "proxy.$1" "${place[@]}" "$build/bin/qkdn-proxy" --config "$cluster_dir/qkdn/node-$1/qkdn-proxy.toml"
}

# start_qkdn NODES: the simulator, then the proxies of nodes 0 to NODES - 1.
start_qkdn() {
    local node
    start_sim
    for ((node = 0; node < $1; node++)); do start_proxy "$node"; done
}

# keys NODE [ARGUMENT...]: `ssn keys` of that node's proxy.
keys() { "$build/bin/ssn" keys --socket "$(pad_socket "$1")" "${@:2}"; }

# Programs of the nodes are gone by now: proxies before the QKDN they draw keys from.
stop_qkdn() {
    local -a proxies
    mapfile -t proxies < <(process_names proxy)
    process_stop TERM "${proxies[@]}" && process_stop TERM qkdn.sim
}
