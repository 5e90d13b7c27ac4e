# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # the variables of test.sh
#
# shard.sh - what lies on the disk of an OSD: the shares of an object and their attributes, read and changed behind
# Ceph's back. Needs test.sh and pool.sh.
#
# The pools are made by make_pinned_pool, so a test may say "shard 3" and mean osd.3. Whatever reads or changes a
# share needs that OSD stopped: `while_stopped 3 COMMAND...`.
#
# Shares are written back through BlueStore, whose own checksum is right afterwards: the disk of an OSD that lies,
# not one that breaks.

# start_shard_cluster - a cluster for such tests: six OSDs that report and scrub without delay.
start_shard_cluster() {
    cat >"$work/conf" <<'CONF'
mgr stats period = 1
paxos propose interval = 0.1
osd scrub backoff ratio = 0
osd max scrubs = 5
CONF
    start_cluster --conf "$work/conf"
    ceph osd set-require-min-compat-client luminous # or there is no pg-upmap
}

# make_pinned_pool POOL KEY=VALUE... - a pool with one placement group, shard s on osd.s once it is settled.
make_pinned_pool() {
    pg_num=1 begin_pool "$@"
    pin_pool "$1"
}

# pin_pool POOL [OSD...] - names the OSDs of shard 0, 1, ...; `settle` waits until the data are there.
pin_pool() {
    local pool=$1 pg
    shift
    pg=$(pg_of "$pool" any)
    (($# > 0)) || set -- 0 1 2 3 4
    ceph osd pg-upmap "$pg" "$@"
    printf '%s\n' "$pg $*" >"$work/pinned.$pool"
}

# settle POOL... - until the primaries themselves say that all shards are where they belong and whole. (What `ceph pg
# ls` says is a second old.)
settle() {
    local pool epoch
    epoch=$(ceph osd stat -f json | jq .epoch)
    for pool; do wait_for 120 is_settled "$pool" "$epoch"; done
}
is_settled() {
    local pg osds
    read -r pg osds <"$work/pinned.$1"
    timeout 20 ceph pg "$pg" query -f json 2>/dev/null | jq -e --arg osds "$osds" --argjson epoch "$2" '
        .epoch >= $epoch and (.state | test("^active[+]clean")) and
        (.up | map(tostring) | join(" ")) == $osds and .up == .acting' >/dev/null
}

# while_stopped OSD COMMAND... - runs the command, in a subshell, while that OSD is stopped. The OSD is started again
# also after a failure of the command.
while_stopped() {
    local osd=$1
    shift
    cluster stop-osd "$osd"
    (
        trap 'cluster start-osd "$osd"' EXIT
        "$@"
        trap - EXIT
    )
    cluster start-osd "$osd"
}

# share_tool POOL SHARD ARGUMENT... - ceph-objectstore-tool on the disk and in the placement group of that shard.
share_tool() {
    local pool=$1 shard=$2
    local -a pinned
    shift 2
    read -ra pinned <"$work/pinned.$pool"
    # The tool waits for BlueStore's polling threads when it opens and closes the disk.
    ceph-objectstore-tool --no-mon-config --bdev-aio-poll-ms=10 \
        --data-path "$cluster_dir/osd/${pinned[shard + 1]}" --pgid "${pinned[0]}s$shard" "$@"
}

# OBJECT is a name, or where there are clones what head_of or clones_of printed.
get_share() { rm -f "$4" && share_tool "$1" "$2" "$3" get-bytes "$4"; }   # POOL SHARD OBJECT FILE
set_share() { share_tool "$1" "$2" "$3" set-bytes "$4"; }               # POOL SHARD OBJECT FILE
remove_share() { share_tool "$1" "$2" "$3" remove; }                    # POOL SHARD OBJECT
list_attrs() { share_tool "$1" "$2" "$3" list-attrs; }                  # POOL SHARD OBJECT
get_attr() { share_tool "$1" "$2" "$3" get-attr "$4"; }                 # POOL SHARD OBJECT NAME
set_attr() { share_tool "$1" "$2" "$3" set-attr "$4" "$5"; }            # POOL SHARD OBJECT NAME FILE
clones_of() { share_tool "$1" "$2" --op list "$3" | jq -c '.[1] | select(.snapid != -2)'; } # POOL SHARD OBJECT
head_of() { share_tool "$1" "$2" --op list "$3" | jq -c '.[1] | select(.snapid == -2)'; }   # POOL SHARD OBJECT

# share_info POOL SHARD OBJECT - object info, snapshot set and hinfo of a share, decoded, as JSON. (ceph-dencoder, which
# would do for one attribute, misses its modules in Debian's ceph-common 16.2.15.)
share_info() { share_tool "$1" "$2" "$3" dump; }

# recorded_crcs POOL SHARD OBJECT - the CRC list in the hinfo_key of a share, one number a line, shard 0 first.
recorded_crcs() { share_info "$1" "$2" "$3" | jq '.hinfo.cumulative_shard_hashes[].hash'; }

# flip_bit FILE OFFSET - flips the lowest bit of one byte.
flip_bit() {
    local byte
    byte=$(byte_at "$1" "$2")
    put_byte "$1" "$2" $((byte ^ 1))
}
byte_at() { od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' '; }
put_byte() { printf '%b' "\\x$(printf %02x "$3")" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# flip_share_bit POOL SHARD OBJECT OFFSET
flip_share_bit() {
    local share=$work/share.$BASHPID
    get_share "$1" "$2" "$3" "$share"
    flip_bit "$share" "$4"
    set_share "$1" "$2" "$3" "$share"
    rm "$share"
}

# replace_share POOL SHARD OBJECT - overwrites the whole share with random bytes.
replace_share() {
    local share=$work/share.$BASHPID
    get_share "$1" "$2" "$3" "$share"
    head -c "$(stat -c %s "$share")" /dev/urandom | set_share "$1" "$2" "$3" -
    rm "$share"
}

# repair POOL - has Ceph repair what a deep scrub found, and waits until it is done.
repair() {
    local pg
    read -r pg _ <"$work/pinned.$1"
    ceph pg repair "$pg"
    wait_for 90 nothing_inconsistent "$1"
    settle "$1"
}
nothing_inconsistent() { [[ $(rados list-inconsistent-pg "$1") == '[]' ]]; }
