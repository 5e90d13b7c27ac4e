// SPDX-License-Identifier: LGPL-2.1-or-later
// ceph_daemons.h - which daemons of Ceph run on this host. By their processes: one that cannot talk to its
// monitor, as without a provider that the others have, has not even an admin socket yet.
//
// Threads:   any.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace ssn::tools {

struct CephDaemon {
  std::string name;  // as Ceph writes it: osd.3
  pid_t pid = 0;
};

// RunningDaemons are the processes ceph-mon, ceph-mgr, ceph-osd and ceph-mds, in order of their names. With a
// path in `conf` only those that were started with that configuration, for hosts with several clusters.
std::vector<CephDaemon> RunningDaemons(const std::string& conf);

}  // namespace ssn::tools
