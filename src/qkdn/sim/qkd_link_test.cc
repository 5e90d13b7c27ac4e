// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/qkd_link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "qkdn/sim/units.h"

namespace ssn::qkdn::sim {
namespace {

class QkdLinkTest : public testing::Test {
 protected:
  QkdLinkTest() : random_(OpenRandomSource("kernel").value()) {
    config_.name = "a-b";
    config_.ends = {"a", "b"};
    config_.rate_bits_per_s = 8000;  // 1000 bytes a second
    config_.buffer_bytes = 10000;
  }

  std::unique_ptr<QkdLink> Make(std::array<bool, 2> local = {true, true}, RemoteModule* remote = nullptr) {
    return std::make_unique<QkdLink>(config_, local, remote, *random_, [this] { return now_; });
  }

  static void ExpectEqual(ByteSpan a, ByteSpan b) { EXPECT_TRUE(std::ranges::equal(a, b)); }

  LinkConfig config_;
  std::shared_ptr<RandomSource> random_;
  double now_ = 0;
};

TEST_F(QkdLinkTest, BothEndsHoldEqualBits) {
  config_.rate_bits_per_s = kUnlimited;
  const auto link = Make();
  for (const int end : {0, 1}) {
    for (const std::size_t size : {1u, 32u, 100000u}) {
      const Result<LinkKey> sent = link->Draw(end, size);
      ASSERT_TRUE(sent.ok());
      const LinkKey& key = sent.value();
      const Result<PooledSecret> received = link->Take(1 - end, key.epoch, key.start, size);
      ASSERT_TRUE(received.ok());
      ExpectEqual(key.bytes.span(), received.value().span());
      EXPECT_FALSE(link->Take(1 - end, key.epoch, key.start, size).ok()) << "a byte is handed out once";
    }
  }
}

TEST_F(QkdLinkTest, TheTwoDirectionsUseDifferentBits) {
  config_.rate_bits_per_s = kUnlimited;
  const auto link = Make();
  const Result<LinkKey> there = link->Draw(0, 32);
  const Result<LinkKey> back = link->Draw(1, 32);
  EXPECT_FALSE(std::ranges::equal(there.value().bytes.span(), back.value().bytes.span()));
}

TEST_F(QkdLinkTest, TimeMakesKeyAtTheRateOfTheLinkSharedByBothDirections) {
  const auto link = Make();
  EXPECT_FALSE(link->Draw(0, 1).ok());
  now_ = 3;
  ASSERT_TRUE(link->Advance().ok());
  EXPECT_EQ(3000u, link->counters().produced_bytes);
  EXPECT_EQ(1500u, link->Sendable(0));
  EXPECT_EQ(1500u, link->Sendable(1));
  ASSERT_TRUE(link->Draw(0, 1000).ok());
  now_ = 4;
  ASSERT_TRUE(link->Advance().ok());
  EXPECT_EQ(1500u, link->Sendable(0)) << "what is scarcer is made first";
  EXPECT_EQ(1500u, link->Sendable(1));
}

TEST_F(QkdLinkTest, OneDirectionAloneGetsTheWholeRate) {
  const auto link = Make();
  std::uint64_t drawn = 0;
  for (now_ = 0; now_ < 110; now_ += 0.1) {
    while (link->Draw(0, 100).ok()) drawn += 100;
  }
  EXPECT_NEAR(110000, static_cast<double>(drawn), 600);
}

TEST_F(QkdLinkTest, TheBufferIsNeverExceeded) {
  const auto link = Make();
  now_ = 1000;
  ASSERT_TRUE(link->Advance().ok());
  EXPECT_EQ(5000u, link->Sendable(0));
  EXPECT_EQ(5000u, link->Sendable(1));
  now_ = 2000;
  ASSERT_TRUE(link->Advance().ok());
  EXPECT_EQ(10000u, link->counters().produced_bytes);
}

TEST_F(QkdLinkTest, WhatIsMissingIsSaid) {
  const auto link = Make();
  now_ = 1;
  EXPECT_EQ("link a-b has 500 bytes of key, not 501", link->Draw(0, 501).status().message());
  EXPECT_TRUE(link->Draw(0, 500).ok());
}

TEST_F(QkdLinkTest, NothingIsMadeOrUsedWhileALinkIsDown) {
  config_.schedule.outages = {{1, 2}};
  const auto link = Make();
  now_ = 1.5;
  EXPECT_FALSE(link->up());
  EXPECT_EQ("link a-b is down", link->Draw(0, 1).status().message());
  now_ = 2.5;
  ASSERT_TRUE(link->Advance().ok());
  EXPECT_EQ(1500u, link->counters().produced_bytes);
  link->ForceUp(false);
  now_ = 5;
  EXPECT_FALSE(link->Draw(0, 1).ok());
  ASSERT_TRUE(link->Advance().ok());
  link->ForceUp(true);
  now_ = 6;
  ASSERT_TRUE(link->Advance().ok());
  EXPECT_EQ(2500u, link->counters().produced_bytes);
}

TEST_F(QkdLinkTest, BurstsOfErrorsAreDiscarded) {
  config_.schedule.error_probability = 1;
  const auto link = Make();
  now_ = 2;
  ASSERT_TRUE(link->Advance().ok());
  EXPECT_EQ(0u, link->counters().produced_bytes);
  EXPECT_EQ(2000u, link->counters().discarded_bytes);
  config_.rate_bits_per_s = kUnlimited;
  EXPECT_EQ("link a-b: the error rate is over the limit", Make()->Draw(0, 32).status().message());
}

// Two processes of one link, joined by calls; `lost` makes deliveries fail.
class Joined : public RemoteModule {
 public:
  Status Deliver(const QkdKey& block) override {
    if (lost) return Status::Unavailable("lost");
    return far->OnDeliver({block.link,
                           block.from_end,
                           {block.key.epoch, block.key.start, PooledSecret(block.key.bytes.span())}});
  }
  Status Want(const std::string&, std::uint64_t epoch, std::uint64_t size) override {
    return far->OnWant(epoch, size);
  }

