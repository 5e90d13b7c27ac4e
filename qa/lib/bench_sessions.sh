# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # the variables of qa/bench
#
# bench_sessions.sh - msgr2 sessions in mode crc, in mode secure (AES-128-GCM), and under one-time pad, in one cluster of
# six OSDs and turn by turn: bandwidth, the time to set sessions up, and what is spent of pad.
#
# REQUIRES: qa/bench, process.sh, pool.sh, otp.sh and qkdn.sh.

readonly last_node=6
# Pad for each direction of each link, loaded before a turn; the objects of a turn are as many as it is enough for,
# though placement is uneven.
readonly reservoir=128M objects_of_a_turn=80

in_cluster() { "$repo/qa/cluster" --dir "$cluster_dir" "$@" 2>>"$log"; }

# switch_sessions MODE: all daemons, and what runs here from now on as a client.
switch_sessions() {
    local settings
    session_modes "${1/otp/secure}" >>"$log" 2>&1
    in_cluster otp "$([[ $1 == otp ]] && echo on || echo off)"
    unset OPENSSL_CONF
    settings=$(in_cluster env)
    eval "$settings"
    in_cluster restart
    wait_clean sessions >>"$log" 2>&1
}

# pad FIELD: prints the sum of what all transmitting ends have, such as, used or burnt so far.
pad() {
    local node
    for ((node = 0; node <= last_node; node++)); do keys "$node" --json || return 1; done |
        jq -s --arg field "$1" '[.[].links[].tx[$field]] | add'
}

pad_spent() { printf '%s\n' $(($(pad used) + $(pad burnt))); }

# reservoirs_full: and so no keys are being fetched.
reservoirs_full() {
    local node
    for ((node = 0; node <= last_node; node++)); do
        keys "$node" --json | jq -e '.low as $low | all(.links[] | .tx, .rx; .reservoir >= $low)' >/dev/null || return 1
    done
}

# fill_reservoirs: and then the KMEs stand still, so that a turn has no pad but this, and no work but its own.
fill_reservoirs() {
    process_signal CONT qkdn.sim
    wait_for 240 reservoirs_full
    process_signal STOP qkdn.sim
}

# Reservoirs are filled up whenever something is missing, and not from one half on.
keep_reservoirs_full() {
    local node
    for ((node = 0; node <= last_node; node++)); do
        sed -i 's/^low = .*/low = "85%"/' "$cluster_dir/qkdn/node-$node/qkdn-proxy.toml"
        process_stop TERM "proxy.$node"
    done
    for ((node = 0; node <= last_node; node++)); do start_proxy "$node"; done
}

# bulk MODE NAME ARGUMENT...: one turn of `rados bench`.
bulk() {
    local mode=$1 name=$2 used burnt
    shift 2
    [[ $mode != otp ]] || { fill_reservoirs && used=$(pad used) && burnt=$(pad burnt); }
    timeout 300 rados bench -p sessions 120 "$@" --run-name "$mode-${name/read/write}" --format json >"$out/sessions-$name-$mode-$turn.json" 2>>"$log"
    [[ $mode != otp ]] ||
        printf '%s %s\n' $(($(pad used) - used)) $(($(pad burnt) - burnt)) >"$out/pad-$name-$turn.txt"
}

# warm_up: what was just started has its sessions, and memory that it has used before.
warm_up() {
    timeout 300 rados bench -p sessions 120 write -b 4M -t 16 --max-objects 16 --no-cleanup --run-name warm >>"$log" 2>&1
    timeout 300 rados -p sessions cleanup --run-name warm >>"$log" 2>&1
}

# set_up MODE: times of thirty new clients.
set_up() {
    local i
    for ((i = 0; i < 30; i++)); do "$repo/qa/lib/set_up_time.py" sessions small; done >>"$out/set-up-$1.txt"
}

# pad_of_small_objects POOL: what an object of 4 KiB takes.
pad_of_small_objects() {
    local before
    before=$(pad_spent)
    timeout 120 rados bench -p "$1" 60 write -b 4096 -t 16 --max-objects 1000 --no-cleanup >>"$log" 2>&1
    printf '%s\n' $((($(pad_spent) - before) / 1000)) >"$out/small-$1.txt"
}

# idle NAME: what an hour without any request takes.
idle() {
    local before
    sleep 30 # after what was before
    before=$(pad_spent)
    sleep 120
    printf '%s\n' $((($(pad_spent) - before) * 30)) >"$out/idle-$1.txt"
}

measure_sessions() {
    local mode turn name
    say 'records under one-time pad'
    "$build/bin/ssn-bench" otp --json >"$out/otp.json"
    say 'starting a cluster of six OSDs and their trusted nodes'
    # Of a development cluster it is only the intervals that are not Ceph's own.
    { otp_ceph_limits && printf '%s\n' 'osd heartbeat interval = 6' 'osd heartbeat grace = 20' 'mgr stats period = 5'; } \
        >"$out/ceph.conf"
    start_cluster --no-otp --reservoir "$reservoir" --conf "$out/ceph.conf"
    keep_reservoirs_full
    pg_num=128 make_pool sessions plugin=ssn scheme=shamir t=3 n=5 stripe_unit=64K >>"$log" 2>&1
    rados -p sessions put small /etc/hostname
    for ((turn = 1; turn <= rounds; turn++)); do
        for mode in $(rotated "$turn" crc secure otp); do
            say "turn $turn of $rounds: $mode"
            switch_sessions "$mode"
            fill_reservoirs
            warm_up
            fill_reservoirs
            set_up "$mode"
            bulk "$mode" write write -b 4M -t 16 --max-objects "$objects_of_a_turn" --no-cleanup
            bulk "$mode" read seq -t 16
            bulk "$mode" single write -b 4M -t 1 --max-objects "$((objects_of_a_turn / 4))" --no-cleanup
            for name in write single; do timeout 300 rados -p sessions cleanup --run-name "$mode-$name" >>"$log" 2>&1; done
        done
    done
    say 'pad of small objects, and of an idle cluster'
    switch_sessions otp
    process_signal CONT qkdn.sim
    pad_of_small_objects sessions
    make_pool starved plugin=ssn scheme=shamir t=2 n=3 stripe_unit=4K >>"$log" 2>&1
    pad_of_small_objects starved
    idle default
    {
        ceph tell 'osd.*' config set mgr_stats_period 60
        ceph tell 'mon.*' config set osd_heartbeat_grace 60
        ceph tell 'osd.*' config set osd_heartbeat_grace 60
        ceph tell 'osd.*' config set osd_heartbeat_interval 20
    } >>"$log" 2>&1
    idle sparing
    stop_cluster
}
