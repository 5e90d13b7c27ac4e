// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench_measure.h"

#include <algorithm>
#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ssn::tools {
namespace {

using Clock = std::chrono::steady_clock;

Result<double> SecondsFor(const Subject& subject, std::uint64_t iterations) {
  CleanVectorRegisters();
  const Clock::time_point start = Clock::now();
  for (std::uint64_t i = 0; i < iterations; ++i) {
    if (Status status = subject.run(); !status.ok()) return status;
  }
  const std::chrono::duration<double> elapsed = Clock::now() - start;
  return std::max(elapsed.count(), 1e-9);
}

// Calibrate warms up and finds how many runs take at least timing.seconds.
Result<std::uint64_t> Calibrate(const Subject& subject, const Timing& timing) {
  std::uint64_t iterations = 1;
  while (true) {
    const Result<double> seconds =
        SecondsFor(subject, timing.iterations > 0 ? timing.iterations : iterations);
    if (!seconds.ok()) return seconds.status();
    if (timing.iterations > 0) return timing.iterations;
    if (seconds.value() >= timing.seconds) return iterations;
    const double wanted = static_cast<double>(iterations) * timing.seconds / seconds.value() * 1.1;
    iterations = std::clamp(static_cast<std::uint64_t>(wanted), iterations + 1, iterations * 10);
  }
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Speed Summarize(const std::vector<double>& seconds, std::uint64_t iterations, std::size_t bytes) {
  std::vector<double> speeds;
  for (double s : seconds)
    speeds.push_back(static_cast<double>(bytes) * static_cast<double>(iterations) / s / 1e9);
  const auto [min, max] = std::ranges::minmax(speeds);
  return {Median(std::move(speeds)), min, max, iterations};
}

}  // namespace

Result<std::vector<Speed>> Measure(std::span<const Subject> subjects, const Timing& timing,
                                   std::size_t bytes) {
  std::vector<std::uint64_t> iterations;
  for (const Subject& subject : subjects) {
    const Result<std::uint64_t> calibrated = Calibrate(subject, timing);
    if (!calibrated.ok()) return calibrated.status();
    iterations.push_back(calibrated.value());
  }
  std::vector<std::vector<double>> seconds(subjects.size());
  for (unsigned round = 0; round < timing.repeats; ++round) {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      const Result<double> taken = SecondsFor(subjects[i], iterations[i]);
      if (!taken.ok()) return taken.status();
      seconds[i].push_back(taken.value());
    }
  }
  std::vector<Speed> speeds;
  for (std::size_t i = 0; i < subjects.size(); ++i)
    speeds.push_back(Summarize(seconds[i], iterations[i], bytes));
  return speeds;
}

#if defined(__x86_64__)
namespace {
[[gnu::target("avx")]] void ZeroUpper() noexcept { _mm256_zeroupper(); }
}  // namespace

void CleanVectorRegisters() noexcept {
  if (__builtin_cpu_supports("avx")) ZeroUpper();
}
#else
void CleanVectorRegisters() noexcept {}
#endif

}  // namespace ssn::tools