  QkdLink* far = nullptr;
  bool lost = false;
};

class SplitLinkTest : public QkdLinkTest {
 protected:
  void Begin() {
    a_ = Make({true, false}, &to_b_);
    b_ = Make({false, true}, &to_a_);
    to_a_.far = a_.get();
    to_b_.far = b_.get();
  }

  bool Passes(QkdLink& from, int end, QkdLink& to) {
    const Result<LinkKey> sent = from.Draw(end, 64);
    if (!sent.ok()) return false;
    const Result<PooledSecret> received = to.Take(1 - end, sent.value().epoch, sent.value().start, 64);
    if (!received.ok()) return from.Resynchronise(sent.value().epoch), false;
    return std::ranges::equal(sent.value().bytes.span(), received.value().span());
  }

  Joined to_a_, to_b_;
  std::unique_ptr<QkdLink> a_, b_;
};

TEST_F(SplitLinkTest, EndsInTwoProcessesHoldEqualBits) {
  for (const std::uint64_t rate : {std::uint64_t{8000}, kUnlimited}) {
    config_.rate_bits_per_s = rate;
    Begin();
    now_ += 5;
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(Passes(*a_, 0, *b_)) << rate;
      EXPECT_TRUE(Passes(*b_, 1, *a_)) << rate;
    }
  }
}

TEST_F(SplitLinkTest, ALostDeliveryDropsTheKeyOfBothEndsAndTheyBeginAnew) {
  Begin();
  now_ = 1;
  ASSERT_TRUE(a_->Advance().ok());
  to_b_.lost = true;
  now_ = 2;
  EXPECT_FALSE(a_->Advance().ok());
  EXPECT_EQ(0u, a_->Sendable(0));
  EXPECT_EQ(1u, a_->counters().restarts);
  to_b_.lost = false;
  now_ = 3;
  ASSERT_TRUE(a_->Advance().ok());
  EXPECT_EQ(a_->Stored(0), b_->Stored(0));
  EXPECT_TRUE(Passes(*a_, 0, *b_));
  EXPECT_TRUE(Passes(*b_, 1, *a_));
}

TEST_F(SplitLinkTest, AfterARestartOfOneProcessTheEndsFindEachOtherAgain) {
  Begin();
  now_ = 5;
  ASSERT_TRUE(Passes(*a_, 0, *b_));
  b_ = Make({false, true}, &to_a_);
  to_b_.far = b_.get();
  now_ = 6;
  EXPECT_FALSE(Passes(*a_, 0, *b_)) << "the new end 1 holds nothing";
  now_ = 7;
  EXPECT_TRUE(Passes(*a_, 0, *b_));
  EXPECT_TRUE(Passes(*b_, 1, *a_));
  a_ = Make({true, false}, &to_b_);
  to_a_.far = a_.get();
  now_ = 8;
  EXPECT_FALSE(Passes(*b_, 1, *a_)) << "end 1 sends under the old epoch";
  now_ = 9;
  EXPECT_TRUE(Passes(*b_, 1, *a_));
  EXPECT_TRUE(Passes(*a_, 0, *b_));
}

TEST_F(SplitLinkTest, MessagesForTheWrongEndAreRefused) {
  Begin();
  EXPECT_FALSE(a_->OnDeliver({"a-b", 0, {1, 0, PooledSecret(8)}}).ok());
  EXPECT_FALSE(b_->OnWant(1, 8).ok());
  EXPECT_FALSE(a_->OnWant(0, std::uint64_t{1} << 40).ok());
  EXPECT_EQ(Status::Code::kCorrupt, b_->OnDeliver({"a-b", 0, {1, 7, PooledSecret(8)}}).code());
}

}  // namespace
}  // namespace ssn::qkdn::sim
