// SPDX-License-Identifier: LGPL-2.1-or-later
// process_sockets.h - the sockets that a process has open.
//
// Threads:   any.
// Spec:      proc(5).

#pragma once

#include <sys/types.h>

#include <set>
#include <string>

namespace ssn::tools {

// Socket inodes in decimal, as /proc/PID/net/* has them. Empty: the process is gone, or not ours to see.
std::set<std::string> SocketsOf(pid_t process);

}  // namespace ssn::tools
