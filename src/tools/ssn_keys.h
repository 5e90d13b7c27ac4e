// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_keys.h - `ssn keys`: what the proxy of this trusted node holds of each link, as a table.
//
// Errors:    kUnavailable: no proxy answers; kCorrupt: its answer cannot be understood.
// Threads:   none of its own.
// Spec:      ssn(1); the JSON is described in src/qkdn/proxy/status_json.h.

#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "ssn/status.h"

namespace ssn::tools {

// FormatKeys makes the table of a proxy's status.
Result<std::string> FormatKeys(std::string_view status_json);

struct KeysOptions {
  std::string socket_path = "/run/ssn/pad.sock";
  bool json = false;
};
CLI::App* AddKeys(CLI::App& app, KeysOptions& options);
// RunKeys prints; the exit status of the program comes back.
int RunKeys(const KeysOptions& options);

}  // namespace ssn::tools
