// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/link.h"

#include <gtest/gtest.h>

#include "qkdn/proxy/link_fixture.h"

namespace ssn::qkdn::proxy {
namespace {

using north::Refusal;
using north::StreamKind;
using std::chrono::seconds;

TEST_F(LinkTest, BothEndsHoldTheSamePadUpToTheHighMark) {
  Connect();
  Settle();
  for (NodeId id : {0u, 1u}) {
    EXPECT_GE(Tx(id).agreed(), settings.high - 2048);
    EXPECT_LE(Tx(id).agreed(), settings.capacity);
    EXPECT_EQ(Tx(id).agreed(), Rx(1 - id).agreed());
  }
  EXPECT_EQ(0u, kme.left_over());
  EXPECT_EQ(0u, violations);
  ExpectReconciled();
}

// As on a slow link: the store gives little at a time, and the other end's KME takes its time.
TEST_F(LinkTest, FewBatchesAreUnderWayHoweverSmallTheyAre) {
  kme.most_bytes = 128;
  Connect();
  while (Deliver(0) || Deliver(1)) {
  }
  for (int i = 0; i < 100; ++i) {
    if (!nodes[0]->fetches.empty()) nodes[0]->AnswerFetch();
    while (Deliver(1)) {
    }
    nodes[0]->link->Tick();
  }
  EXPECT_EQ(kMaxBatches, nodes[1]->fetches_with_ids.size());
  Settle();
  EXPECT_EQ(0u, violations);
  EXPECT_GE(Tx(0).agreed(), settings.high - 2048);
  ExpectReconciled();
}

TEST_F(LinkTest, AStreamHasTheSamePadAtBothEnds) {
  Connect();
  Settle();
  TestSink& rx = OpenRx(1, Id(1));
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 7, 10000);
  EXPECT_TRUE(tx.pad.empty()) << "granted before it was acknowledged";
  Settle();
  EXPECT_EQ(std::vector<std::uint32_t>{7}, tx.done);
  EXPECT_EQ(10000u, tx.pad.size());
  EXPECT_EQ(tx.pad, rx.pad);
  ExpectReconciled();
}

TEST_F(LinkTest, UntilTheOtherEndHasOpenedTheStreamOnlyAFirstSmallGrantIsMade) {
  Connect();
  Settle();
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 10000);
  Settle();
  EXPECT_EQ(kFirstGrantBytes, tx.pad.size());
  EXPECT_TRUE(tx.done.empty());
  TestSink& rx = OpenRx(1, Id(1));
  Settle();
  EXPECT_EQ(std::vector<std::uint32_t>{1}, tx.done);
  EXPECT_EQ(10000u, tx.pad.size());
  EXPECT_EQ(tx.pad, rx.pad);
  ExpectReconciled();
}

TEST_F(LinkTest, ARequestThatCannotBeServedWholeSpendsNothing) {
  Connect();
  Settle();
  OpenRx(1, Id(1));
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 30000);
  while (Deliver(0) || Deliver(1)) {  // no fetch is answered from here on
  }
  ASSERT_EQ(30000u, tx.pad.size());
  const std::uint64_t left = Tx(0).agreed();
  Ask(0, Id(1), 2, left);
  while (Deliver(0) || Deliver(1)) {
  }
  network.now += seconds(2);
  nodes[0]->link->Tick();
  EXPECT_EQ(Refusal::kDry, tx.refused.at(2));
  EXPECT_EQ(left, Tx(0).agreed());
}

TEST_F(LinkTest, ARequestThatDoesNotWaitIsAnsweredAtOnce) {
  Connect();
  Settle();
  TestSink& tx = OpenTx(0, Id(1));
  Cut();
  nodes[0]->link->Request(Id(1), {5, 10, 10, network.now});
  EXPECT_EQ(Refusal::kLinkDown, tx.refused.at(5));
}

TEST_F(LinkTest, ARequestForMoreThanTheLinkEverHoldsIsRefusedAtOnce) {
  Connect();
  Settle();
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 2, settings.high - settings.reserve + 1);
  EXPECT_EQ(Refusal::kTooLarge, tx.refused.at(2));
  Ask(0, Id(1), 3, ~std::uint64_t{0});
  EXPECT_EQ(Refusal::kTooLarge, tx.refused.at(3));
}

