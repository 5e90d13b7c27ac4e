# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # the variables of the caller
#
# pool.sh - erasure-coded pools in tests and tools: made, waited for, looked into. Needs test.sh's wait_for and fail.

# profile_value PROFILE KEY
profile_value() { ceph osd erasure-code-profile get "$1" -f json | jq -r --arg key "$2" '.[$key]'; }

# make_pool NAME KEY=VALUE... - a pool of 8 placement groups with a profile of its name. For plugin ssn min_size is
# t+1, so that no write is acknowledged without a share to spare (n = t leaves none).
make_pool() {
    begin_pool "$@"
    wait_clean "$1"
}

# begin_pool NAME KEY=VALUE... - the same without the wait, for those who make several.
begin_pool() {
    local pool=$1 t n
    shift
    ceph osd erasure-code-profile set "$pool" "$@"
    ceph osd pool create "$pool" "${pg_num:-8}" "${pg_num:-8}" erasure "$pool"
    ceph osd pool application enable "$pool" qa
    if [[ $(profile_value "$pool" plugin) == ssn ]]; then
        t=$(profile_value "$pool" t)
        n=$(profile_value "$pool" n)
        ceph osd pool set "$pool" min_size "$((t < n ? t + 1 : t))"
    fi
}

drop_pool() {
    ceph osd pool rm "$1" "$1" --yes-i-really-really-mean-it
    ceph osd erasure-code-profile rm "$1"
}

pgs_clean() {
    local states
    states=$(ceph pg ls-by-pool "$1" -f json | jq -r '.pg_stats[].state' | sort -u) && [[ $states == active+clean ]]
}

# wait_clean POOL... - until every placement group is exactly active+clean.
wait_clean() {
    local pool
    for pool in "$@"; do wait_for "${clean_seconds:-90}" pgs_clean "$pool"; done
}

# moved_off OSD POOL..., moved_onto OSD POOL... - whether the manager shows no placement group on the OSD, or some.
# What it shows lags behind the map: after a change of the map wait for one of these first, then for wait_clean.
moved_off() { (($(pgs_on "$@") == 0)); }
moved_onto() { (($(pgs_on "$@") > 0)); }
pgs_on() {
    local osd=$1 name
    shift
    for name; do
        ceph pg ls-by-pool "$name" -f json
    done | jq -s --argjson osd "$osd" '[.[].pg_stats[] | select((.up | index($osd)) or (.acting | index($osd)))] | length'
}

# osds_of POOL OBJECT - the acting set, shard 0 first.
osds_of() { ceph osd map "$1" "$2" -f json | jq -r '.acting[]'; }
pg_of() { ceph osd map "$1" "$2" -f json | jq -r '.pgid'; }

# same_content POOL OBJECT FILE
same_content() {
    rados -p "$1" get "$2" - | cmp "$3" -
}

# deep_scrub_clean POOL... - deep-scrubs every placement group, all at once, and fails on any inconsistency.
deep_scrub_clean() {
    local before name inconsistent
    before=$(deep_scrub_stamps "$@") || { fail "no placement groups are known of one of: $*"; return 1; }
    for name; do ceph osd pool deep-scrub "$name"; done
    wait_for 120 all_scrubbed_since "$before" "$@" || return 1
    for name; do
        inconsistent=$(rados list-inconsistent-pg "$name")
        [[ $inconsistent == '[]' ]] || { fail "inconsistent placement groups of $name: $inconsistent"; return 1; }
    done
}
# deep_scrub_stamps POOL... - lines "PG TIME", sorted; fails if there are none of a pool.
deep_scrub_stamps() {
    local name
    for name; do
        ceph pg ls-by-pool "$name" -f json | jq -er '.pg_stats[] | "\(.pgid) \(.last_deep_scrub_stamp)"' || return 1
    done | sort
}
# all_scrubbed_since STAMPS POOL... - no line is as it was.
all_scrubbed_since() {
    local before=$1 now
    shift
    now=$(deep_scrub_stamps "$@") && [[ -z $(comm -12 <(printf '%s\n' "$before") <(printf '%s\n' "$now")) ]]
}

# no_osd_aborted - no daemon of this cluster died by itself.
no_osd_aborted() {
    local found folder=${cluster_dir:?}
    found=$(grep -lE 'Caught signal|FAILED ceph_assert' "$folder"/log/* || true)
    [[ -z $found ]] || { fail "a daemon ended by itself: $found"; return 1; }
}
