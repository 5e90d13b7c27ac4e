// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_bench_options.h - the options subcommands share, so that they are the same everywhere.

#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "tools/ssn_bench_measure.h"

namespace ssn::tools {

// The options keep references to what they set; their present values are the defaults.
void AddTimingOptions(CLI::App& app, Timing& timing);
void AddSizeOption(CLI::App& app, const std::string& names, std::uint64_t& size, const std::string& of_what);
void AddJsonOption(CLI::App& app, bool& json);

}  // namespace ssn::tools