TEST_F(LinkTest, BulkLeavesTheReserveToSmallRequests) {
  Connect();
  Settle();
  OpenRx(1, Id(1));
  TestSink& bulk = OpenTx(0, Id(1));
  const std::uint64_t agreed = Tx(0).agreed();
  Ask(0, Id(1), 1, agreed - settings.reserve);
  while (Deliver(0) || Deliver(1)) {  // no fetch is answered: the reservoir runs down
  }
  ASSERT_EQ(std::vector<std::uint32_t>{1}, bulk.done);
  ASSERT_EQ(settings.reserve, Tx(0).agreed());
  Ask(0, Id(1), 2, kSmallRequestBytes + 1);
  OpenRx(1, Id(2));
  TestSink& small = OpenTx(0, Id(2));
  Ask(0, Id(2), 3, 100, 100000);
  while (Deliver(0) || Deliver(1)) {
  }
  EXPECT_EQ(std::vector<std::uint32_t>{3}, small.done);
  EXPECT_EQ(100u, small.pad.size()) << "what is wanted beyond the need must not come from the reserve";
  network.now += seconds(2);
  nodes[0]->link->Tick();
  EXPECT_EQ(Refusal::kDry, bulk.refused.at(2));
  Settle();
  ExpectReconciled();
}

TEST_F(LinkTest, KeysThatDifferAreBurntAtBothEndsAndTheNextOnesServe) {
  kme.differ = true;
  Connect();
  Settle();
  EXPECT_EQ(nodes[0]->tx.burnt(BurnReason::kDisagreed) + nodes[1]->tx.burnt(BurnReason::kDisagreed),
            nodes[1]->rx.burnt(BurnReason::kDisagreed) + nodes[0]->rx.burnt(BurnReason::kDisagreed));
  EXPECT_GT(nodes[0]->tx.burnt(BurnReason::kDisagreed) + nodes[1]->tx.burnt(BurnReason::kDisagreed), 0u);
  Pass(seconds(1));
  EXPECT_GE(Tx(0).agreed(), settings.high - 2048);
  EXPECT_GE(Tx(1).agreed(), settings.high - 2048);
  EXPECT_EQ(0u, violations);
  ExpectReconciled();
}

TEST_F(LinkTest, KeysThatTheOtherEndCannotFetchAreBurnt) {
  kme.lose = true;
  Connect();
  Settle();
  EXPECT_GT(nodes[0]->tx.burnt(BurnReason::kNotFetched) + nodes[1]->tx.burnt(BurnReason::kNotFetched), 0u);
  Pass(seconds(1));
  EXPECT_GE(Tx(0).agreed(), settings.high - 2048);
  ExpectReconciled();
}

TEST_F(LinkTest, KeyBytesThatComeAgainAreBurnt) {
  Connect();
  Settle();
  kme.repeat = true;
  OpenRx(1, Id(1));
  OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 36000);
  Settle();
  EXPECT_GT(nodes[0]->tx.burnt(BurnReason::kRepeated), 0u);
  Pass(seconds(1));
  EXPECT_GE(Tx(0).agreed(), settings.low);
  EXPECT_EQ(0u, kme.left_over());
  ExpectReconciled();
}

TEST_F(LinkTest, AStreamIdServesOnceInEachDirection) {
  Connect();
  Settle();
  TestSink& tx = OpenTx(0, Id(1));
  OpenRx(0, Id(1));
  EXPECT_EQ(StreamOpening::kExists, nodes[0]->link->OpenToTransmit(Id(1), StreamKind::kSession, tx));
  EXPECT_EQ(StreamOpening::kExists, nodes[0]->link->OpenToReceive(Id(1), StreamKind::kSession, tx));
  nodes[0]->link->CloseToTransmit(Id(1));
  EXPECT_EQ(StreamOpening::kExists, nodes[0]->link->OpenToTransmit(Id(1), StreamKind::kSession, tx));
}

