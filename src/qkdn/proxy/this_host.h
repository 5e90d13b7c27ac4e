// SPDX-License-Identifier: LGPL-2.1-or-later
// this_host.h - which host names and addresses are this very host.
//
// Errors:    what cannot be told is "no". No name server is asked.
// Threads:   any.

#pragma once

#include <string>

namespace ssn::qkdn::proxy {

// IsLoopback is true for 127.0.0.0/8, ::1 and localhost.
bool IsLoopback(const std::string& host);
// IsThisHost is true for those, for the host's own name and for the addresses of its interfaces.
bool IsThisHost(const std::string& host);

}  // namespace ssn::qkdn::proxy
