// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/pooled_secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <vector>

namespace ssn::qkdn::sim {
namespace {

bool AllZero(ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

TEST(PooledSecret, PagesComeBackWiped) {
  const std::uint8_t* first = nullptr;
  {
    PooledSecret secret(5001);
    first = secret.data();
    std::fill_n(secret.data(), secret.size(), std::uint8_t{0xA5});
  }
  const PooledSecret again(5001);
  EXPECT_EQ(first, again.data());
  EXPECT_TRUE(AllZero(again.span()));
}

TEST(PooledSecret, EveryHolderHasPagesOfItsOwnAndItsSize) {
  const PooledSecret a(100);
  const PooledSecret b(100);
  const PooledSecret c(101);
  EXPECT_NE(a.data(), b.data());
  EXPECT_NE(a.data(), c.data());
  EXPECT_EQ(101u, c.size());
  EXPECT_EQ(0u, PooledSecret().size());
  EXPECT_EQ(0u, PooledSecret(std::size_t{0}).size());
}

TEST(PooledSecret, MovingAndCopyingKeepTheBytes) {
  const std::vector<std::uint8_t> bytes = {1, 2, 3};
  PooledSecret secret{ByteSpan(bytes)};
  PooledSecret moved(std::move(secret));
  EXPECT_TRUE(std::ranges::equal(bytes, moved.span()));
  PooledSecret target(7);
  target = std::move(moved);
  EXPECT_TRUE(std::ranges::equal(bytes, target.span()));
  const SecretBytes released = std::move(target).Release();
  EXPECT_TRUE(std::ranges::equal(bytes, released.span()));
  EXPECT_EQ(0u, target.size());  // NOLINT(bugprone-use-after-move): the contract is an empty object
}

std::size_t ResidentBytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * 4096;
}

TEST(PooledSecret, WhatIsKeptIsBounded) {
  const std::size_t before = ResidentBytes();
  // Ever other sizes, each given back: far more in sum than the pool keeps.
  for (std::size_t i = 0; i < 150; ++i) PooledSecret((std::size_t{1} << 20) + i);
  EXPECT_LT(ResidentBytes(), before + (std::size_t{80} << 20));
}

}  // namespace
}  // namespace ssn::qkdn::sim
