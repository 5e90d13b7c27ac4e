// SPDX-License-Identifier: LGPL-2.1-or-later
// otp_receiver.h - the records that one direction of a session receives under one-time pad.
//
// Errors:    Finish is false for a record that is not what the peer sent next, or that has no pad here; the
//            first such record ends the stream. What Update wrote is worth nothing before Finish was true.
// Waits:     at most `wait` for each piece; pad is here before what it decrypts, unless the peer sends
//            garbage.
// Ownership: keeps its stream of pad; what of it is not used is burnt at the end.
// Threads:   one at a time.
// Spec:      SESSION.md, "Records from 1 on".

#pragma once

#include <algorithm>
#include <chrono>
#include <memory>

#include "provider/record_mac.h"
#include "ssn/pad_client.h"

namespace ssn::provider {

class OtpReceiver {
 public:
  // The proxies hand pad over before they let the sender use it, so that none comes much later than its data:
  // a record without it is one that the sender had no pad for, and a thread of the messenger does not wait
  // long for nothing.
  static constexpr std::chrono::milliseconds kLongestWait{500};

  OtpReceiver(std::unique_ptr<PadStream> pad, const StreamLabel& label, std::chrono::milliseconds wait)
      : wait_(std::min(wait, kLongestWait)), mac_(label), pad_(std::move(pad)) {}

  void BeginRecord() noexcept { begun_ = false; }
  // Update decrypts the next piece. `in` and `out` are the same memory or do not overlap.
  void Update(ByteSpan in, MutableByteSpan out);
  [[nodiscard]] bool Finish(ByteSpan tag);
  // End: from here on everything is rejected.
  void End() noexcept;

 private:
  void Begin(std::size_t bytes);

  const std::chrono::milliseconds wait_;
  RecordMac mac_;
  std::unique_ptr<PadStream> pad_;  // null: the stream has ended
  bool begun_ = false;
};

}  // namespace ssn::provider
