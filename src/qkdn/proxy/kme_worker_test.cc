// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/kme_worker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <chrono>

#include "qkdn/proxy/link_io.h"
#include "qkdn/proxy/test_kmes.h"

namespace ssn::qkdn::proxy {
namespace {

using namespace std::chrono_literals;

class KmeWorkerTest : public ::testing::Test {
 protected:
  std::unique_ptr<KmeWorker> Worker(const std::string& own, const std::string& peer) {
    return std::make_unique<KmeWorker>(
        loop, [this, own]() -> Result<std::unique_ptr<etsi014::KmeClient>> { return kmes.Client(own); }, peer,
        KmeWorker::Events{
            [this](etsi014::Keys keys) { drawn.push_back(std::move(keys)); },
            [this](std::uint32_t batch, etsi014::Keys keys) { fetched[batch] = std::move(keys); },
            [this](const std::string& text) { warnings.push_back(text); }});
  }
  template <typename Condition>
  bool RunUntil(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      loop.restart();
      loop.run_for(5ms);
    }
    return condition();
  }
  etsi014::Keys Draw(std::uint64_t bytes) {
    sender->Fetch(bytes);
    EXPECT_TRUE(RunUntil([&] { return !drawn.empty(); }));
    etsi014::Keys keys = std::move(drawn.front());
    drawn.pop_front();
    return keys;
  }

  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(loop);
  TestKmes kmes;
  std::deque<etsi014::Keys> drawn;
  std::map<std::uint32_t, etsi014::Keys> fetched;
  std::vector<std::string> warnings;
  std::unique_ptr<KmeWorker> sender = Worker("a", "b");
  std::unique_ptr<KmeWorker> receiver = Worker("b", "a");
};

TEST_F(KmeWorkerTest, WhatOneSideDrawsTheOtherFetches) {
  const etsi014::Keys keys = Draw(kMaxBatchBytes);
  EXPECT_EQ(kMaxBatchBytes, keys.material.size());
  receiver->FetchWithIds(7, static_cast<std::uint32_t>(keys.key_bytes), keys.ids);
  ASSERT_TRUE(RunUntil([&] { return fetched.contains(7); }));
  EXPECT_EQ(keys.ids, fetched[7].ids);
  EXPECT_TRUE(std::ranges::equal(keys.material.span(), fetched[7].material.span()));
}

TEST_F(KmeWorkerTest, SmallOrdersAreJoinedToOneBatchAndFetchedInParts) {
  kmes.limits.max_key_size_bits = 256;
  kmes.limits.max_key_per_request = 10;
  const etsi014::Keys keys = Draw(100000);
  EXPECT_EQ(640u, keys.ids.size()) << "64 orders of 10 keys";
  EXPECT_EQ(640u * 32, keys.material.size());
  receiver->FetchWithIds(1, 32, keys.ids);
  ASSERT_TRUE(RunUntil([&] { return fetched.contains(1); }));
  EXPECT_TRUE(std::ranges::equal(keys.material.span(), fetched[1].material.span()));
}

TEST_F(KmeWorkerTest, BatchIsNeverSoSmallThatComparingItEatsIt) { EXPECT_EQ(1024u, Draw(1).material.size()); }

TEST_F(KmeWorkerTest, NumberOfKeysInABatchIsBounded) {
  kmes.limits.max_key_size_bits = 256;
  kmes.limits.max_key_per_request = 10000;
  EXPECT_EQ(sideways::kMaxKeysPerBatch, Draw(kMaxBatchBytes).ids.size());
}

TEST_F(KmeWorkerTest, StoreThatIsNearlyEmptyGivesWhatItHas) {
  kmes.stored_bytes = 3000;
  const etsi014::Keys keys = Draw(kMaxBatchBytes);
  EXPECT_GE(keys.material.size(), 2000u);
  EXPECT_LE(keys.material.size(), 3000u);
}

TEST_F(KmeWorkerTest, EmptyStoreIsWaitedForWithPausesThatGrow) {
  kmes.stored_bytes = 0;
  sender->Fetch(5000);
  const auto began = std::chrono::steady_clock::now();
  RunUntil([&] { return std::chrono::steady_clock::now() - began > 800ms; });
  EXPECT_TRUE(drawn.empty());
  EXPECT_GT(sender->errors(KmeSession::Action::kRetryLater), 2u);
  EXPECT_LT(kmes.calls, 50u);
  EXPECT_TRUE(warnings.empty()) << "an empty store is no fault: " << warnings[0];
  kmes.stored_bytes = 5000;
  EXPECT_TRUE(RunUntil([&] { return !drawn.empty(); }));
}

TEST_F(KmeWorkerTest, KmeThatDoesNotAnswerIsWarnedOfOnceAndAgainAfterItDid) {
  kmes.down = true;
  sender->Fetch(5000);
  ASSERT_TRUE(RunUntil([&] { return sender->errors(KmeSession::Action::kRetryLater) > 4; }));
  EXPECT_EQ(std::vector<std::string>{"KME: no connection"}, warnings);
  kmes.down = false;
  ASSERT_TRUE(RunUntil([&] { return !drawn.empty(); }));
  kmes.down = true;
  sender->Fetch(5000);
  EXPECT_TRUE(RunUntil([&] { return warnings.size() == 2; }));
}

TEST_F(KmeWorkerTest, AnswerThatCannotBeReadIsWarnedOf) {
  kmes.garbled = true;
  sender->Fetch(5000);
  ASSERT_TRUE(RunUntil([&] { return sender->errors(KmeSession::Action::kRetryLater) > 2; }));
  EXPECT_EQ(std::vector<std::string>{"KME: answer of 36 bytes is no key container"}, warnings);
  kmes.garbled = false;
  EXPECT_TRUE(RunUntil([&] { return !drawn.empty(); }));
}

TEST_F(KmeWorkerTest, RefusalIsWarnedOfOnceAndNotRepeatedAtOnce) {
  kmes.limits.max_key_per_request = 128;
  auto wrong = std::make_unique<KmeWorker>(
      loop,
      []() -> Result<std::unique_ptr<etsi014::KmeClient>> { return Status::InvalidArgument("no such file"); },
      "b",
      KmeWorker::Events{[](etsi014::Keys) {}, [](std::uint32_t, etsi014::Keys) {},
                        [this](const std::string& text) { warnings.push_back(text); }});
  wrong->Fetch(5000);
  ASSERT_TRUE(RunUntil([&] { return wrong->errors(KmeSession::Action::kRefused) == 1; }));
  const auto began = std::chrono::steady_clock::now();
  RunUntil([&] { return std::chrono::steady_clock::now() - began > 500ms; });
  EXPECT_EQ(1u, wrong->errors(KmeSession::Action::kRefused)) << "ten seconds between attempts";
  EXPECT_EQ(std::vector<std::string>{"KME: no such file"}, warnings);
}

TEST_F(KmeWorkerTest, FetchThatCannotSucceedAnswersWithoutKeys) {
  const etsi014::Keys keys = Draw(5000);
  receiver->FetchWithIds(1, static_cast<std::uint32_t>(keys.key_bytes), {"no-such-key"});
  receiver->FetchWithIds(2, 0, keys.ids);
  receiver->FetchWithIds(3, 0xffffffff, keys.ids);
  receiver->FetchWithIds(4, static_cast<std::uint32_t>(keys.key_bytes + 1), keys.ids);
  ASSERT_TRUE(RunUntil([&] { return fetched.size() == 4; }));
  for (const auto& [batch, got] : fetched) EXPECT_TRUE(got.ids.empty()) << batch;
}

TEST_F(KmeWorkerTest, DiscardedKeysAreTakenOutOfTheKmeEvenIfSomeAreGone) {
  kmes.limits.max_key_size_bits = 256;
  std::vector<std::string> ids = Draw(32000).ids;
  ids.insert(ids.begin() + 100, "gone-1");
  ids.insert(ids.begin() + 500, "gone-2");
  receiver->Discard(ids);
  EXPECT_TRUE(RunUntil([&] { return kmes.not_fetched() == 0; })) << kmes.not_fetched();
  EXPECT_TRUE(warnings.empty());
}

TEST_F(KmeWorkerTest, JobsThatPileUpBehindASilentKmeAreBounded) {
  kmes.down = true;
  for (std::uint32_t batch = 0; batch < 100; ++batch) receiver->FetchWithIds(batch, 32, {"key"});
  EXPECT_TRUE(RunUntil([&] { return fetched.size() >= 30; })) << "before the KME has said anything";
  const std::vector<std::string> ids(1000, "key");
  for (int i = 0; i < 200; ++i) receiver->Discard(ids);
  EXPECT_TRUE(RunUntil([&] {
    return std::ranges::any_of(
        warnings, [](const auto& text) { return text.find("1000 keys that nobody will use") == 0; });
  }));
}

TEST_F(KmeWorkerTest, StopIsQuickWhateverItWaitsFor) {
  kmes.down = true;
  sender->Fetch(5000);
  receiver->FetchWithIds(1, 32, {"key"});
  receiver->Discard({"key"});
  ASSERT_TRUE(RunUntil([&] { return sender->errors(KmeSession::Action::kRetryLater) > 3; }));
  const auto began = std::chrono::steady_clock::now();
  sender->Stop();
  receiver->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
  EXPECT_TRUE(drawn.empty());
}

}  // namespace
}  // namespace ssn::qkdn::proxy
