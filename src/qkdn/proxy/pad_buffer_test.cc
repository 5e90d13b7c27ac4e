// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/pad_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace ssn::qkdn::proxy {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes Pad(std::uint64_t position, std::uint64_t length) {
  Bytes pad(length);
  for (std::uint64_t i = 0; i < length; ++i) pad[i] = static_cast<std::uint8_t>(1 + (position + i) * 7 % 251);
  return pad;
}

TEST(PadBuffer, GivesBackWhatWasAppended) {
  PadBuffer buffer(64);
  buffer.Append(Pad(0, 40));
  Bytes out(30);
  std::uint64_t burnt = 99;
  ASSERT_TRUE(buffer.Take(5, out, &burnt));
  EXPECT_EQ(5u, burnt);
  EXPECT_EQ(Pad(5, 30), out);
  EXPECT_EQ(5u, buffer.held());
  EXPECT_EQ(40u, buffer.end());
}

TEST(PadBuffer, RefusesARangeThatIsNotWhollyHeldAndKeepsEverything) {
  PadBuffer buffer(64);
  buffer.BurnBelow(10);
  buffer.Append(Pad(10, 20));
  const std::pair<std::uint64_t, std::size_t> ranges[] = {
      {9, 2}, {25, 6}, {30, 1}, {90, 1}, {~std::uint64_t{0}, 2}};
  for (const auto& [position, length] : ranges) {
    Bytes out(length);
    std::uint64_t burnt = 0;
    EXPECT_FALSE(buffer.Take(position, out, &burnt)) << position;
  }
  EXPECT_EQ(20u, buffer.held());
}

TEST(PadBuffer, GoingPastTheEndLeavesNothingToAppendBelow) {
  PadBuffer buffer(16);
  buffer.Append(Pad(0, 8));
  EXPECT_EQ(8u, buffer.BurnBelow(100));
  EXPECT_EQ(100u, buffer.begin());
  EXPECT_EQ(100u, buffer.end());
}

// Against the range it should hold, over random calls that go round the region many times.
TEST(PadBuffer, HoldsExactlyItsRangeWhateverIsTakenAndBurnt) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  PadBuffer buffer(200);
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  for (int step = 0; step < 50000; ++step) {
    const std::uint64_t position = begin + random() % (end - begin + 8);
    std::uint64_t burnt = 0;
    switch (random() % 4) {
      case 0: {
        const std::uint64_t length = random() % (200 - (end - begin) + 1);
        buffer.Append(Pad(end, length));
        end += length;
        break;
      }
      case 1: {
        Bytes out(random() % 40);
        const bool whole = position <= end && out.size() <= end - position;
        ASSERT_EQ(whole, buffer.Take(position, out, &burnt));
        if (!whole) break;
        ASSERT_EQ(Pad(position, out.size()), out);
        ASSERT_EQ(position - begin, burnt);
        begin = position + out.size();
        break;
      }
      case 2:
        ASSERT_EQ(std::min(position, end) - begin, buffer.BurnBelow(position));
        begin = position;
        end = std::max(end, position);
        break;
      case 3:
        ASSERT_EQ(end - std::min(position, end), buffer.BurnFrom(position));
        end = std::min(position, end);
        break;
    }
    ASSERT_EQ(begin, buffer.begin());
    ASSERT_EQ(end, buffer.end());
  }
}

TEST(PadBuffer, ResetBeginsAgainAtZero) {
  PadBuffer buffer(16);
  buffer.BurnBelow(100);
  buffer.Append(Pad(100, 16));
  EXPECT_EQ(16u, buffer.Reset());
  EXPECT_EQ(0u, buffer.begin());
  EXPECT_EQ(0u, buffer.end());
}

}  // namespace
}  // namespace ssn::qkdn::proxy
