# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # the variables of the caller
#
# otp.sh - msgr2 sessions of a cluster under one-time pad: one trusted node for each OSD, and a last one for monitor,
# manager and clients, whose number is in the file clients-node. While the file otp is there, what starts has the provider.
#
# REQUIRES: $repo, $cluster_dir, $build, the function die, netns.sh and qkdn.sh.

# The same files as those of an installation, but for paths.
otp_deploy=$repo/src/provider/deploy

# clients_node: prints the node of all that is no OSD; fails if the cluster has no trusted nodes.
clients_node() { cat "$cluster_dir/clients-node" 2>/dev/null; }

# otp_conf NODE: prints where the OpenSSL configuration of that node's programs is.
otp_conf() { printf '%s\n' "$cluster_dir/qkdn/node-$1/openssl.cnf"; }

# make_otp NODES: the OpenSSL configuration of each node, beside its proxy's.
make_otp() {
    local node module
    # A test may have another build of it.
    cp "${SSN_OTP_MODULE:-$build/lib/ossl-modules/ssnotp.so}" "$cluster_dir/ssnotp.so" # a daemon crashes when it is rebuilt in place
    module=$cluster_dir/ssnotp.so
    for ((node = 0; node < $1; node++)); do
        sed -e "s|^module = .*|module = $module|" -e "s|^socket = .*|socket = $(pad_socket "$node")|" \
            "$otp_deploy/openssl.cnf.in" >"$(otp_conf "$node")"
    done
    printf '%s\n' $(($1 - 1)) >"$cluster_dir/clients-node"
}

# otp_ceph_conf: prints what ceph.conf needs.
otp_ceph_conf() { cat "$otp_deploy/ceph.conf"; }

# otp_ceph_limits: prints what of it is not about the modes of msgr2.
otp_ceph_limits() { grep -v '^ms ' "$otp_deploy/ceph.conf"; }

# with_otp NAME FUNCTION... -- COMMAND...: runs the command of that daemon, or of a client, at its node and with the node's
# configuration; the words before -- come first, as a function must that is to start it.
with_otp() {
    local name=$1 node
    local -a start=() place
    shift
    while [[ $1 != -- ]]; do
        start+=("$1")
        shift
    done
    shift
    if ! node=$(clients_node); then
        "${start[@]}" "$@"
        return
    fi
    [[ $name != osd.* ]] || node=${name#osd.}
    choose_place "$node"
    if [[ -e $cluster_dir/otp ]]; then
        OPENSSL_CONF=$(otp_conf "$node") "${start[@]}" "${place[@]}" "$@"
    else
        "${start[@]}" "${place[@]}" "$@"
    fi
}

# session_modes MODE: what msgr2 sessions made from now on are in, crc or secure; what ceph.conf says wins.
session_modes() {
    local option modes
    # Both at first: one end knows of a new value before the other.
    for modes in 'secure crc' "$1"; do
        for option in ms_{,mon_}{cluster,service,client}_mode; do ceph config set global "$option" "$modes"; done
    done
}
