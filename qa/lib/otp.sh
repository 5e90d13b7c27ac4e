# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # the variables of the caller
#
# otp.sh - msgr2 sessions of a cluster under one-time pad: one trusted node for each OSD, and a last one for monitor,
# manager and clients. What has the file otp, with the number of that last node, is such a cluster.
#
# REQUIRES: $cluster_dir, $build, the function die, netns.sh and qkdn.sh.

# Reservoirs that hold some messages of the size ceph.conf allows, from links that fill them at once.
# shellcheck disable=SC2034 # used by qa/cluster
readonly qkdn_of_otp=(--capacity 16MiB)

# otp_client_node: prints the node of all that is no OSD; fails if the cluster has no OTP.
otp_client_node() { cat "$cluster_dir/otp" 2>/dev/null; }

# otp_conf NODE: prints where the OpenSSL configuration of that node's programs is.
otp_conf() { printf '%s\n' "$cluster_dir/qkdn/node-$1/openssl.cnf"; }

# make_otp NODES: the OpenSSL configuration of each node, beside its proxy's.
make_otp() {
    local node module
    # A test may have another build of it.
    cp "${SSN_OTP_MODULE:-$build/lib/ossl-modules/ssnotp.so}" "$cluster_dir/ssnotp.so" # a daemon crashes when it is rebuilt in place
    module=$cluster_dir/ssnotp.so
    for ((node = 0; node < $1; node++)); do
        cat >"$(otp_conf "$node")" <<CONF
openssl_conf = init

[init]
providers = providers
alg_section = algorithms
ssl_conf = tls

[providers]
default = default_section
ssnotp = ssnotp_section

[default_section]
activate = 1

[ssnotp_section]
module = $module
activate = 1
socket = $(pad_socket "$node")

# Only a preference: what ssnotp does not have comes from the default provider.
[algorithms]
default_properties = ?provider=ssnotp

# TLS in the same process, such as that of manager modules, is kept off the cipher of msgr2.
[tls]
system_default = tls_default

[tls_default]
CipherString = DEFAULT:!AES128
Ciphersuites = TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
CONF
    done
    printf '%s\n' $(($1 - 1)) >"$cluster_dir/otp"
}

# otp_ceph_conf: prints what ceph.conf needs. No message may be larger than what a link can hold.
otp_ceph_conf() {
    cat <<'CONF'
# Every session of msgr2 is encrypted, and so under one-time pad between nodes.
ms cluster mode = secure
ms service mode = secure
ms client mode = secure
ms mon cluster mode = secure
ms mon service mode = secure
ms mon client mode = secure
# Pings padded to 2000 bytes would only burn pad.
osd heartbeat min size = 0
osd max write size = 8
osd recovery max chunk = 4194304
osd max push cost = 4194304
CONF
}

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
    if node=$(otp_client_node); then
        [[ $name != osd.* ]] || node=${name#osd.}
        choose_place "$node"
        OPENSSL_CONF=$(otp_conf "$node") "${start[@]}" "${place[@]}" "$@"
    else
        "${start[@]}" "$@"
    fi
}
