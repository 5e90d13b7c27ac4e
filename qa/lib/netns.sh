# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # the variables of the caller
#
# netns.sh - trusted nodes as network namespaces: each has one interface and its own loopback, and all wires meet in a
# bridge, where they can be watched. What has the file netns, with what the names of its namespaces begin with, is such a
# cluster; the bridge's own namespace, where the simulated QKDN is too, is the one named NAME-bridge.
#
# REQUIRES: $cluster_dir, the function die, and root.

readonly netns_network=10.99.0
readonly netns_bridge=$netns_network.254
# shellcheck disable=SC2034 # used by qa/cluster
readonly netns_base_port=14000

# netns_name: prints what the names begin with; fails if the cluster has no namespaces.
netns_name() { cat "$cluster_dir/netns" 2>/dev/null; }

netns_address() { printf '%s.%s\n' "$netns_network" $(($1 + 1)); } # NODE

# make_netns NODES
make_netns() {
    local name node wire
    ((EUID == 0)) || die 'only root can make network namespaces'
    name=ssn-$(printf '%x' $$ "$RANDOM")
    printf '%s\n' "$name" >"$cluster_dir/netns" # from here on `down` removes them
    ip netns add "$name-bridge"
    ip -n "$name-bridge" link set lo up
    ip -n "$name-bridge" link add br0 type bridge
    ip -n "$name-bridge" address add "$netns_bridge/24" dev br0
    ip -n "$name-bridge" link set br0 up
    for ((node = 0; node < $1; node++)); do
        wire=wire$node
        ip netns add "$name-$node"
        ip -n "$name-$node" link set lo up
        ip -n "$name-bridge" link add "$wire" type veth peer name eth0 netns "$name-$node"
        ip -n "$name-bridge" link set "$wire" master br0 up
        ip -n "$name-$node" address add "$(netns_address "$node")/24" dev eth0
        ip -n "$name-$node" link set eth0 up
    done
}

# The processes in them are gone by now.
remove_netns() {
    local name space
    name=$(netns_name) || return 0
    while read -r space _; do
        [[ $space != "$name"-* ]] || ip netns delete "$space" || return
    done < <(ip netns list)
}

# shellcheck disable=SC2034 # for the caller
# choose_place NODE|bridge: sets $place to what a command line begins with that is to run there.
choose_place() {
    local name
    place=()
    ! name=$(netns_name) || place=(ip netns exec "$name-$1")
}

# spread_proxies NODES: gives each proxy the address of its own node. `qkdn-sim init` wrote that of the bridge,
# where the KMEs stay.
spread_proxies() {
    local node peer port
    local -a edits=()
    for ((peer = 0; peer < $1; peer++)); do
        port=$((netns_base_port + 100 + peer))
        edits+=(-e "s/\"$netns_bridge:$port\"/\"$(netns_address "$peer"):$port\"/")
    done
    for ((node = 0; node < $1; node++)); do sed -i "${edits[@]}" "$cluster_dir/qkdn/node-$node/qkdn-proxy.toml"; done
}
