// SPDX-License-Identifier: LGPL-2.1-or-later
// back_off.h - after a message that found no pad: new sessions to that node wait until one of its size would
// find it. Programs do not slow down by themselves: Ceph repeats a message that failed in an established
// session at once, more than a hundred times a second, and every try costs pad. It does slow down when no
// session comes about.
//
// Threads:   no locking of its own.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "qkdn/proxy/link_io.h"

namespace ssn::qkdn::proxy {

class BackOff {
 public:
  // Dry notes a request that went without `need` bytes; `most` is what a full reservoir has for it. True if
  // the operator should read of it.
  bool Dry(std::uint64_t need, std::uint64_t most, Clock::time_point now) noexcept {
    // So much it may never quite reach: each batch of keys costs some bytes.
    if (need > most - most / 16)
      Pause(now);
    else
      need_ = std::max(need_, need);
    return Due(now);
  }
  // TooLarge notes a request for more than the link ever holds.
  bool TooLarge(Clock::time_point now) noexcept {
    Pause(now);
    return Due(now);
  }
  // Pause is for what failed for another reason, and would fail again at once.
  void Pause(Clock::time_point now) noexcept { not_before_ = now + std::chrono::seconds(1); }
  // Holds is true as long as new sessions wait; `free` is what a large request may have now.
  bool Holds(std::uint64_t free, Clock::time_point now) noexcept {
    if (free >= need_) need_ = 0;
    return need_ > 0 || now < not_before_;
  }
  void Clear() noexcept { need_ = 0; }

 private:
  bool Due(Clock::time_point now) noexcept {
    if (now < quiet_until_) return false;
    quiet_until_ = now + std::chrono::minutes(1);
    return true;
  }

  std::uint64_t need_ = 0;
  Clock::time_point not_before_{};
  Clock::time_point quiet_until_{};
};

}  // namespace ssn::qkdn::proxy
