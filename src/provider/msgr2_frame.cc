// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/msgr2_frame.h"

namespace ssn::provider {
namespace {

constexpr std::size_t kMaxSegments = 4;
constexpr std::size_t kSegmentsAt = 2;
constexpr std::size_t kSegmentBytes = 6;  // length and alignment
constexpr std::size_t kChecksumAt = kPreambleBytes - 4;
constexpr std::uint64_t kInlineBytes = kFirstRecordBytes - kPreambleBytes;
constexpr std::uint64_t kEpilogueBytes = 16;

constexpr std::array<std::uint32_t, 256> MakeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82F63B78u : 0u);
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = MakeTable();

// CRC-32C as Ceph has it here: from 0, not inverted.
std::uint32_t Checksum(ByteSpan bytes) noexcept {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes) value = value >> 8 ^ kTable[(value ^ byte) & 0xFF];
  return value;
}

std::uint32_t Read32(ByteSpan bytes, std::size_t at) noexcept {
  return bytes[at] | static_cast<std::uint32_t>(bytes[at + 1]) << 8 |
         static_cast<std::uint32_t>(bytes[at + 2]) << 16 | static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

// Segments are filled up to whole blocks of AES.
std::uint64_t OnWire(std::uint32_t length) noexcept { return (std::uint64_t{length} + 15) / 16 * 16; }

}  // namespace

std::optional<Msgr2Frame> ParseFrame(ByteSpan record) noexcept {
  if (record.size() < kPreambleBytes) return std::nullopt;
  const std::size_t segments = record[1];
  if (segments == 0 || segments > kMaxSegments ||
      Checksum(record.first(kChecksumAt)) != Read32(record, kChecksumAt))
    return std::nullopt;
  const auto segment = [&](std::size_t i) { return OnWire(Read32(record, kSegmentsAt + i * kSegmentBytes)); };
  Msgr2Frame frame;
  frame.record_bytes[frame.num_records++] = kFirstRecordBytes;
  if (segment(0) > kInlineBytes) frame.record_bytes[frame.num_records++] = segment(0) - kInlineBytes;
  if (segments == 1) return frame;
  std::uint64_t& last = frame.record_bytes[frame.num_records++];
  last = kEpilogueBytes;
  for (std::size_t i = 1; i < segments; ++i) last += segment(i);
  return frame;
}

}  // namespace ssn::provider
