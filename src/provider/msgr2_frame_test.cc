// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/msgr2_frame.h"

#include <gtest/gtest.h>

#include "provider/test_frames.h"

namespace ssn::provider {
namespace {

TEST(Msgr2Frame, TellsTheLengthsOfAllRecords) {
  const std::vector<std::vector<std::uint32_t>> frames = {{0},
                                                          {1},
                                                          {32},
                                                          {48},
                                                          {49},
                                                          {64},
                                                          {65},
                                                          {1000},
                                                          {41, 0, 0, 17},
                                                          {41, 100, 0, 4194304},
                                                          {49, 1},
                                                          {48, 16, 16, 16},
                                                          {200, 0, 0, 90u << 20},
                                                          {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}};
  for (const auto& segments : frames) {
    SCOPED_TRACE(segments[0]);
    const auto frame = ParseFrame(Preamble(segments));
    ASSERT_TRUE(frame.has_value());
    if (segments[0] == 0xFFFFFFFF) {
      EXPECT_EQ(80u + (1ull << 32) - 48 + 3 * (1ull << 32) + 16, frame->bytes());
      continue;
    }
    const std::vector<Bytes> records = FrameRecords(segments);
    ASSERT_EQ(records.size(), frame->num_records);
    for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].size(), frame->record_bytes[i]);
    EXPECT_TRUE(ParseFrame(records[0]).has_value()) << "what follows the preamble does not matter";
  }
}

// The checksum of nine digits, as everybody has it but from 0 and not inverted.
TEST(Msgr2Frame, TheChecksumOfTheTestsIsCrc32c) {
  EXPECT_EQ(0x58E3FA20u, SlowCrc32c({'1', '2', '3', '4', '5', '6', '7', '8', '9'}));
}

TEST(Msgr2Frame, AnyChangedBitIsNoPreamble) {
  const Bytes good = Preamble({41, 100, 0, 4194304});
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(ParseFrame(bad).has_value()) << "bit " << bit;
  }
}

TEST(Msgr2Frame, NumbersOfSegmentsCephDoesNotWriteAreNoPreamble) {
  for (const int number : {0, 5, 255}) {
    Bytes bad = Preamble({1, 1});
    bad[1] = static_cast<std::uint8_t>(number);
    bad.resize(28);
    const std::uint32_t sum = SlowCrc32c(bad);
    for (int i = 0; i < 4; ++i) bad.push_back(static_cast<std::uint8_t>(sum >> 8 * i));
    EXPECT_FALSE(ParseFrame(bad).has_value()) << number;
  }
}

TEST(Msgr2Frame, WhatIsTooShortIsNoPreamble) {
  const Bytes good = Preamble({32});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(ParseFrame(ByteSpan(good).first(size)).has_value());
}

}  // namespace
}  // namespace ssn::provider
