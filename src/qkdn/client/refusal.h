// SPDX-License-Identifier: LGPL-2.1-or-later
// refusal.h - what a refusal of the proxy is to a caller of the library: the table "Errors" of NORTH.md.
//
// Threads:   pure functions.

#pragma once

#include <string>
#include <string_view>

#include "qkdn/protocol/north.h"
#include "ssn/status.h"

namespace ssn::qkdn::client {

std::string_view Name(north::Refusal reason);

// `what` begins the message; `detail`, the proxy's own words, may be empty.
Status ToStatus(north::Refusal reason, std::string_view what, std::string_view detail);

}  // namespace ssn::qkdn::client
