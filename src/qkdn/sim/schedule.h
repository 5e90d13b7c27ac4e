// SPDX-License-Identifier: LGPL-2.1-or-later
// schedule.h - when a QKD link works: outage windows, and bursts of errors in which the modules find the
// error rate of their bits over the limit and discard what they measured.
//
// Shapes:    seconds since the simulation began.
// Threads:   const methods of a value.

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace ssn::qkdn::sim {

struct Schedule {
  std::vector<std::pair<double, double>> outages;  // [start, end), in order, not overlapping
  double outage_period = 0;                        // the windows repeat every so many seconds; 0: never
  double error_probability = 0;                    // that a stretch of `error_duration` seconds is a burst
  double error_duration = 1;
  std::uint64_t seed = 0;  // which stretches are bursts; links have different ones

  bool Up(double now) const;
  bool Noisy(double now) const;

  struct Spans {
    double good = 0;
    double noisy = 0;
  };
  // Measure splits the seconds of [from, to) in which the link was up.
  Spans Measure(double from, double to) const;

 private:
  bool NoisySlot(std::uint64_t slot) const;
  double DownSince0(double now) const;
};

}  // namespace ssn::qkdn::sim
