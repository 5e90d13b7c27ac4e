// SPDX-License-Identifier: LGPL-2.1-or-later
// admin_socket.h - a question to a running daemon of Ceph, by its admin socket.
//
// Errors:    kUnavailable: the process has no such socket, or does not answer within 5 seconds.
// Threads:   any.
// Spec:      doc/dev/perf_counters.rst of Ceph ("Access"), src/common/admin_socket.cc; proc(5).

#pragma once

#include <sys/types.h>

#include <string>

#include "ssn/status.h"

namespace ssn::tools {

// `command` is JSON, {"prefix": "config show"} for example, and so is the answer. The socket is the one that
// the process listens at under a name that ends in .asok.
Result<std::string> AskAdminSocket(pid_t daemon, const std::string& command);

}  // namespace ssn::tools
