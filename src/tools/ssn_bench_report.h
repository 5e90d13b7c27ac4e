// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_bench_report.h - what ssn-bench prints: a table for people or JSON for programs, with the same figures.

#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/ssn_bench_measure.h"

namespace ssn::tools {

struct Report {
  std::string workload;               // the subcommand, and what it did
  nlohmann::ordered_json parameters;  // an object; the table prints its members in one line
  std::vector<Subject> subjects;
  std::vector<Speed> speeds;  // of the subjects, in their order
  // Of one call of the first subject. Not there when nothing was counted.
  std::optional<std::size_t> extra_memory_bytes;
};

// Print writes to standard output. Ratios are: speed of the first subject / speed of this one.
void Print(const Report& report, bool json);

}  // namespace ssn::tools
