// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/repeated_keys.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ssn::qkdn::proxy {
namespace {

RepeatedKeys Memory() {
  SecretBytes point(32);
  std::generate(point.span().begin(), point.span().end(),
                [n = 0]() mutable { return static_cast<std::uint8_t>(n += 37); });
  return RepeatedKeys(std::move(point));
}

etsi014::Keys Key(const std::string& id, std::uint64_t value) {
  etsi014::Keys keys;
  keys.ids = {id};
  keys.key_bytes = 32;
  keys.material = SecretBytes(32);
  for (int i = 0; i < 8; ++i) keys.material.data()[i] = static_cast<std::uint8_t>(value >> 8 * i);
  return keys;
}

TEST(RepeatedKeys, NewKeysPass) {
  auto memory = Memory();
  for (std::uint64_t i = 0; i < 5000; ++i) ASSERT_FALSE(memory.Check(Key("id-" + std::to_string(i), i)));
}

TEST(RepeatedKeys, TheSameBytesUnderANewIdAreNoticed) {
  auto memory = Memory();
  EXPECT_FALSE(memory.Check(Key("a", 1)));
  EXPECT_TRUE(memory.Check(Key("b", 1)));
}

TEST(RepeatedKeys, TheSameIdWithNewBytesIsNoticed) {
  auto memory = Memory();
  EXPECT_FALSE(memory.Check(Key("a", 1)));
  EXPECT_TRUE(memory.Check(Key("a", 2)));
}

TEST(RepeatedKeys, ARepetitionWithinOneBatchIsNoticed) {
  auto memory = Memory();
  etsi014::Keys keys = Key("a", 1);
  keys.ids.push_back("b");
  keys.material = SecretBytes(64);
  EXPECT_TRUE(memory.Check(keys));
}

TEST(RepeatedKeys, TheOldestAreForgotten) {
  auto memory = Memory();
  for (std::uint64_t i = 0; i <= RepeatedKeys::kLimit; ++i)
    ASSERT_FALSE(memory.Check(Key("id-" + std::to_string(i), i)));
  EXPECT_FALSE(memory.Check(Key("new id", 0)));
  EXPECT_TRUE(memory.Check(Key("another id", RepeatedKeys::kLimit)));
}

}  // namespace
}  // namespace ssn::qkdn::proxy
