// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_bench_codes.h - the erasure codes a plugin benchmark compares: found, loaded and set up.
//
// Shapes:    -p [LABEL=]PLUGIN names a code; -P [LABEL:]KEY=VALUE sets a key of its profile, or of all.
// Errors:    kInvalidArgument for a malformed option, an unknown plugin or a profile that is refused.

#pragma once

#include <string>
#include <vector>

#include "erasure-code/ceph_interface.h"
#include "ssn/status.h"

namespace ssn::tools {

struct CodeOptions {
  std::vector<std::string> plugins;     // [LABEL=]PLUGIN
  std::vector<std::string> parameters;  // [LABEL:]KEY=VALUE
  std::string directory;                // searched first; may be empty
};

struct Code {
  std::string label;
  ceph::ErasureCodeInterfaceRef erasure_code;
};

// MakeCodes looks for plugins in options.directory, then beside this program's build or installation
// (../lib/erasure-code), then where Ceph has its own.
Result<std::vector<Code>> MakeCodes(const CodeOptions& options);

}  // namespace ssn::tools
