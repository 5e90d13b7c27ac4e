// SPDX-License-Identifier: LGPL-2.1-or-later
// ceph_daemons.h - which daemons of Ceph run on this host, by the admin sockets they listen at.
//
// Errors:    kUnavailable: the folder cannot be read.
// Threads:   any.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "ssn/status.h"

namespace ssn::tools {

struct CephDaemon {
  std::string name;  // as Ceph writes it: osd.3
  pid_t pid = 0;     // of the process that listens
};

// RunningDaemons are those with a socket CLUSTER-TYPE.ID.asok in `run_dir`, Ceph's run_dir, of type mon, mgr,
// osd or mds. A socket that nobody listens at is left over from a process that is gone.
Result<std::vector<CephDaemon>> RunningDaemons(const std::string& run_dir);

}  // namespace ssn::tools
