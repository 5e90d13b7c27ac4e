// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_bench_erasures.h - which chunks a decoding benchmark does without.

#pragma once

#include <set>
#include <string>
#include <vector>

#include "ssn/status.h"

namespace ssn::tools {

struct ErasureOptions {
  unsigned count = 1;                 // chunks lost
  std::vector<int> erased;            // these, when not empty
  std::string generation = "random";  // or exhaustive
};

// ErasurePatterns gives the sets of lost chunks, of `chunks` in all, that a benchmark goes through in turn:
// the one set of options.erased; or all sets of `count` chunks; or 64 of them, random from a fixed seed.
Result<std::vector<std::set<int>>> ErasurePatterns(const ErasureOptions& options, unsigned chunks);

}  // namespace ssn::tools
