// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/pad_books.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ssn::tools {
namespace {

constexpr PadBooks::End kEnd{0, 0, 1};
constexpr PadEpoch kEpoch{1};

std::vector<std::uint8_t> RandomPad(std::size_t size) {
  static std::mt19937_64 random(std::random_device{}());
  std::vector<std::uint8_t> pad(size);
  for (auto& byte : pad) byte = static_cast<std::uint8_t>(random());
  return pad;
}

TEST(PadBooks, FreshPadAtFreshPositionsIsFine) {
  PadBooks books;
  for (std::uint64_t i = 0; i < 100; ++i) books.Enter(kEnd, kEpoch, i * 1000, RandomPad(1000));
  EXPECT_EQ("", books.findings());
  EXPECT_EQ(100000u, books.bytes());
}

TEST(PadBooks, AnyOverlapOfPositionsIsFound) {
  for (const std::uint64_t position : {0u, 99u, 150u, 199u}) {
    PadBooks books;
    books.Enter(kEnd, kEpoch, 100, RandomPad(100));
    books.Enter(kEnd, kEpoch, 300, RandomPad(100));
    books.Enter(kEnd, kEpoch, position, RandomPad(250));
    EXPECT_EQ("node 0, 0 to 1: position " + std::to_string(position) + " is used again\n", books.findings());
  }
}

TEST(PadBooks, TheSamePositionInAnotherEpochOrAtTheOtherEndIsFine) {
  PadBooks books;
  const auto pad = RandomPad(1000);
  books.Enter(kEnd, kEpoch, 0, pad);
  books.Enter({1, 0, 1}, kEpoch, 0, pad);
  books.Enter(kEnd, PadEpoch{2}, 0, RandomPad(1000));
  EXPECT_EQ("", books.findings());
}

TEST(PadBooks, TheSameBytesAnywhereElseAreFound) {
  PadBooks books;
  const auto pad = RandomPad(4096);
  books.Enter(kEnd, kEpoch, 0, pad);
  books.Enter(kEnd, PadEpoch{2}, 77, ByteSpan(pad).subspan(1001, 2000));
  EXPECT_NE(std::string::npos, books.findings().find("bytes of pad are used again"));
}

}  // namespace
}  // namespace ssn::tools
