// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench_erasures.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace ssn::tools {
namespace {

constexpr std::size_t kRandomPatterns = 64;
constexpr std::size_t kMaxPatterns = 100000;  // of an exhaustive run

using Pattern = std::set<int>;

Result<std::vector<Pattern>> Exhaustive(unsigned count, unsigned chunks) {
  std::vector<Pattern> patterns;
  std::vector<int> lost(chunks, 0);
  std::fill_n(lost.begin(), count, 1);
  do {
    if (patterns.size() == kMaxPatterns) {
      return Status::InvalidArgument("more than " + std::to_string(kMaxPatterns) + " sets of " +
                                     std::to_string(count) + " lost chunks: use -E random");
    }
    Pattern& pattern = patterns.emplace_back();
    for (unsigned i = 0; i < chunks; ++i) {
      if (lost[i] == 1) pattern.insert(static_cast<int>(i));
    }
  } while (std::ranges::prev_permutation(lost).found);
  return patterns;
}

std::vector<Pattern> Random(unsigned count, unsigned chunks) {
  std::mt19937 generator(count * 256 + chunks);
  std::vector<int> all(chunks);
  std::iota(all.begin(), all.end(), 0);
  std::vector<Pattern> patterns;
  for (std::size_t i = 0; i < kRandomPatterns; ++i) {
    std::ranges::shuffle(all, generator);
    patterns.emplace_back(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return patterns;
}

}  // namespace

Result<std::vector<Pattern>> ErasurePatterns(const ErasureOptions& options, unsigned chunks) {
  for (int chunk : options.erased) {
    if (chunk >= 0 && static_cast<unsigned>(chunk) < chunks) continue;
    return Status::InvalidArgument("--erased " + std::to_string(chunk) + ": chunks are 0 to " +
                                   std::to_string(chunks - 1));
  }
  if (!options.erased.empty()) return std::vector{Pattern(options.erased.begin(), options.erased.end())};
  if (options.count > chunks) {
    return Status::InvalidArgument("--erasures " + std::to_string(options.count) + " of only " +
                                   std::to_string(chunks) + " chunks");
  }
  if (options.count == 0) return std::vector{Pattern()};
  if (options.generation == "exhaustive") return Exhaustive(options.count, chunks);
  return Random(options.count, chunks);
}

}  // namespace ssn::tools
