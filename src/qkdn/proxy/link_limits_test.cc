// SPDX-License-Identifier: LGPL-2.1-or-later
// What a link keeps is bounded, and what it forgets harms nobody.
#include <gtest/gtest.h>

#include <algorithm>

#include "qkdn/proxy/link_fixture.h"

namespace ssn::qkdn::proxy {
namespace {

using north::Refusal;
using north::StreamKind;
using std::chrono::seconds;

using LinkLimits = LinkTest;

TEST_F(LinkLimits, RequestsThatWaitAreBoundedAndLeaveNothingBehind) {
  Connect();
  Settle();
  Cut();
  std::uint32_t request = 0;
  for (std::uint32_t i = 0; i < kMaxWaitingRequests / 1000; ++i) {
    OpenTx(0, Id(i));
    for (int k = 0; k < 1000; ++k) Ask(0, Id(i), ++request, 10);
  }
  TestSink& last = OpenTx(0, Id(70000));
  while (Tx(0).waiting() < kMaxWaitingRequests) Ask(0, Id(70000), ++request, 10);
  Ask(0, Id(70000), ++request, 10);
  EXPECT_EQ(Refusal::kDry, last.refused.at(request));
  nodes[0]->link->CloseToTransmit(Id(70000));
  EXPECT_LT(Tx(0).waiting(), kMaxWaitingRequests);
  Pass(seconds(2));
  EXPECT_EQ(0u, Tx(0).waiting());
}

TEST_F(LinkLimits, APeerCannotMakeUsKeepManyStreamsThatNobodyOpens) {
  settings.max_unopened = 5;
  StartNode(1);
  Connect();
  Settle();
  for (std::uint32_t i = 0; i < 8; ++i) {
    OpenTx(0, Id(i));
    Ask(0, Id(i), i, 10);
  }
  Settle();
  EXPECT_EQ(5u, Rx(1).unopened());
  EXPECT_EQ(3, std::count_if(nodes[0]->sinks.begin(), nodes[0]->sinks.end(),
                             [](auto& sink) { return sink->ended; }));
  EXPECT_EQ(30u, nodes[0]->tx.burnt(BurnReason::kNotAcknowledged));
  EXPECT_EQ(30u, nodes[1]->rx.burnt(BurnReason::kNotAcknowledged));
  ExpectReconciled();
}

TEST_F(LinkLimits, EnvelopesThatWaitDoNotKeepSessionsOut) {
  settings.max_envelopes = 5;
  settings.max_unopened = 5;
  StartNode(1);
  Connect();
  Settle();
  for (std::uint32_t i = 0; i < 8; ++i) {
    OpenTx(0, Id(i), StreamKind::kEnvelope);
    Ask(0, Id(i), i, 10);
  }
  Settle();
  EXPECT_EQ(5u, Rx(1).unopened()) << "envelopes have a limit of their own";
  TestSink& session = OpenTx(0, Id(100));
  Ask(0, Id(100), 100, 10);
  Settle();
  EXPECT_FALSE(session.ended);
  EXPECT_EQ(6u, Rx(1).unopened());
  nodes[1]->warnings.clear();
  OpenTx(0, Id(101), StreamKind::kEnvelope);
  Ask(0, Id(101), 101, 10);
  Settle();
  EXPECT_EQ("the peer has 5 envelopes here that no program has opened, 50 bytes: another one is refused",
            nodes[1]->warnings.at(0));
  ExpectReconciled();
}

TEST_F(LinkLimits, AProgramTakesNoMoreThanHalfOfTheSessionsThatMayWait) {
  settings.max_unopened = 6;
  StartNode(0);
  Connect();
  Settle();
  int greedy = 0;
  const auto open = [&](std::uint32_t i, const void* owner) {
    TestSink& sink = nodes[0]->NewSink(PadDirection::kTransmit, Id(i));
    if (owner != nullptr) sink.owner = owner;
    return nodes[0]->link->OpenToTransmit(Id(i), StreamKind::kSession, sink);
  };
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(StreamOpening::kOk, open(i, &greedy));
  EXPECT_EQ(StreamOpening::kTooMany, open(3, &greedy));
  EXPECT_EQ(StreamOpening::kOk, open(4, nullptr)) << "another program is not concerned";
  nodes[0]->link->CloseToTransmit(Id(0));
  EXPECT_EQ(StreamOpening::kOk, open(5, &greedy));
  OpenRx(1, Id(1));
  Ask(0, Id(1), 1, 10);
  Settle();
  EXPECT_EQ(StreamOpening::kOk, open(6, &greedy)) << "one was opened at the other end";
  EXPECT_EQ(StreamOpening::kTooMany, open(7, &greedy));
}

TEST_F(LinkLimits, AStreamIdInUseIsNeverOpenedAgainHoweverManyEndedSince) {
  Connect();
  Settle();
  OpenTx(0, Id(0));
  for (std::uint32_t i = 1; i <= StreamSet::kLimit + 1; ++i) {
    TestSink& other = nodes[0]->NewSink(PadDirection::kTransmit, Id(i));
    ASSERT_EQ(StreamOpening::kOk, nodes[0]->link->OpenToTransmit(Id(i), StreamKind::kSession, other));
    nodes[0]->link->CloseToTransmit(Id(i));
    nodes[0]->sinks.pop_back();
    network.to[1].clear();
  }
  TestSink& again = nodes[0]->NewSink(PadDirection::kTransmit, Id(0));
  EXPECT_EQ(StreamOpening::kExists, nodes[0]->link->OpenToTransmit(Id(0), StreamKind::kSession, again));
  EXPECT_EQ(StreamOpening::kExists, nodes[0]->link->OpenToTransmit(Id(9), StreamKind::kSession, again));
}

// As when its id was forgotten: the acknowledgement is of the first stream's grant.
TEST_F(LinkLimits, AnAcknowledgementForAStreamThatEndedIsNotTakenForAnotherOfItsId) {
  Connect();
  Settle();
  OpenTx(0, Id(0));
  Ask(0, Id(0), 1, 100);
  nodes[0]->link->CloseToTransmit(Id(0));
  const auto on_their_way = network.to[1];
  for (std::uint32_t i = 1; i <= StreamSet::kLimit; ++i) {
    TestSink& other = nodes[0]->NewSink(PadDirection::kTransmit, Id(i));
    ASSERT_EQ(StreamOpening::kOk, nodes[0]->link->OpenToTransmit(Id(i), StreamKind::kSession, other));
    nodes[0]->link->CloseToTransmit(Id(i));
    nodes[0]->sinks.pop_back();
    network.to[1] = on_their_way;
  }
  TestSink& second = OpenTx(0, Id(0));
  Settle();
  EXPECT_TRUE(second.pad.empty());
  EXPECT_FALSE(second.ended);
  EXPECT_EQ(100u, nodes[0]->tx.burnt(BurnReason::kStreamClosed));
  EXPECT_EQ(0u, violations);
  ExpectReconciled();
}

}  // namespace
}  // namespace ssn::qkdn::proxy
