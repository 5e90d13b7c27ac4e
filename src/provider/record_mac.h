// SPDX-License-Identifier: LGPL-2.1-or-later
// record_mac.h - the one-time MAC of the records of one stream: Poly1305 with r once for the stream and a
// fresh s for each record, both from its pad.
//
// Shapes:    a record takes 16 bytes of pad for s, the first one 16 more for r before that; then its data.
// Bound:     the tags hide r, and the first rejected record ends the stream, so there is one attempt for
//            each r: it succeeds with probability at most 8 * ceil(L / 16) / 2^106 for records of L bytes.
// Errors:    false when pad is not at hand, or OpenSSL failed; then the record has no tag.
// Ownership: keeps r, wiped at the end.
// Threads:   no locking of its own.
// Spec:      SESSION.md, "Records from 1 on".

#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "ssn/one_time_mac.h"
#include "ssn/pad_client.h"

namespace ssn::provider {

// Which stream, from which node to which.
struct StreamLabel {
  StreamId stream{};
  NodeId from = 0;
  NodeId to = 0;
};

class RecordMac {
 public:
  explicit RecordMac(const StreamLabel& label) : label_(label) {}
  ~RecordMac();

  // Pad that the next record takes beside its data.
  std::size_t KeyBytes() const noexcept { return has_r_ ? 16 : 32; }
  // Start takes the keys of the next record. REQUIRES: KeyBytes() of pad at hand.
  bool Start(PadStream& pad);
  bool Add(ByteSpan ciphertext);
  // Finish is the tag of this record.
  std::optional<OneTimeMacTag> Finish();

 private:
  const StreamLabel label_;
  OneTimeMacContext context_;
  std::array<std::uint8_t, kOneTimeMacKeyBytes> key_{};  // s is there only within Start
  bool has_r_ = false;
  std::uint64_t record_ = 0;  // the one under way; the first is 1
  PadEpoch epoch_{};
  std::uint64_t position_ = 0;  // of s
  std::uint64_t length_ = 0;
};

}  // namespace ssn::provider
