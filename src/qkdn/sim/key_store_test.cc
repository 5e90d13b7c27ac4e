// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/key_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ssn::qkdn::sim {
namespace {

std::string Id(std::uint64_t i) { return fmt::format("{:08x}-0000-4000-8000-{:012x}", i, i); }

class KeyStoreTest : public testing::Test {
 protected:
  // Keys i of which every byte is i.
  Status Put(std::uint64_t first, std::uint64_t count, std::size_t key_bytes = 32,
             const std::vector<std::string>& slaves = {"s"}, const std::string& master = "m") {
    KeySupply supply{master, slaves, {}, key_bytes};
    PooledSecret material(count * key_bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      supply.key_ids.push_back(Id(first + i));
      std::fill_n(material.data() + i * key_bytes, key_bytes, static_cast<std::uint8_t>(first + i));
    }
    return store_.Put(supply, std::move(material));
  }

  std::variant<etsi014::Keys, KeyStore::Refusal> Take(const std::vector<std::uint64_t>& numbers,
                                                      const std::string& slave = "s",
                                                      const std::string& master = "m") {
    std::vector<std::string> ids;
    for (const std::uint64_t number : numbers) ids.push_back(Id(number));
    return store_.Take(master, slave, ids);
  }

  void ExpectKeys(const std::vector<std::uint64_t>& numbers, const std::string& slave = "s",
                  std::size_t key_bytes = 32) {
    const auto taken = Take(numbers, slave);
    const auto* keys = std::get_if<etsi014::Keys>(&taken);
    ASSERT_NE(nullptr, keys);
    ASSERT_EQ(numbers.size(), keys->ids.size());
    ASSERT_EQ(numbers.size() * key_bytes, keys->material.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      EXPECT_EQ(Id(numbers[i]), keys->ids[i]);
      for (std::size_t k = 0; k < key_bytes; ++k)
        ASSERT_EQ(static_cast<std::uint8_t>(numbers[i]), keys->material.data()[i * key_bytes + k]);
    }
  }

  void ExpectRefusal(KeyStore::Refusal refusal, const std::vector<std::uint64_t>& numbers,
                     const std::string& slave = "s", const std::string& master = "m") {
    const auto taken = Take(numbers, slave, master);
    ASSERT_TRUE(std::holds_alternative<KeyStore::Refusal>(taken));
    EXPECT_EQ(refusal, std::get<KeyStore::Refusal>(taken));
  }

  KeyStore::Count CountOf(const std::string& slave) {
    for (const KeyStore::Count& count : store_.Counts()) {
      if (count.slave_sae_id == slave) return count;
    }
    return {};
  }

