// SPDX-License-Identifier: LGPL-2.1-or-later
// pad_record.h - writes down the pad that is used, so that a test can decrypt what it captured. In the module
// that is built for tests only, under SSN_RECORD_PAD: there is no code of it in the other.
//
// Shapes:    file $SSN_RECORD_PAD/PID.pad. An entry: length u32 little-endian, stream id (16 bytes), the
//            first 32 bytes of the ciphertext, zeros after a shorter one, and `length` bytes of pad.
// Errors:    what cannot be written is not there.
// Threads:   any.

#pragma once

#include <vector>

#include "ssn/bytes.h"
#include "ssn/pad_client.h"

namespace ssn::provider {

class PadRecord {
 public:
  // Takes a copy: the ciphertext may be written over the plaintext.
  explicit PadRecord(ByteSpan plaintext) : pad_(plaintext.begin(), plaintext.end()) {}
  void Write(const StreamId& stream, ByteSpan ciphertext);

 private:
  std::vector<std::uint8_t> pad_;  // the plaintext, until Write
};

}  // namespace ssn::provider
