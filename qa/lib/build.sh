# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# build.sh - what quickstart, check and bench do first: install what is missing from Debian, configure, build.
# Needs `say` (a progress line) and `die` (a reason and the end) from its user, and `set -o pipefail`; `detail` (a line
# below that of `say`) is used where there is one.

: "${repo:?set by the script that sources this}"

packages=(g++ make cmake git
    ceph-mon ceph-mgr ceph-osd ceph-common libradospp-dev librados-dev
    libisal-dev libssl-dev libfmt-dev libcli11-dev nlohmann-json3-dev
    libcurl4-openssl-dev libcpp-httplib-dev libsimdjson-dev libtomlplusplus-dev libasio-dev libspdlog-dev
    libgtest-dev libgfshare-dev libfaketime valgrind clang-format-14 shellcheck mypy
    curl gdb iproute2 nftables openssl jq tcpdump xxd python3 python3-rados)

# install_packages LOG [PACKAGE...] - installs what is not there; touches nothing else.
install_packages() {
    local log=$1 missing=() package sudo=()
    shift
    for package in "${packages[@]}" "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    ((${#missing[@]} > 0)) || return 0
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "these Debian packages are missing, and only root can install them: ${missing[*]}"
        sudo=(sudo)
    fi
    say "installing from Debian: ${missing[*]}"
    "${sudo[@]}" apt-get update >>"$log" 2>&1 || die "apt-get update failed: $log"
    # env, because sudo does not pass variables on.
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 ||
        die "apt-get install failed: $log"
}

# build_target "TARGET..." FOLDER LOG [CMAKE-ARGUMENT...]
build_target() {
    local folder=$2 log=$3 targets
    read -ra targets <<<"$1"
    shift 3
    say "building in $folder"
    cmake -S "$repo" -B "$folder" -DSSN_WERROR=ON "$@" >>"$log" 2>&1 || { tail -n 15 "$log" >&2; die "cmake failed: $log"; }
    cmake --build "$folder" --target "${targets[@]}" -j "$(nproc)" 2>&1 | tee -a "$log" | build_progress || {
        grep -E 'error|\*\*\*' "$log" | tail -n 15 >&2 || true
        die "the build failed: $log"
    }
}

# build_progress - reads what make says, and tells every ten percent; nothing if nothing had to be compiled.
build_progress() {
    local line percent next=10 tell=say
    ! declare -F detail >/dev/null || tell=detail
    while IFS= read -r line; do
        [[ $line =~ ^\[\ *([0-9]+)%\]\ Building ]] || continue
        percent=${BASH_REMATCH[1]}
        ((percent >= next)) || continue
        "$tell" "$percent % built"
        next=$((percent / 10 * 10 + 10))
    done
}
