# shellcheck shell=bash disable=SC2154 # the variables of the caller
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# cluster_folder.sh - the folder that holds the whole state of one development cluster: how it is claimed, recognised
# and removed. A cluster is there as long as the folder has our marker and pid/; marker and log/ alone are what a
# former cluster left.
#
# REQUIRES: $cluster_dir, the functions say and die, process.sh and netns.sh.

readonly marker=.ssn-cluster # only a folder with this file in it is ever removed

has_marker() { [[ -f $cluster_dir/$marker ]]; }

is_cluster() { has_marker && [[ -d $cluster_dir/pid ]]; }

# claim_folder: makes $cluster_dir ours if it is new, empty, or holds only the logs of a former cluster.
claim_folder() {
    [[ $cluster_dir != *[\$\#\;\"\'\\[:cntrl:]]* ]] || die "$cluster_dir: ceph.conf cannot hold such a path"
    if [[ -e $cluster_dir && ! -d $cluster_dir ]]; then
        die "$cluster_dir is no folder"
    elif [[ ! -e $cluster_dir/$marker && -d $cluster_dir && -n $(ls -A "$cluster_dir") ]]; then
        die "$cluster_dir is neither empty nor a cluster's folder"
    fi
    if is_cluster; then
        [[ -z $(process_names_running) ]] || die "a cluster runs in $cluster_dir already"
        die "$cluster_dir holds a cluster that did not end well: '$0 --dir $cluster_dir down' clears it"
    fi
    (umask 022 && mkdir -p "$cluster_dir") && chmod 700 "$cluster_dir" # keys live here
    : >"$cluster_dir/$marker"
    mkdir "$cluster_dir/pid" 2>/dev/null || die "another 'up' works on $cluster_dir" # only one mkdir succeeds
    rm -rf "$cluster_dir/log"
}

# remove_state KEEP_LOGS: everything in the folder but, if KEEP_LOGS is 1, log/ and the marker.
remove_state() {
    has_marker || die "$cluster_dir carries no file $marker: not removing it"
    remove_run_dir
    remove_netns || say 'cannot remove all network namespaces'
    if (($1)); then
        find "$cluster_dir" -mindepth 1 -maxdepth 1 ! -name log ! -name "$marker" -exec rm -rf {} +
    else
        rm -rf "$cluster_dir"
    fi
}

# make_run_dir: makes run/, for the admin sockets. A socket's path has at most 107 bytes; under a long cluster
# folder run/ is a link to a short private folder, which remove_run_dir removes.
make_run_dir() {
    local longest="$cluster_dir/run/ceph-osd.9999.asok" short
    if ((${#longest} <= 107)); then
        mkdir "$cluster_dir/run"
    else
        short=$(mktemp -d /tmp/ssn-run.XXXXXXXX) || die 'cannot make a short folder for the admin sockets in /tmp'
        ln -s "$short" "$cluster_dir/run"
    fi
}

remove_run_dir() {
    local short
    if [[ -L $cluster_dir/run ]]; then
        short=$(readlink "$cluster_dir/run")
        # The link may have been changed since: take away nothing but sockets and the emptied folder.
        if [[ $short == /tmp/ssn-run.* && ! -L $short ]]; then
            find "$short" -mindepth 1 -maxdepth 1 -type s -delete
            rmdir "$short" || true
        fi
    fi
    rm -rf "$cluster_dir/run"
}
