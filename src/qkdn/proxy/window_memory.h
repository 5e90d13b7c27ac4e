// SPDX-License-Identifier: LGPL-2.1-or-later
// window_memory.h - the account of the memory that the windows of all programs may hold together.
//
// Shapes:    bytes of whole pages. What is kept for small grants is for those of heartbeats and handshakes, when
//            larger ones have taken the rest.
// Ownership: windows register themselves; the account outlives them.
// Threads:   no locking of its own.

#pragma once

#include <algorithm>
#include <cstdint>
#include <set>

namespace ssn::qkdn::proxy {

class Window;

class WindowMemory {
 public:
  // `require_lock`: a window whose memory cannot be locked is refused instead of being used unlocked.
  WindowMemory(std::uint64_t max_bytes, bool require_lock) : max_(max_bytes), require_lock_(require_lock) {}

  bool require_lock() const noexcept { return require_lock_; }
  std::uint64_t max() const noexcept { return max_; }
  std::uint64_t used() const noexcept { return used_; }

  void Add(Window& window) { windows_.insert(&window); }
  void Remove(Window& window) { windows_.erase(&window); }

  // KeptForSmall is how much of `total` bytes, of a window or of the account, larger grants leave.
  static constexpr std::uint64_t KeptForSmall(std::uint64_t total) noexcept {
    return std::min(total / 16, std::uint64_t{16} << 20);
  }
  // Reserve is false when the account does not allow `bytes` more with `left` bytes to spare, even after
  // every window gave back what it keeps for later.
  bool Reserve(std::uint64_t bytes, std::uint64_t left);
  void Return(std::uint64_t bytes) { used_ -= bytes; }

 private:
  const std::uint64_t max_;
  const bool require_lock_;
  std::uint64_t used_ = 0;
  std::set<Window*> windows_;
};

}  // namespace ssn::qkdn::proxy