  double now_ = 0;
  KeyStore store_{100000, 60, [this] { return now_; }};
};

TEST_F(KeyStoreTest, KeysLeaveOnceInTheOrderAskedFor) {
  ASSERT_TRUE(Put(1, 5).ok());
  ExpectKeys({4, 1});
  ExpectRefusal(KeyStore::Refusal::kNotFound, {4});
  ExpectKeys({2, 3, 5});
  EXPECT_EQ(0u, CountOf("s").stored_keys);
  EXPECT_EQ(5u, CountOf("s").delivered_keys);
}

TEST_F(KeyStoreTest, SmallAndLargeBatchesMayBeMixedInOneRequest) {
  ASSERT_TRUE(Put(1, 2).ok());
  ASSERT_TRUE(Put(10, 1000).ok());
  ASSERT_TRUE(Put(3, 2).ok());
  ExpectKeys({3, 500, 1, 10, 1009});
  ExpectKeys({2, 4});
}

TEST_F(KeyStoreTest, AWholeLargeBatchLeavesAsItCame) {
  ASSERT_TRUE(Put(1, 3, 10000).ok());
  ExpectKeys({1, 2, 3}, "s", 10000);
  ASSERT_TRUE(Put(4, 3, 10000).ok()) << "its room is free again";
  ExpectKeys({6, 5, 4}, "s", 10000);
}

TEST_F(KeyStoreTest, TheLastOfTheBatchesThatShareMemoryIsNoMoreThanItself) {
  constexpr std::size_t kKeyBytes = 12000;  // five of them share 64 KiB
  for (std::uint64_t key = 1; key <= 6; ++key) ASSERT_TRUE(Put(key, 1, kKeyBytes).ok());
  for (std::uint64_t key = 1; key <= 6; ++key) ExpectKeys({key}, "s", kKeyBytes);
  ASSERT_TRUE(Put(7, 8, kKeyBytes).ok()) << "the room of all is free again";
}

TEST_F(KeyStoreTest, ARefusedRequestChangesNothing) {
  ASSERT_TRUE(Put(1, 3).ok());
  ExpectRefusal(KeyStore::Refusal::kNotFound, {1, 9});
  ExpectRefusal(KeyStore::Refusal::kNotFound, {1, 1});
  ExpectRefusal(KeyStore::Refusal::kNotFound, {});
  EXPECT_TRUE(std::holds_alternative<KeyStore::Refusal>(store_.Take("m", "s", {Id(1), "no-uuid"})));
  ExpectKeys({1, 2, 3});
}

TEST_F(KeyStoreTest, UpperCaseIdsAreTheSameIds) {
  ASSERT_TRUE(Put(0xab, 1).ok());
  std::string id = Id(0xab);
  for (char& c : id) c = static_cast<char>(std::toupper(c));
  EXPECT_TRUE(std::holds_alternative<etsi014::Keys>(store_.Take("m", "s", {id})));
}

TEST_F(KeyStoreTest, KeysOfAnotherPairAreNotYours) {
  ASSERT_TRUE(Put(1, 2).ok());
  ExpectRefusal(KeyStore::Refusal::kNotYours, {1}, "other");
  ExpectRefusal(KeyStore::Refusal::kNotYours, {1}, "s", "other master");
  ASSERT_TRUE(Put(5, 1, 32, {"other"}).ok());
  ExpectRefusal(KeyStore::Refusal::kNotYours, {5, 1}, "other");
  ExpectKeys({1, 2});
}

TEST_F(KeyStoreTest, EachSlaveHasACopyOfItsOwn) {
  ASSERT_TRUE(Put(1, 2, 32, {"s", "t"}).ok());
  ExpectKeys({1, 2});
  ExpectRefusal(KeyStore::Refusal::kNotYours, {1}, "u");
  ExpectKeys({2, 1}, "t");
  ExpectRefusal(KeyStore::Refusal::kNotFound, {1}, "t");
}

TEST_F(KeyStoreTest, KeysOfDifferentSizesAreNotMixed) {
  ASSERT_TRUE(Put(1, 1, 32).ok());
  ASSERT_TRUE(Put(2, 1, 64).ok());
  ExpectRefusal(KeyStore::Refusal::kMixedSizes, {1, 2});
  ExpectKeys({1});
}

TEST_F(KeyStoreTest, KeysExpireInTime) {
  ASSERT_TRUE(Put(1, 3).ok());
  now_ = 30;
  ASSERT_TRUE(Put(4, 2).ok());
  ExpectKeys({2});
  now_ = 60;
  ExpectRefusal(KeyStore::Refusal::kNotFound, {1});
  ExpectKeys({4});
  EXPECT_EQ(2u, CountOf("s").expired_keys);
  EXPECT_EQ(1u, CountOf("s").stored_keys);
  now_ = 90;
  store_.Expire();
  EXPECT_EQ(3u, CountOf("s").expired_keys);
  EXPECT_EQ(2u, CountOf("s").delivered_keys);
}

TEST_F(KeyStoreTest, AFullShelfTakesNothingAndTheOtherShelvesAreNotConcerned) {
  ASSERT_TRUE(Put(1, 3, 30000).ok());
  const Status status = Put(4, 1, 10001);
  EXPECT_EQ(Status::Code::kUnavailable, status.code());
  EXPECT_EQ("the key store of m for s is full: 90000 of 100000 bytes", status.message());
  EXPECT_FALSE(Put(4, 1, 10001, {"t", "s"}).ok());
  EXPECT_EQ(0u, CountOf("t").stored_keys) << "not even for the slave whose shelf has room";
  EXPECT_TRUE(Put(4, 1, 10000).ok());
  EXPECT_TRUE(Put(5, 1, 10001, {"t"}).ok());
}

TEST_F(KeyStoreTest, WhatDoesNotFitTogetherIsRefused) {
  ASSERT_TRUE(Put(1, 1).ok());
  EXPECT_EQ("a key_ID is here already", Put(1, 1).message());
  EXPECT_FALSE(store_.Put({"m", {"s"}, {Id(2)}, 32}, PooledSecret(31)).ok());
  EXPECT_FALSE(store_.Put({"m", {"s"}, {Id(2)}, 0}, PooledSecret()).ok());
  EXPECT_EQ("key_ID=\"x\" is not a UUID", store_.Put({"m", {"s"}, {"x"}, 32}, PooledSecret(32)).message());
}

}  // namespace
}  // namespace ssn::qkdn::sim
