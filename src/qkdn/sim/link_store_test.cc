// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/link_store.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace ssn::qkdn::sim {
namespace {

constexpr std::uint64_t kEpoch = 5;

// Bytes of which each says its position.
PooledSecret Stream(std::uint64_t start, std::size_t size) {
  PooledSecret bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes.data()[i] = static_cast<std::uint8_t>((start + i) % 251);
  return bytes;
}

void ExpectStream(std::uint64_t start, std::size_t size, ByteSpan bytes) {
  ASSERT_EQ(size, bytes.size());
  for (std::size_t i = 0; i < size; ++i) ASSERT_EQ((start + i) % 251, bytes[i]) << "at " << start + i;
}

class LinkStoreTest : public testing::Test {
 protected:
  LinkStoreTest() { store_.Reset(kEpoch); }

  Status Append(std::size_t size) {
    Status status = store_.Append({kEpoch, end_, Stream(end_, size)});
    end_ += size;
    return status;
  }

  LinkStore store_;
  std::uint64_t end_ = 0;
};

TEST_F(LinkStoreTest, TheSenderTakesTheStreamInOrder) {
  for (const std::size_t size : {10u, 5000u, 1u, 100000u, 4095u}) ASSERT_TRUE(Append(size).ok());
  std::uint64_t at = 0;
  for (const std::size_t size : {3u, 7u, 6000u, 50000u}) {
    const std::optional<LinkKey> key = store_.TakeNext(size);
    ASSERT_TRUE(key);
    EXPECT_EQ(at, key->start);
    ExpectStream(at, size, key->bytes.span());
    at += size;
  }
  EXPECT_EQ(end_ - at, store_.stored_bytes());
}

TEST_F(LinkStoreTest, TheStreamGoesOnBehindAChunkThatLeftWhole) {
  ASSERT_TRUE(Append(100).ok());
  ASSERT_TRUE(Append(5000).ok());
  ASSERT_TRUE(store_.TakeAt(kEpoch, 100, 5000).ok());
  ASSERT_TRUE(Append(50).ok());
  const Result<PooledSecret> key = store_.TakeAt(kEpoch, 5100, 50);
  ASSERT_TRUE(key.ok());
  ExpectStream(5100, 50, key.value().span());
}

TEST_F(LinkStoreTest, NothingIsTakenWhenThereIsTooLittle) {
  ASSERT_TRUE(Append(10).ok());
  EXPECT_FALSE(store_.TakeNext(11));
  EXPECT_FALSE(store_.TakeNext(0));
  EXPECT_EQ(10u, store_.stored_bytes());
  EXPECT_TRUE(store_.TakeNext(10));
  EXPECT_FALSE(store_.TakeNext(1));
}

TEST_F(LinkStoreTest, TheReceiverTakesRangesInAnyOrderAndEachOnce) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Append(1000).ok());
  for (const std::uint64_t start : {30000u, 10000u, 20000u, 0u, 40000u}) {
    const Result<PooledSecret> bytes = store_.TakeAt(kEpoch, start, 5000);
    ASSERT_TRUE(bytes.ok());
    ExpectStream(start, 5000, bytes.value().span());
    for (const auto& [again, size] : std::vector<std::pair<std::uint64_t, std::size_t>>{
             {start, 5000}, {start, 1}, {start + 4999, 1}, {start + 4999, 2}, {start + 2500, 5000}})
      EXPECT_EQ(Status::Code::kCorrupt, store_.TakeAt(kEpoch, again, size).status().code());
  }
  EXPECT_EQ(25000u, store_.stored_bytes());
  ExpectStream(5000, 5000, store_.TakeAt(kEpoch, 5000, 5000).value().span());
}

TEST_F(LinkStoreTest, RangesBeyondTheStreamOrOfAnotherEpochAreNotHeld) {
  ASSERT_TRUE(Append(100).ok());
  EXPECT_FALSE(store_.TakeAt(kEpoch, 50, 51).ok());
  EXPECT_FALSE(store_.TakeAt(kEpoch, 100, 1).ok());
  EXPECT_FALSE(store_.TakeAt(kEpoch, UINT64_MAX, 2).ok());
  EXPECT_FALSE(store_.TakeAt(kEpoch, 0, 0).ok());
  EXPECT_FALSE(store_.TakeAt(kEpoch + 1, 0, 1).ok());
  EXPECT_EQ(100u, store_.stored_bytes());
}

TEST_F(LinkStoreTest, AppendTakesOnlyWhatContinuesTheStream) {
  ASSERT_TRUE(Append(100).ok());
  EXPECT_EQ(Status::Code::kCorrupt, store_.Append({kEpoch, 99, Stream(99, 1)}).code());
  EXPECT_EQ(Status::Code::kCorrupt, store_.Append({kEpoch, 101, Stream(101, 1)}).code());
  EXPECT_EQ(Status::Code::kCorrupt, store_.Append({kEpoch + 1, 100, Stream(100, 1)}).code());
  EXPECT_EQ(100u, store_.stored_bytes());
}

TEST_F(LinkStoreTest, ResetDropsEverythingAndBeginsAtZero) {
  ASSERT_TRUE(Append(100).ok());
  store_.Reset(9);
  EXPECT_EQ(0u, store_.stored_bytes());
  EXPECT_FALSE(store_.TakeAt(kEpoch, 0, 1).ok());
  ASSERT_TRUE(store_.Append({9, 0, Stream(0, 10)}).ok());
  EXPECT_EQ(9u, store_.TakeNext(10)->epoch);
}

TEST_F(LinkStoreTest, AgainstASlowModelInManySteps) {
  std::vector<bool> held;
  std::uint32_t state = 1;
  const auto next = [&](std::uint32_t below) {
    return (state = state * 1664525u + 1013904223u) / 65536u % below;
  };
  for (int step = 0; step < 3000; ++step) {
    if (next(2) == 0) {
      const std::size_t size = next(3000);
      ASSERT_TRUE(Append(size).ok());
      held.insert(held.end(), size, true);
    } else if (!held.empty()) {
      const std::size_t start = next(static_cast<std::uint32_t>(held.size()));
      const std::size_t size = 1 + next(2000);
      bool all = start + size <= held.size();
      for (std::size_t i = start; all && i < start + size; ++i) all = held[i];
      const Result<PooledSecret> taken = store_.TakeAt(kEpoch, start, size);
      ASSERT_EQ(all, taken.ok()) << "step " << step;
      if (!all) continue;
      ExpectStream(start, size, taken.value().span());
      std::fill_n(held.begin() + static_cast<std::ptrdiff_t>(start), size, false);
    }
    ASSERT_EQ(static_cast<std::uint64_t>(std::count(held.begin(), held.end(), true)), store_.stored_bytes());
  }
}

}  // namespace
}  // namespace ssn::qkdn::sim
