# shellcheck shell=bash disable=SC2154 # the variables of the caller
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# cluster_daemons.sh - the daemons of a development cluster: asks the monitor about them, makes, starts and stops them.
#
# REQUIRES: $cluster_dir, $conf, the functions say and die, process.sh, cluster_conf.sh and otp.sh.

# Bounded twice: the connect timeout covers the connection only.
ceph_do() { with_otp client -- timeout --foreground 60 ceph --conf "$conf" --connect-timeout 20 "$@"; }

osd_map() { ceph_do osd dump --format json 2>/dev/null; }

# osds_up ID...: succeeds if all of them are up.
osds_up() {
    osd_map | jq -e '$ARGS.positional - [.osds[] | select(.up == 1) | .osd] == []' --jsonargs "$@" >/dev/null
}

osd_down() { osd_map | jq -e 'all(.osds[]; .osd != $id or .up == 0)' --argjson id "$1" >/dev/null; }

monitor_answers() { ceph_do --connect-timeout 1 mon stat &>/dev/null; }

manager_is_active() { ceph_do mgr stat 2>/dev/null | jq -e .available >/dev/null; }

is_healthy() { ceph_do health 2>/dev/null | grep -q '^HEALTH_OK'; }

# wait_for SECONDS NAME... -- COMMAND...: waits until COMMAND succeeds, but only as long as all those daemons live.
wait_for() {
    local seconds=$1 name
    local -a names=()
    shift
    while [[ $1 != -- ]]; do
        names+=("$1")
        shift
    done
    shift
    wait_until "$seconds" done_or_one_gone "$@" || die "${names[*]} not ready after $seconds s; see $cluster_dir/log"
    for name in "${names[@]}"; do
        process_runs "$name" || die "$name ended while it started; see $cluster_dir/log/$name.out and $name.log"
    done
}

# Looks at the daemons' `names` of wait_for.
done_or_one_gone() {
    local name
    for name in "${names[@]}"; do
        process_runs "$name" || return 0
    done
    "$@"
}

