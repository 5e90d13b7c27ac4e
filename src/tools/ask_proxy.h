// SPDX-License-Identifier: LGPL-2.1-or-later
// ask_proxy.h - the status of the qkdn-proxy at a socket, for the subcommands that show it.
//
// Errors:    kInvalidArgument: no such path can be a socket; kUnavailable: no proxy answers within 5 seconds.
// Threads:   any.

#pragma once

#include <string>

#include "ssn/status.h"

namespace ssn::tools {

// `program` is what the proxy's log calls the caller. The JSON is described in src/qkdn/proxy/status_json.h.
Result<std::string> AskProxy(const std::string& socket_path, const std::string& program);

}  // namespace ssn::tools
