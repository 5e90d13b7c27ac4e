// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_bench.h - the subcommands of ssn-bench. Each has a file of its own; ssn_bench.cc only wires them.
//
// Errors:    run() says kInvalidArgument when other arguments are needed: exit code 2. Anything else is 1.

#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "ssn/status.h"

namespace ssn::tools {

struct Subcommand {
  CLI::App* app = nullptr;      // owned by the parent
  std::function<Status()> run;  // measures and prints
};

Subcommand AddSplit(CLI::App& parent);
Subcommand AddCombine(CLI::App& parent);
Subcommand AddRebuild(CLI::App& parent);
Subcommand AddPlugin(CLI::App& parent);
Subcommand AddPad(CLI::App& parent);
Subcommand AddOtp(CLI::App& parent);

}  // namespace ssn::tools
