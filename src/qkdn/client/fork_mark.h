// SPDX-License-Identifier: LGPL-2.1-or-later
// fork_mark.h - what a client must know about fork(): whether it happened, and what a child must not get.
//
// A child gets a copy of everything but the other threads, so a lock one of them held is locked for ever,
// and a table one of them was changing stays half changed. Hence the rule of this folder: what belongs to a
// connection carries the mark of the process that made it, and a process with another mark touches none of
// it, not even to destroy it.
//
// Errors:    none.
// Threads:   any number.
// Spec:      fork(2), pthread_atfork(3), MADV_WIPEONFORK in madvise(2).

#pragma once

#include <cstdint>
#include <mutex>

namespace ssn::qkdn::client {

// ProcessMark is unlike those of all processes this one was forked from. No system call, unlike getpid, and
// pids are used again.
std::uint64_t ProcessMark() noexcept;

// While a ForkPause exists, fork() waits, in whichever thread. Hold it only for steps that do not block.
class ForkPause {
 public:
  ForkPause();

 private:
  std::lock_guard<std::mutex> lock_;
};

// A descriptor that is closed in every child before fork() returns there. Otherwise the other side would
// not learn that this process has ended as long as a child runs.
class ForkClosed {
 public:
  // Takes `fd` over; -1 is none.
  ForkClosed(int fd, const ForkPause& pause) noexcept;
  ~ForkClosed();
  ForkClosed(const ForkClosed&) = delete;
  ForkClosed& operator=(const ForkClosed&) = delete;

  int get() const noexcept { return fd_; }

 private:
  friend struct ForkHandlers;
  int fd_;
  ForkClosed* next_;
  ForkClosed* previous_ = nullptr;
};

}  // namespace ssn::qkdn::client
