// SPDX-License-Identifier: LGPL-2.1-or-later
// rate_meter.h - how fast a counter has grown of late.
//
// Shapes:    one sample a second; the rate is over the last kSeconds, or since the first sample.
// Threads:   no locking of its own.

#pragma once

#include <cstdint>
#include <deque>

namespace ssn::qkdn::proxy {

class RateMeter {
 public:
  static constexpr std::size_t kSeconds = 60;

  void Sample(std::uint64_t counter) {
    samples_.push_back(counter);
    if (samples_.size() > kSeconds + 1) samples_.pop_front();
  }
  double per_second() const {
    if (samples_.size() < 2) return 0;
    return static_cast<double>(samples_.back() - samples_.front()) / static_cast<double>(samples_.size() - 1);
  }

 private:
  std::deque<std::uint64_t> samples_;
};

}  // namespace ssn::qkdn::proxy