# make_key ENTITY FILE [SERVICE CAPABILITY]...: makes a key and the keyring FILE with it.
make_key() {
    local entity=$1 file=$2
    local -a caps=()
    shift 2
    while (($#)); do
        caps+=(--cap "$1" "$2")
        shift 2
    done
    ceph-authtool --create-keyring --gen-key --name "$entity" "${caps[@]}" "$file" >/dev/null
}

start_daemon() {
    local type=${1%%.*} id=${1#*.}
    with_otp "$1" process_start "$1" -- "ceph-$type" --foreground --conf "$conf" --id "$id"
}

start_monitor() {
    local all_keys=$cluster_dir/all.keyring monmap=$cluster_dir/monmap fsid addresses
    fsid=$(ceph-conf --conf "$conf" --lookup fsid)
    addresses=$(ceph-conf --conf "$conf" --lookup mon_host)
    monmaptool --create --fsid "$fsid" --addv a "$addresses" "$monmap" >/dev/null
    # The monitor's store begins with every key of this file, so none has to be added later.
    cat "$cluster_dir"/{mon,client.admin}.keyring "$cluster_dir"/{mgr,osd/*}/keyring >"$all_keys"
    with_otp mon.a -- timeout --foreground 60 ceph-mon --conf "$conf" --id a --mkfs --monmap "$monmap" --keyring "$all_keys" \
        &>"$cluster_dir/log/mon.a.mkfs" ||
        die "cannot make the monitor's store; see $cluster_dir/log/mon.a.mkfs"
    rm "$all_keys" "$monmap" "$cluster_dir/mon.keyring" # the store has its own copy
    start_daemon mon.a
    wait_for 60 mon.a -- monitor_answers
}

# quieten_manager: the modules it cannot go without shall do nothing on their own.
quieten_manager() {
    local option
    for option in "${mgr_options_off[@]}"; do
        # By force, as before its first manager the monitor does not know the modules' options.
        ceph_do config set mgr "$option" false --force || die "cannot set the manager's option $option"
    done
}

osd_uuid=() # of the OSDs made by this run, by id
mkfs_pid=()

# begin_osd ID: makes the OSD's key and begins to make its store, for which no monitor is needed.
#
# An OSD may talk to the monitor, the manager and its peers, but not read objects as a client does: with the usual
# capability osd 'allow *' one stolen OSD key opens the pools of all trust domains.
begin_osd() {
    mkdir -p "$cluster_dir/osd/$1"
    osd_uuid[$1]=$(</proc/sys/kernel/random/uuid)
    make_key "osd.$1" "$cluster_dir/osd/$1/keyring" mon 'allow profile osd' mgr 'allow profile osd'
    with_otp "osd.$1" process_start "mkfs.$1" -- ceph-osd --mkfs --foreground --no-mon-config --conf "$conf" --id "$1" \
        --osd-uuid "${osd_uuid[$1]}"
    mkfs_pid[$1]=$started_pid
}

# finish_osd ID: waits for the store and gives the OSD its place in the map.
finish_osd() {
    local message
    if ! wait_until 180 process_gone "mkfs.$1" || ! wait "${mkfs_pid[$1]}"; then
        die "cannot make the store of osd.$1; see $cluster_dir/log/mkfs.$1.out"
    fi
    rm "$cluster_dir/pid/mkfs.$1"
    message=$(ceph_do osd new "${osd_uuid[$1]}" "$1" 2>&1) || die "the monitor refuses osd.$1: $message"
}

# stop_osd ID SIGNAL: returns when the process is gone and the cluster knows.
stop_osd() {
    process_stop "$2" "osd.$1" || die "cannot stop osd.$1"
    process_runs mon.a || die "osd.$1 is stopped, but there is no monitor to see it down"
    # Its peers notice within a second or two. Without peers nobody would.
    wait_until 8 osd_down "$1" || ceph_do osd down "$1" 2>/dev/null || true
    wait_until 20 osd_down "$1" || die "osd.$1 is stopped, but the cluster does not see it down"
}

# start_osd ID: of one that does not run; returns when it is up.
start_osd() {
    # A killed OSD may still count as up, and would do so while the new process comes to life.
    osd_down "$1" || ceph_do osd down "$1" 2>/dev/null || die 'the monitor does not answer'
    start_daemon "osd.$1"
    wait_for 120 "osd.$1" -- osds_up "$1"
}

# restart_daemon NAME: the monitor, the manager or an OSD.
restart_daemon() {
    case $1 in
        osd.*)
            stop_osd "${1#osd.}" TERM
            start_osd "${1#osd.}"
            ;;
        mon.* | mgr.*)
            process_stop TERM "$1" || die "cannot stop $1"
            start_daemon "$1"
            wait_for 60 "$1" -- "$([[ $1 == mon.* ]] && echo monitor_answers || echo manager_is_active)"
            ;;
        *) usage_error "restart: $1 is no daemon of Ceph" ;;
    esac
}

# restart_everything: all daemons of Ceph that run.
restart_everything() {
    local name
    local -a osds
    mapfile -t osds < <(process_names osd)
    stop_daemons
    start_daemon mon.a
    wait_for 60 mon.a -- monitor_answers
    # Not all of them could take leave of it.
    ceph_do osd down all 2>/dev/null || die 'the monitor does not answer'
    start_daemon mgr.x
    for name in "${osds[@]}"; do start_daemon "$name"; done
    wait_for 120 "${osds[@]}" -- osds_up "${osds[@]#osd.}"
    wait_for 60 mgr.x -- manager_is_active
}

# The OSDs go before the monitor, so that they can take leave of it.
stop_daemons() {
    local kind
    local -a names
    for kind in mkfs osd mgr mon; do
        mapfile -t names < <(process_names "$kind")
        process_stop TERM "${names[@]}" || die "cannot stop all of: ${names[*]}"
    done
}

stop_everything() {
    stop_daemons
    stop_qkdn || die 'cannot stop the QKDN'
}
