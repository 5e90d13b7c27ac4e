// SPDX-License-Identifier: LGPL-2.1-or-later
// otp_sender.h - the records that one direction of a session sends under one-time pad.
//
// Errors:    none that a caller sees. Without pad the rest of the stream is zeros under random tags: the peer
//            rejects it, and the session begins anew. Pad of a whole frame is set aside before a byte of it
//            is sent, so that a dry link burns no pad on parts of messages.
// Waits:     at most Options::wait of the client for each frame.
// Ownership: keeps its stream of pad; what of it is not used is burnt at the end.
// Threads:   one at a time.
// Spec:      SESSION.md, "Records from 1 on".

#pragma once

#include <chrono>
#include <memory>

#include "provider/record_mac.h"
#include "ssn/pad_client.h"

namespace ssn::provider {

class OtpSender {
 public:
  OtpSender(PadClient& client, const StreamLabel& label, std::chrono::milliseconds wait)
      : client_(client), label_(label), wait_(wait), mac_(label) {}

  void BeginRecord() noexcept { begun_ = false; }
  // Update encrypts the next piece. `in` and `out` are the same memory or do not overlap.
  void Update(ByteSpan in, MutableByteSpan out);
  void Finish(MutableByteSpan tag);
  // End: from here on everything is rejected.
  void End() noexcept;
  bool ended() const noexcept { return ended_; }

 private:
  void Begin(ByteSpan in);
  bool SetAside(ByteSpan in);

  PadClient& client_;
  const StreamLabel label_;
  const std::chrono::milliseconds wait_;
  RecordMac mac_;
  std::unique_ptr<PadStream> pad_;
  unsigned records_set_aside_ = 0;  // of the frame, not begun yet
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace ssn::provider
