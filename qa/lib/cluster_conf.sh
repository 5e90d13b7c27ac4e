# shellcheck shell=bash disable=SC2154 # the variables of the caller
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# cluster_conf.sh - how a development cluster is configured: ceph.conf, the folders of plugins, mgr modules.
#
# REQUIRES: $cluster_dir, the function die, and netns.sh.

# The mgr modules that the monitor insists on (`ceph mgr module ls`): without one of them the cluster is unhealthy.
mgr_modules_needed='balancer|crash|devicehealth|orchestrator|pg_autoscaler|progress|rbd_support|status'
readonly mgr_modules_needed+='|telemetry|volumes'

# What is to be off in them, so that there is no pool and no moved PG that the test did not ask for. These options
# are read from the monitor only, not from ceph.conf.
# shellcheck disable=SC2034 # used by `up`
readonly mgr_options_off=(mgr/balancer/active mgr/devicehealth/enable_monitoring mgr/progress/enabled)

# stock_value OPTION: the value the installed Ceph was built with, whatever this machine's /etc/ceph says.
stock_value() {
    ceph-conf --conf /dev/null --show-config-value "$1" 2>/dev/null ||
        die "the installed Ceph knows no option '$1'"
}

# unused_address: prints a loopback address nobody listens on. Every cluster has one of its own, so the ports its
# daemons choose cannot collide with those of another cluster.
unused_address() {
    local address
    for _ in {1..20}; do
        address=127.$((RANDOM % 254 + 1)).$((RANDOM % 256)).$((RANDOM % 254 + 1))
        if ! (: >"/dev/tcp/$address/3300") 2>/dev/null; then
            printf '%s\n' "$address"
            return
        fi
    done
    die 'found no unused loopback address'
}

# link_plugins FOLDER OPTION PATTERN OURS: fills FOLDER with links to all files PATTERN of the folder which the
# installed Ceph's OPTION names, and with copies of those in the folder OURS ('' for none): Ceph itself searches one
# folder only, and a daemon crashes when the file it has loaded is rebuilt in place.
link_plugins() {
    local folder=$1 option=$2 pattern=$3 ours=$4 stock
    stock=$(stock_value "$option")
    mkdir "$folder"
    find "$stock" -maxdepth 1 -name "$pattern" -exec ln -s -t "$folder" {} +
    [[ ! -d $ours ]] || find "$ours" -maxdepth 1 -name "$pattern" -exec cp --remove-destination -t "$folder" {} +
}

# disabled_mgr_modules: prints every stock mgr module but the needed ones.
disabled_mgr_modules() {
    local path
    path=$(stock_value mgr_module_path)
    find "$path" -mindepth 2 -maxdepth 2 -name __init__.py -printf '%h\n' |
        sed 's,.*/,,' | grep -Exv "$mgr_modules_needed" | sort | paste -sd' '
}

# write_conf OSD_SIZE_BYTES ADDRESS OTP EXTRA_FILE: writes ceph.conf; the lines of EXTRA_FILE ('' for none) come last
# and win: they begin in [global], where every setting but the daemons' folders is.
write_conf() {
    local osd_size=$1 address=$2 otp=$3 extra=$4 run fsid modules monitor
    ((otp)) && monitor="[v2:$address:3300]" || monitor="[v2:$address:3300,v1:$address:6789]"
    run=$(realpath "$cluster_dir/run")
    fsid=$(</proc/sys/kernel/random/uuid)
    modules=$(disabled_mgr_modules)
    cat >"$cluster_dir/ceph.conf" <<CONF
[mon]
mon data = $cluster_dir/mon
keyring = $cluster_dir/mon/keyring
log file = $cluster_dir/log/\$name.log
mon cluster log file = $cluster_dir/log/cluster.log

[mgr]
mgr data = $cluster_dir/mgr
keyring = $cluster_dir/mgr/keyring
log file = $cluster_dir/log/\$name.log

[osd]
osd data = $cluster_dir/osd/\$id
keyring = $cluster_dir/osd/\$id/keyring
log file = $cluster_dir/log/\$name.log
crush location = root=default host=domain-\$id

[client]
keyring = $cluster_dir/\$name.keyring

[global]
fsid = $fsid
mon host = $monitor
$(netns_name >/dev/null && printf 'public network = %s.0/24' "$netns_network" || printf 'public addr = %s' "$address")
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false

run dir = $run
crash dir = $cluster_dir/log
erasure code dir = $cluster_dir/erasure-code
osd class dir = $cluster_dir/rados-classes
osd class load list = *
osd class default list = *
mgr initial modules =
mgr disabled modules = $modules

# A digest of the plaintext in each share's object info would tell every shareholder about the data.
osd skip data digest = true
# The least Ceph accepts.
osd memory target = 939524096
bluestore block size = $osd_size
# The "disk" is a file; the pauses made for rotating disks only cost time.
osd recovery sleep hdd = 0

osd pool default pg autoscale mode = off
mon allow pool delete = true
# A few OSDs carry all the pools of a test run.
mon max pg per osd = 1000

# States and counts are at most about a second old when the manager shows them.
mgr stats period = 1
# A scrub that is asked for begins at once, in many placement groups side by side.
osd scrub backoff ratio = 0
osd max scrubs = 8

# A stopped OSD is noticed at once by refused connections, a hung one by this grace.
osd heartbeat interval = 1
osd heartbeat grace = 10
# Any OSD may be the only one left: its word must do.
mon osd min down reporters = 1
# A test that kills OSDs again and again must not be met with ever more patience.
mon osd adjust heartbeat grace = false
# Tests mark OSDs out themselves.
mon osd down out interval = 86400

# Warnings about the developer's machine or habits, not about our code:
# its disk is rather full;
mon data avail warn = 3
mon data avail crit = 1
# it is busy and answers pings late (milliseconds);
mon warn on slow ping time = 10000
# a test's pool has no application tag;
mon warn on pool no app = false
# a test wants fewer OSDs than a default pool has replicas.
mon warn on too few osds = false
CONF
    ((!otp)) || otp_ceph_conf >>"$cluster_dir/ceph.conf"
    [[ -z $extra ]] || { printf '\n' && cat -- "$extra"; } >>"$cluster_dir/ceph.conf"
}
