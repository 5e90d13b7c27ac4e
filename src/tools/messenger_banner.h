// SPDX-License-Identifier: LGPL-2.1-or-later
// messenger_banner.h - what a daemon of Ceph says to whoever connects to it. Either version of the messenger
// begins with a banner, and the first one encrypts nothing, whatever the configuration says of the second.
//
// Errors:    kUnavailable: the process has a network namespace of its own, and it cannot be entered.
// Threads:   any; the calling one is in that namespace for a moment.
// Spec:      doc/dev/network-protocol.rst and doc/dev/msgr2.rst of Ceph; proc(5), network_namespaces(7).

#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "ssn/status.h"

namespace ssn::tools {

struct Listener {
  std::string address;  // 127.0.0.1:6800, [::1]:6800
  std::string banner;   // its first 9 bytes; empty: nothing came, as from a server that waits for a question
};

// ListenersOf connects to every TCP port at which the process listens and waits at most `patience` for all.
Result<std::vector<Listener>> ListenersOf(pid_t process, std::chrono::milliseconds patience);

// SpeaksVersion1 and SpeaksVersion2 tell the version by the banner; of another server, neither is true.
bool SpeaksVersion1(const Listener& listener);
bool SpeaksVersion2(const Listener& listener);

}  // namespace ssn::tools