// The KME gives larger batches than it was asked for: the last one does not fit any more.
TEST_F(LinkTest, ABatchWhoseRoomIsTakenIsAppendedWhenSomeIsUsed) {
  kme.key_bytes = 24 << 10;
  settings.low = settings.high;
  StartNode(0);
  StartNode(1);
  Connect();
  Settle();
  ASSERT_EQ(Tx(0).agreed(), Rx(1).agreed());
  ASSERT_GT(Tx(0).held(), settings.capacity) << "one batch waits";
  OpenRx(1, Id(1));
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 30000);
  Settle();
  EXPECT_EQ(30000u, tx.pad.size());
  EXPECT_EQ(0u, nodes[0]->tx.burnt(BurnReason::kDisagreed) + nodes[0]->tx.burnt(BurnReason::kNoRoom));
  EXPECT_TRUE(nodes[0]->warnings.empty()) << nodes[0]->warnings.front();
  EXPECT_EQ(Tx(0).agreed(), Rx(1).agreed());
  EXPECT_EQ(0u, violations);
  ExpectReconciled();
}

TEST_F(LinkTest, ABatchLargerThanTheReservoirIsBurntUnderItsOwnNameAndThereIsAPause) {
  kme.key_bytes = 65 << 10;
  Connect();
  Settle();
  EXPECT_GT(nodes[0]->tx.burnt(BurnReason::kNoRoom), 0u);
  EXPECT_EQ(nodes[0]->tx.burnt(BurnReason::kNoRoom), nodes[1]->rx.burnt(BurnReason::kNoRoom));
  EXPECT_EQ(0u, nodes[0]->tx.burnt(BurnReason::kDisagreed) + nodes[1]->rx.burnt(BurnReason::kDisagreed));
  EXPECT_EQ("a batch of 66528 bytes is more than the 65536 bytes that both ends can hold: it is burnt",
            nodes[0]->warnings.at(0));
  EXPECT_LE(nodes[0]->warnings.size(), 4u) << "of either direction, while no time passes";
  ExpectReconciled();
}

TEST_F(LinkTest, AStreamThatNobodyOpensIsBurntInTheEnd) {
  Connect();
  Settle();
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 100);
  Settle();
  EXPECT_EQ(1u, Rx(1).unopened());
  Pass(settings.session_patience);
  EXPECT_EQ(0u, Rx(1).unopened());
  EXPECT_EQ(100u, nodes[1]->rx.burnt(BurnReason::kExpired));
  EXPECT_TRUE(tx.ended);
  ExpectReconciled();
}

TEST_F(LinkTest, AnEnvelopeIsKeptUntilItIsFetchedOnce) {
  Connect();
  Settle();
  TestSink& tx = OpenTx(0, Id(1), StreamKind::kEnvelope);
  Ask(0, Id(1), 1, 20000);
  Settle();
  nodes[0]->link->CloseToTransmit(Id(1));
  Pass(settings.session_patience * 2);
  TestSink& rx = OpenRx(1, Id(1), StreamKind::kEnvelope);
  EXPECT_EQ(20000u, rx.pad.size());
  EXPECT_EQ(tx.pad, rx.pad);
  TestSink& again = nodes[1]->NewSink(PadDirection::kReceive, Id(1));
  EXPECT_EQ(StreamOpening::kNothingKept, nodes[1]->link->OpenToReceive(Id(1), StreamKind::kEnvelope, again));
  ExpectReconciled();
}

TEST_F(LinkTest, WhatWasSentBeforeTheStreamClosedCanStillBeRead) {
  Connect();
  Settle();
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 100);
  Settle();
  nodes[0]->link->CloseToTransmit(Id(1));
  Settle();
  TestSink& rx = OpenRx(1, Id(1));
  EXPECT_EQ(tx.pad, rx.pad);
  EXPECT_TRUE(rx.ended);
}

TEST_F(LinkTest, AProgramsFullWindowEndsOnlyItsStream) {
  Connect();
  Settle();
  TestSink& rx = OpenRx(1, Id(1));
  rx.room = 0;
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 100);
  TestSink& full = OpenTx(0, Id(2));
  full.room = 0;
  Ask(0, Id(2), 2, 100);
  Settle();
  EXPECT_TRUE(tx.ended);
  EXPECT_TRUE(rx.ended);
  EXPECT_EQ(Refusal::kWindowFull, full.refused.at(2));
  network.now += seconds(1);  // new sessions wait that long
  TestSink& other = OpenTx(0, Id(3));
  OpenRx(1, Id(3));
  Ask(0, Id(3), 3, 100);
  Settle();
  EXPECT_EQ(std::vector<std::uint32_t>{3}, other.done);
  EXPECT_EQ(0u, violations);
  ExpectReconciled();
}

}  // namespace
}  // namespace ssn::qkdn::proxy
