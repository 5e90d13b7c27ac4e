// SPDX-License-Identifier: LGPL-2.1-or-later
// msgr2_frame.h - what the first record of a msgr2.1 frame says of all its records.
//
// In `secure` mode a frame is one to three records, each encrypted and authenticated by itself: preamble and
// beginning of the first segment; rest of the first segment; all other segments and the epilogue. The
// preamble has the lengths of all segments.
//
// Shapes:    bytes of plaintext; authentication tags are not counted.
// Errors:    nothing is said of bytes that are no preamble: wrong checksum, or numbers Ceph would not write.
// Threads:   pure functions.
// Spec:      Ceph 16.2.15, src/msg/async/frames_v2.h: preamble_block_t, asm_secure_rev1.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "ssn/bytes.h"

namespace ssn::provider {

inline constexpr std::size_t kPreambleBytes = 32;
inline constexpr std::size_t kFirstRecordBytes = kPreambleBytes + 48;  // of every frame

struct Msgr2Frame {
  std::array<std::uint64_t, 3> record_bytes{};
  unsigned num_records = 0;

  std::uint64_t bytes() const noexcept { return record_bytes[0] + record_bytes[1] + record_bytes[2]; }
};

// ParseFrame reads the preamble at the beginning of `record`; what follows it is not looked at.
std::optional<Msgr2Frame> ParseFrame(ByteSpan record) noexcept;

}  // namespace ssn::provider
