# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # the variables of test.sh
#
# network.sh - trusted nodes without Ceph, for tests of the key side: a simulated QKDN, its proxies, and traffic.
# The folder looks like a cluster's, so that test.sh's teardown ends it.
#
# REQUIRES: test.sh.

# shellcheck source=process.sh
source "$repo/qa/lib/process.sh"
# shellcheck source=netns.sh
source "$repo/qa/lib/netns.sh"
# shellcheck source=qkdn.sh
source "$repo/qa/lib/qkdn.sh"

readonly base_port=7000

# begin_network NODES [ARGUMENT of `qkdn-sim init`...]: everything runs, and every link is up, when it returns.
begin_network() {
    local nodes=$1
    mkdir -p "$cluster_dir"/{pid,log}
    touch "$cluster_dir/.ssn-cluster"
    address=127.$((RANDOM % 254 + 1)).$((RANDOM % 256)).$((RANDOM % 254 + 1))
    printf '%s\n' "$address" >"$cluster_dir/address"
    make_qkdn "$nodes" --address "$address" --base-port "$base_port" "${@:2}"
    start_qkdn "$nodes"
    wait_for 20 links_up "$nodes"
}

sim_address() { printf '%s:%s\n' "$(<"$cluster_dir/address")" $((base_port + 99)); }

# sim_fault JSON: has the simulator do something wrong, or right again.
sim_fault() { curl -sSf -X POST --data "$1" "http://$(sim_address)/faults" >/dev/null; }

status() { keys "$1" --json; }

# links_up NODES: every link of nodes 0 to NODES - 1 is up and has pad in both directions.
links_up() {
    local node
    for ((node = 0; node < $1; node++)); do
        status "$node" | jq -e 'all(.links[]; .state == "up" and .tx.reservoir > 0 and .rx.reservoir > 0)' >/dev/null ||
            return 1
    done
}

# link_is STATE NODE PEER
link_is() { [[ $(status "$2" | jq -r --argjson peer "$3" '.links[] | select(.peer == $peer).state') == "$1" ]]; }

# reconciled NODES: fetched = used + burnt + held on every ordered pair, at both ends.
reconciled() {
    local node wrong
    for ((node = 0; node < $1; node++)); do
        wrong=$(status "$node" | jq -c '.links[] | (.tx, .rx) | select(.fetched != .used + .burnt + .held)')
        [[ -z $wrong ]] || fail "node $node does not reconcile: $wrong"
    done
}

# soak SECONDS FROM-TO...: traffic on these ordered pairs; prints pad_soak's summary; fails when pad was used twice or
# the two ends were not equal.
soak() {
    local seconds=$1 pair
    local -a arguments=()
    shift
    for pair; do arguments+=(--pair "$(pad_socket "${pair%-*}")" "$(pad_socket "${pair#*-}")"); done
    "$build/tests/pad_soak" --seconds "$seconds" "${arguments[@]}"
}

# serves FROM-TO: a second's traffic on the pair, without a failure.
serves() {
    local summary
    summary=$(soak 1 "$1") || return 1
    printf '%s: %s\n' "$1" "$summary"
    jq -e '.failed == 0 and .completed > 0' <<<"$summary" >/dev/null
}

# says NODE TEXT: the log of that node's proxy holds the text.
says() { grep -qF -- "$2" "$cluster_dir/log/proxy.$1.out"; }
