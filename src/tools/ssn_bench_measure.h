// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_bench_measure.h - how fast several things are, under the same conditions.
//
// Shapes:    in every round each subject runs once for a while: what slows the machine down slows all of
//            them. Every subject finds clean vector registers, whoever ran before it.
// Errors:    the first error of a subject ends the measurement.
// Threads:   measures the calling thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ssn/status.h"

namespace ssn::tools {

struct Subject {
  std::string name;
  std::function<Status()> run;
  std::string note;  // what a reader must know to judge the figure
};

struct Timing {
  double seconds = 0.05;         // at least, for one subject in one round
  unsigned repeats = 15;         // rounds
  std::uint64_t iterations = 0;  // runs in a round; 0: as many as `seconds` need
};

// In 10^9 bytes per second.
struct Speed {
  double median = 0;
  double min = 0;
  double max = 0;
  std::uint64_t iterations = 0;  // runs in each round
};

// Measure counts `bytes` for each run of a subject. The results are in the order of the subjects.
Result<std::vector<Speed>> Measure(std::span<const Subject> subjects, const Timing& timing,
                                   std::size_t bytes);

// CleanVectorRegisters zeroes the upper halves of the AVX registers. Code that leaves them dirty (the AVX-512
// kernels of ISA-L 2.30 do) slows down SSE code that runs after it, such as AES-NI.
void CleanVectorRegisters() noexcept;

}  // namespace ssn::tools
