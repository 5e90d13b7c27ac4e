// SPDX-License-Identifier: LGPL-2.1-or-later
// socket.h - a connected SOCK_SEQPACKET Unix socket that never blocks, never raises a signal, and does not
// outlive the process that connected it.
//
// Errors:    kUnavailable with path and reason of the system.
// Threads:   any number may send; one at a time may receive.
// Spec:      unix(7).

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "qkdn/client/fork_mark.h"
#include "ssn/bytes.h"
#include "ssn/status.h"

namespace ssn::qkdn::client {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

// After is now + wait, with a wait from none to a day.
Deadline After(std::chrono::milliseconds wait);

class Socket {
 public:
  static Result<std::unique_ptr<Socket>> Connect(const std::string& path, Deadline deadline);

  enum class Outcome { kOk, kNotNow, kEnded };
  // Send sends one datagram. kNotNow: there is no room for it.
  Outcome Send(ByteSpan datagram) noexcept;
  // Receive takes one datagram into `buffer`. A datagram that does not fit has *size above buffer.size().
  Outcome Receive(MutableByteSpan buffer, std::size_t* size) noexcept;
  // ReceiveWithDescriptor also takes the descriptor that came with it; -1 if none or several did.
  Outcome ReceiveWithDescriptor(MutableByteSpan buffer, std::size_t* size, int* descriptor) noexcept;

  // Wait is false if the deadline passed before there was something to receive, or room to send.
  bool WaitToReceive(Deadline deadline) const noexcept;
  bool WaitToSend(Deadline deadline) const noexcept;

 private:
  Socket(int fd, const ForkPause& pause) : fd_(fd, pause) {}

  ForkClosed fd_;
};

}  // namespace ssn::qkdn::client
