// SPDX-License-Identifier: LGPL-2.1-or-later
// pad_buffer.h - the agreed pad of one ordered pair at one end: first in, first out, by position.
//
// Shapes:    a position counts bytes since the epoch began; what is held is [begin(), end()) without a gap.
//            What leaves the buffer, by use or by burning, is wiped here.
// Errors:    Take answers false when not all of the range is held; the rest cannot fail.
// Ownership: one locked region of `capacity` bytes, made by the constructor (std::bad_alloc when it cannot
//            be).
// Threads:   no locking of its own.

#pragma once

#include <cstdint>

#include "ssn/secret.h"

namespace ssn::qkdn::proxy {

class PadBuffer {
 public:
  explicit PadBuffer(std::uint64_t capacity) : region_(capacity) {}

  std::uint64_t capacity() const noexcept { return region_.size(); }
  bool locked() const noexcept { return region_.locked(); }
  std::uint64_t begin() const noexcept { return begin_; }
  std::uint64_t end() const noexcept { return end_; }
  std::uint64_t held() const noexcept { return end_ - begin_; }

  // Append puts `pad` at end(). REQUIRES: held() + pad.size() <= capacity().
  void Append(ByteSpan pad);
  // Take burns what is below `position`, then moves the range out. `burnt` receives how much was burnt.
  bool Take(std::uint64_t position, MutableByteSpan out, std::uint64_t* burnt);
  // BurnBelow burns what is below `position`; from then on nothing below it is held or appended.
  std::uint64_t BurnBelow(std::uint64_t position);
  // BurnFrom burns what is at or above `position`, which becomes end() if it is lower. REQUIRES: position >=
  // begin().
  std::uint64_t BurnFrom(std::uint64_t position);
  // Reset burns everything and begins again at position 0.
  std::uint64_t Reset();

 private:
  // Calls f(part, done) for the one or two stretches of memory that hold `length` bytes from `position` on.
  template <typename F>
  void ForEachPart(std::uint64_t position, std::uint64_t length, F&& f);

  SecretBytes region_;  // position p lies at p modulo its size
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace ssn::qkdn::proxy
