// SPDX-License-Identifier: LGPL-2.1-or-later
// Cuts, restarts and broken protocol: what is kept, what is burnt, and when a new epoch begins.
#include "qkdn/proxy/link.h"

#include <gtest/gtest.h>

#include "qkdn/proxy/link_fixture.h"

namespace ssn::qkdn::proxy {
namespace {

using north::StreamKind;

using LinkEpoch = LinkTest;

TEST_F(LinkEpoch, AfterABriefCutTheAgreedPadStillServes) {
  Connect();
  Settle();
  const std::uint64_t agreed = Tx(0).agreed();
  TestSink& rx = OpenRx(1, Id(1));
  TestSink& tx = OpenTx(0, Id(1));
  Cut();
  Ask(0, Id(1), 1, 5000);
  EXPECT_TRUE(tx.pad.empty());
  Connect();
  Settle();
  EXPECT_EQ(std::vector<std::uint32_t>{1}, tx.done);
  EXPECT_EQ(tx.pad, rx.pad);
  EXPECT_EQ(0u, nodes[0]->tx.burnt(BurnReason::kEpochEnded));
  EXPECT_GE(Tx(0).agreed() + 5000, agreed);
  ExpectReconciled();
}

TEST_F(LinkEpoch, AnAnnouncementThatWasNotAcknowledgedIsNeverUsed) {
  Connect();
  Settle();
  OpenRx(1, Id(1));
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 100);
  Deliver(1);  // the peer has it; its acknowledgement is lost
  Cut();
  EXPECT_TRUE(tx.ended);
  EXPECT_TRUE(tx.pad.empty());
  Connect();
  Settle();
  EXPECT_EQ(100u, nodes[0]->tx.burnt(BurnReason::kNotAcknowledged));
  TestSink& rx = OpenRx(1, Id(2));
  TestSink& next = OpenTx(0, Id(2));
  Ask(0, Id(2), 2, 100);
  Settle();
  EXPECT_EQ(next.pad, rx.pad);
  EXPECT_EQ(100u, next.pad.size());
  ExpectReconciled();
}

TEST_F(LinkEpoch, AStreamThatEndedWhileTheConnectionWasDownEndsAtTheOtherEndToo) {
  Connect();
  Settle();
  TestSink& rx = OpenRx(1, Id(1));
  OpenTx(0, Id(1));
  Settle();
  Cut();
  nodes[0]->link->CloseToTransmit(Id(1));
  Connect();
  Settle();
  EXPECT_TRUE(rx.ended);
}

TEST_F(LinkEpoch, ARestartOfOneSideBeginsANewEpochAndForgetsAllPad) {
  Connect();
  Settle();
  OpenRx(1, Id(1));
  TestSink& tx = OpenTx(0, Id(1));
  const PadEpoch before = nodes[0]->link->epoch();
  Cut();
  StartNode(1);
  Connect();
  Settle();
  EXPECT_TRUE(tx.ended);
  EXPECT_NE(before, nodes[0]->link->epoch());
  EXPECT_EQ(nodes[1]->link->epoch(), nodes[0]->link->epoch());
  EXPECT_GT(nodes[0]->tx.burnt(BurnReason::kEpochEnded), 0u);
  EXPECT_EQ(Tx(0).agreed(), Rx(1).agreed());
  EXPECT_EQ(0u, violations);
  ExpectReconciled();
}

TEST_F(LinkEpoch, KeysAnnouncedToAPeerThatWentAwayAreTakenOutOfItsKme) {
  Connect();
  Deliver(0), Deliver(1);
  ASSERT_TRUE(nodes[0]->AnswerFetch());
  EXPECT_GT(kme.left_over(), 0u);
  Cut();
  StartNode(1);
  Connect();
  Settle();
  EXPECT_EQ(0u, kme.left_over());
  ExpectReconciled();
}

TEST_F(LinkEpoch, APeerThatBreaksTheProtocolLosesItsEpochAndNothingElseHappens) {
  const std::vector<sideways::Message> wrong = {
      sideways::GrantAck{0, true, true},
      sideways::KeysCheck{99, true, {}},
      sideways::KeysVerdict{99, true, 0},
      sideways::Grant{Id(1), StreamKind::kSession, 0, 1 << 20, 100},
      sideways::Grant{Id(1), StreamKind::kSession, 0, 0, 0},
      sideways::Grant{Id(1), StreamKind::kSession, 0, 8, ~std::uint64_t{0}},
      sideways::Hello{sideways::kVersion, 1, {1}, {}, 0, 0, 0, 0},
  };
  for (const auto& message : wrong) {
    Connect();
    Settle();
    const PadEpoch before = nodes[0]->link->epoch();
    violations = 0;
    network.to[0].push_back(message);
    Settle();
    EXPECT_EQ(1u, violations) << message.index();
    Connect();
    Settle();
    EXPECT_NE(before, nodes[0]->link->epoch()) << message.index();
    EXPECT_GT(Tx(0).agreed(), 0u);
    ExpectReconciled();
    Cut();
  }
}

TEST_F(LinkEpoch, AFrameBeforeHelloIsRefused) {
  network.connected = true;
  nodes[0]->link->OnConnected();
  EXPECT_FALSE(nodes[0]->link->OnMessage(sideways::Ping{1}));
}

TEST_F(LinkEpoch, ShutdownBurnsAllThatIsHeld) {
  Connect();
  Settle();
  TestSink& tx = OpenTx(0, Id(1));
  Ask(0, Id(1), 1, 100);
  nodes[0]->link->Shutdown();
  EXPECT_TRUE(tx.ended);
  EXPECT_EQ(0u, Tx(0).held());
  EXPECT_EQ(0u, Rx(0).held());
  nodes[0]->ExpectReconciled();
}

}  // namespace
}  // namespace ssn::qkdn::proxy
