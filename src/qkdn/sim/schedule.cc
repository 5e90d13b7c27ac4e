// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/schedule.h"

#include <algorithm>
#include <cmath>

namespace ssn::qkdn::sim {
namespace {

double Phase(double now, double period) { return period > 0 ? std::fmod(now, period) : now; }

// The finaliser of SplitMix64: which stretches are noisy must look irregular and be the same at both ends.
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

bool Schedule::Up(double now) const {
  const double phase = Phase(now, outage_period);
  return std::ranges::none_of(
      outages, [&](const auto& window) { return phase >= window.first && phase < window.second; });
}

bool Schedule::NoisySlot(std::uint64_t slot) const {
  return std::ldexp(static_cast<double>(Mix(seed ^ Mix(slot)) >> 11), -53) < error_probability;
}

bool Schedule::Noisy(double now) const {
  return error_probability > 0 && NoisySlot(static_cast<std::uint64_t>(now / error_duration));
}

double Schedule::DownSince0(double now) const {
  const double phase = Phase(now, outage_period);
  double whole = 0;
  double part = 0;
  for (const auto& [start, end] : outages) {
    whole += end - start;
    part += std::clamp(phase, start, end) - start;
  }
  return part + (outage_period > 0 ? std::floor(now / outage_period) * whole : 0);
}

Schedule::Spans Schedule::Measure(double from, double to) const {
  const auto up = [this](double start, double end) {
    return (end - start) - (DownSince0(end) - DownSince0(start));
  };
  Spans spans;
  if (to <= from) return spans;
  if (error_probability <= 0) {
    spans.good = up(from, to);
    return spans;
  }
  for (double start = from; start < to;) {
    const auto slot = static_cast<std::uint64_t>(start / error_duration);
    double end = std::min(to, static_cast<double>(slot + 1) * error_duration);
    if (end <= start) end = to;  // rounding: never stand still
    (NoisySlot(slot) ? spans.noisy : spans.good) += up(start, end);
    start = end;
  }
  return spans;
}

}  // namespace ssn::qkdn::sim
