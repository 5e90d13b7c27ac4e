// SPDX-License-Identifier: LGPL-2.1-or-later
// link_fixture.h - two nodes of link_test_util.h with short names for what tests do to them.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "qkdn/proxy/link_test_util.h"

namespace ssn::qkdn::proxy {

inline StreamId Id(std::uint32_t n) {
  StreamId id{};
  std::memcpy(id.data(), &n, sizeof n);
  return id;
}

class LinkTest : public testing::Test {
 protected:
  LinkTest() {
    settings.capacity = 64 << 10;
    settings.low = 16 << 10;
    settings.high = 48 << 10;
    settings.reserve = 8 << 10;
    StartNode(0);
    StartNode(1);
  }

  void StartNode(NodeId id) {
    nodes[id].reset();
    nodes[id] = std::make_unique<TestNode>(id, network, kme, used[id], settings);
  }
  void Connect() {
    network.connected = true;
    for (auto& node : nodes) node->link->OnConnected();
  }
  void Cut() {
    network.connected = false;
    for (auto& messages : network.to) messages.clear();
    for (auto& node : nodes) node->link->OnDisconnected();
  }
  // Delivers one message to the node; false if there is none.
  bool Deliver(NodeId id) {
    if (network.to[id].empty()) return false;
    const sideways::Message message = network.to[id].front();
    network.to[id].pop_front();
    if (!nodes[id]->link->OnMessage(message)) {
      ++violations;
      Cut();
    }
    return true;
  }
  void Settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (NodeId id : {0u, 1u}) busy |= Deliver(id) || nodes[id]->AnswerFetch();
    }
  }
  void Pass(std::chrono::milliseconds time) {
    network.now += time;
    for (auto& node : nodes) node->link->Tick();
    Settle();
  }
  TestSink& OpenTx(NodeId id, const StreamId& stream, north::StreamKind kind = north::StreamKind::kSession) {
    TestSink& sink = nodes[id]->NewSink(PadDirection::kTransmit, stream);
    EXPECT_EQ(StreamOpening::kOk, nodes[id]->link->OpenToTransmit(stream, kind, sink));
    return sink;
  }
  TestSink& OpenRx(NodeId id, const StreamId& stream, north::StreamKind kind = north::StreamKind::kSession) {
    TestSink& sink = nodes[id]->NewSink(PadDirection::kReceive, stream);
    EXPECT_EQ(StreamOpening::kOk, nodes[id]->link->OpenToReceive(stream, kind, sink));
    return sink;
  }
  void Ask(NodeId id, const StreamId& stream, std::uint32_t request, std::uint64_t need,
           std::uint64_t want = 0) {
    nodes[id]->link->Request(stream,
                             {request, need, std::max(need, want), network.now + std::chrono::seconds(1)});
  }
  void ExpectReconciled() {
    for (auto& node : nodes) node->ExpectReconciled();
  }
  const Transmitter& Tx(NodeId id) { return nodes[id]->link->transmitter(); }
  const Receiver& Rx(NodeId id) { return nodes[id]->link->receiver(); }

  LinkSettings settings;
  TestNetwork network;
  TestKme kme;
  UsedPad used[2];
  std::unique_ptr<TestNode> nodes[2];
  unsigned violations = 0;
};

}  // namespace ssn::qkdn::proxy
