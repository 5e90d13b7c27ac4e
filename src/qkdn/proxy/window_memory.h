// SPDX-License-Identifier: LGPL-2.1-or-later
// window_memory.h - the account of the memory that the windows of all programs may hold together.
//
// Shapes:    bytes of whole pages.
// Ownership: windows register themselves; the account outlives them.
// Threads:   no locking of its own.

#pragma once

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

  // Reserve is false when the account does not allow `bytes` more, even after every window gave back what it
  // keeps for later.
  bool Reserve(std::uint64_t bytes);
  void Return(std::uint64_t bytes) { used_ -= bytes; }

 private:
  const std::uint64_t max_;
  const bool require_lock_;
  std::uint64_t used_ = 0;
  std::set<Window*> windows_;
};

}  // namespace ssn::qkdn::proxy
