// SPDX-License-Identifier: LGPL-2.1-or-later
// test_frames.h - msgr2.1 frames as Ceph makes them, for tests.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ssn::provider {

using Bytes = std::vector<std::uint8_t>;

// Slow, and unlike the table of msgr2_frame.cc.
inline std::uint32_t SlowCrc32c(const Bytes& bytes) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes) {
    value ^= byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (0x82F63B78u & (0u - (value & 1)));
  }
  return value;
}

inline Bytes Preamble(const std::vector<std::uint32_t>& segments, std::uint8_t tag = 17) {
  Bytes bytes{tag, static_cast<std::uint8_t>(segments.size())};
  const auto add = [&bytes](std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  };
  for (std::size_t i = 0; i < 4; ++i) {
    add(i < segments.size() ? segments[i] : 0, 4);
    add(i < segments.size() ? 8 : 0, 2);
  }
  add(0, 2);
  add(SlowCrc32c(bytes), 4);
  return bytes;
}

// The records of a frame with these segments, whose data begins with `fill` and counts up.
inline std::vector<Bytes> FrameRecords(const std::vector<std::uint32_t>& segments, std::uint8_t fill = 1) {
  const auto padded = [](std::uint32_t length) { return (std::size_t{length} + 15) / 16 * 16; };
  std::vector<Bytes> data;
  for (const std::uint32_t length : segments) {
    Bytes segment(padded(length));
    for (std::size_t i = 0; i < length; ++i) segment[i] = static_cast<std::uint8_t>(fill + i);
    data.push_back(segment);
  }
  Bytes first = Preamble(segments);
  const auto inlined = static_cast<std::ptrdiff_t>(std::min<std::size_t>(48, data[0].size()));
  first.insert(first.end(), data[0].begin(), data[0].begin() + inlined);
  first.resize(80);
  std::vector<Bytes> records{first};
  if (data[0].size() > 48) records.emplace_back(data[0].begin() + 48, data[0].end());
  if (segments.size() == 1) return records;
  Bytes last;
  for (std::size_t i = 1; i < data.size(); ++i) last.insert(last.end(), data[i].begin(), data[i].end());
  last.insert(last.end(), 16, std::uint8_t{0x0e});
  records.push_back(last);
  return records;
}

}  // namespace ssn::provider
