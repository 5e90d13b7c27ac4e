// SPDX-License-Identifier: LGPL-2.1-or-later
// What a link does after a message for which there was no pad.
#include "qkdn/proxy/back_off.h"

#include <gtest/gtest.h>

#include "qkdn/proxy/link_fixture.h"

namespace ssn::qkdn::proxy {
namespace {

using north::Refusal;
using std::chrono::milliseconds;
using std::chrono::seconds;

class BackOffTest : public LinkTest {
 protected:
  // Session 90 takes what the reservoir has but `left` bytes for large requests; no key comes until Settle.
  TestSink& RunDownTo(std::uint64_t left) {
    OpenRx(1, Id(90));
    TestSink& bulk = OpenTx(0, Id(90));
    Ask(0, Id(90), 1, Tx(0).agreed() - settings.reserve - left);
    while (Deliver(0) || Deliver(1)) {
    }
    EXPECT_EQ(settings.reserve + left, Tx(0).agreed());
    return bulk;
  }
};

TEST_F(BackOffTest, AfterAMessageWithoutPadNewSessionsWaitUntilItWouldFit) {
  Connect();
  Settle();
  TestSink& bulk = RunDownTo(6000);
  OpenRx(1, Id(1));
  TestSink& open = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 10);
  Ask(0, Id(90), 2, 7000);
  while (Deliver(0) || Deliver(1)) {
  }
  network.now += seconds(2);
  nodes[0]->link->Tick();
  EXPECT_EQ(Refusal::kDry, bulk.refused.at(2));

  OpenRx(1, Id(2));
  TestSink& fresh = OpenTx(0, Id(2));
  Ask(0, Id(2), 1, 10);
  Ask(0, Id(1), 2, 10);
  while (Deliver(0) || Deliver(1)) {
  }
  EXPECT_EQ((std::vector<std::uint32_t>{1, 2}), open.done) << "a session that is open goes on";
  EXPECT_EQ(0u, fresh.pad.size());
  network.now += seconds(2);
  nodes[0]->link->Tick();
  EXPECT_EQ(Refusal::kDry, fresh.refused.at(1));

  Ask(0, Id(2), 3, 10);
  Settle();  // now there is key again
  EXPECT_EQ(std::vector<std::uint32_t>{3}, fresh.done);
  ExpectReconciled();
}

TEST_F(BackOffTest, ARequestThatIsHeldBackHasTheReservoirFilled) {
  Connect();
  Settle();
  const std::uint64_t left = settings.low + 100;
  TestSink& bulk = RunDownTo(left);
  ASSERT_GT(Tx(0).agreed(), settings.low) << "low enough for nobody to ask for key";
  nodes[0]->fetches.clear();
  Ask(0, Id(90), 2, left + 1);
  EXPECT_FALSE(nodes[0]->fetches.empty());
  Settle();
  EXPECT_EQ(2u, bulk.done.back());
  ExpectReconciled();
}

TEST(BackOff, WaitsForNoMoreThanAReservoirSurelyReaches) {
  const Clock::time_point now{};
  BackOff back_off;
  EXPECT_TRUE(back_off.Dry(15000, 16000, now));
  EXPECT_TRUE(back_off.Holds(14999, now));
  EXPECT_FALSE(back_off.Holds(15000, now));
  (void)back_off.Dry(15001, 16000, now);
  EXPECT_TRUE(back_off.Holds(14000, now));
  EXPECT_FALSE(back_off.Holds(14000, now + seconds(1)));
}

TEST_F(BackOffTest, AfterAMessageThatNeverFitsNewSessionsWaitASecond) {
  Connect();
  Settle();
  OpenTx(0, Id(1));
  Ask(0, Id(1), 1, ~std::uint64_t{0});
  TestSink& fresh = OpenTx(0, Id(2));
  Ask(0, Id(2), 1, 10);
  Settle();
  EXPECT_EQ(0u, fresh.pad.size());
  network.now += milliseconds(999);
  nodes[0]->link->Tick();
  Settle();
  EXPECT_EQ(0u, fresh.pad.size());
  network.now += milliseconds(1);
  nodes[0]->link->Tick();
  Settle();
  EXPECT_EQ(10u, fresh.pad.size());
}

TEST_F(BackOffTest, ARequestThatHasItsPadWaitsLongerForTheOtherEnd) {
  Connect();
  Settle();
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 10000);
  Settle();
  network.now += seconds(5);
  nodes[0]->link->Tick();
  EXPECT_TRUE(tx.refused.empty());
  OpenRx(1, Id(1));
  Settle();
  EXPECT_EQ(std::vector<std::uint32_t>{1}, tx.done);
  TestSink& never = OpenTx(0, Id(2));
  Ask(0, Id(2), 1, 10000);
  Settle();
  network.now += seconds(7);
  nodes[0]->link->Tick();
  EXPECT_EQ(Refusal::kDry, never.refused.at(1));
}

}  // namespace
}  // namespace ssn::qkdn::proxy
