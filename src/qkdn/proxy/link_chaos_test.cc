// SPDX-License-Identifier: LGPL-2.1-or-later
// Random histories: traffic, cuts, crashes of either proxy and faults of the KME, in any order. The sinks and
// the test's books check all the while that no word of pad and no position is used twice, that both ends of a
// stream hold the same bytes, and that the ledgers reconcile.
#include <gtest/gtest.h>

#include "qkdn/proxy/link.h"
#include "qkdn/proxy/link_test_util.h"

namespace ssn::qkdn::proxy {
namespace {

using north::StreamKind;

struct OpenStream {
  StreamId id{};
  NodeId from = 0;
  TestSink* tx = nullptr;
  TestSink* rx = nullptr;
};

class Chaos {
 public:
  explicit Chaos(unsigned seed) : random_(seed) {
    settings_.capacity = 32 << 10;
    settings_.low = 12 << 10;
    settings_.high = 24 << 10;
    settings_.reserve = 2 << 10;
    settings_.session_patience = std::chrono::seconds(5);
    for (NodeId id : {0u, 1u}) Start(id);
    Connect();
  }

  void Step() {
    const NodeId id = Below(2);
    switch (Below(24)) {
      case 0:
        if (Below(4) == 0) Cut();
        break;
      case 1:
        if (Below(12) == 0) Crash(id);
        break;
      case 2:
        (Below(2) == 0 ? kme_.differ : kme_.lose) = Below(8) == 0;
        break;
      case 3:
      case 4:
        Open(id);
        break;
      case 5:
      case 6:
      case 7:
        Request();
        break;
      case 8:
        CloseOne();
        break;
      case 9:
        network_.now += std::chrono::milliseconds(Below(300));
        nodes_[id]->link->Tick();
        if (!network_.connected) Connect();
        break;
      case 10:
        for (auto& sink : nodes_[id]->sinks)
          if (Below(2) == 0) sink->UseAll();
        break;
      case 11:
      case 12:
      case 13:
        nodes_[id]->AnswerFetch();
        break;
      default:
        Deliver(id);
    }
    for (auto& node : nodes_) node->ExpectReconciled();
  }

  void ExpectEqualEnds() {
    for (const OpenStream& stream : streams_) {
      if (stream.tx == nullptr || stream.rx == nullptr) continue;
      // The receiver may have what the transmitter was never given; where both have pad it is the same. One
      // that opened the stream before it heard of a new epoch has ended.
      const auto& tx = stream.tx->pad;
      const auto& rx = stream.rx->pad;
      if (!stream.rx->ended) {
        ASSERT_LE(tx.size(), rx.size());
      }
      const auto both = static_cast<std::ptrdiff_t>(std::min(tx.size(), rx.size()));
      ASSERT_TRUE(std::equal(tx.begin(), tx.begin() + both, rx.begin()));
      if (both > 0) ++streams_compared_;
    }
  }
  std::uint64_t bytes_used() const { return used_[0].positions[0].size() + used_[1].positions[0].size(); }
  unsigned violations() const { return violations_; }
  unsigned crashes() const { return crashes_; }
  unsigned streams_compared() const { return streams_compared_; }

 private:
  std::uint32_t Below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  void Start(NodeId id) { nodes_[id] = std::make_unique<TestNode>(id, network_, kme_, used_[id], settings_); }
  void Connect() {
    network_.connected = true;
    for (auto& node : nodes_) node->link->OnConnected();
  }
  void Cut() {
    if (!network_.connected) return;
    network_.connected = false;
    for (auto& messages : network_.to) messages.clear();
    for (auto& node : nodes_) node->link->OnDisconnected();
  }
  void Crash(NodeId id) {
    ++crashes_;
    ExpectEqualEnds();
    std::erase_if(streams_, [&](const OpenStream& stream) {
      return (stream.from == id && stream.tx != nullptr) || (stream.from != id && stream.rx != nullptr);
    });
    Cut();
    nodes_[id].reset();
    Start(id);
  }
  void Open(NodeId from) {
    OpenStream stream;
    const std::uint32_t number = next_id_++;
    std::memcpy(stream.id.data(), &number, sizeof number);
    stream.from = from;
    for (const bool transmit : Below(2) == 0 ? std::array{true, false} : std::array{false, true}) {
      if (Below(8) == 0) continue;  // this end is never opened
      TestNode& node = *nodes_[transmit ? from : 1 - from];
      TestSink& sink = node.NewSink(transmit ? PadDirection::kTransmit : PadDirection::kReceive, stream.id);
      if (Below(40) == 0) sink.room = 3000;
      const auto opening = transmit ? node.link->OpenToTransmit(stream.id, StreamKind::kSession, sink)
                                    : node.link->OpenToReceive(stream.id, StreamKind::kSession, sink);
      if (opening == StreamOpening::kOk) (transmit ? stream.tx : stream.rx) = &sink;
    }
    streams_.push_back(stream);
  }
  void Request() {
    if (streams_.empty()) return;
    OpenStream& stream = streams_[Below(static_cast<std::uint32_t>(streams_.size()))];
    if (stream.tx == nullptr || stream.tx->ended) return;
    const std::uint64_t need = Below(3) == 0 ? Below(12000) : Below(600);
    nodes_[stream.from]->link->Request(stream.id, {next_request_++, need, need + Below(4000),
                                                   network_.now + std::chrono::milliseconds(Below(2000))});
  }
  void CloseOne() {
    if (streams_.empty()) return;
    OpenStream& stream = streams_[Below(static_cast<std::uint32_t>(streams_.size()))];
    const bool transmit = Below(2) == 0;
    TestSink*& sink = transmit ? stream.tx : stream.rx;
    if (sink == nullptr) return;
    if (!sink->ended) {
      Link& link = *nodes_[transmit ? stream.from : 1 - stream.from]->link;
      transmit ? link.CloseToTransmit(stream.id) : link.CloseToReceive(stream.id);
    }
    sink = nullptr;
  }
  void Deliver(NodeId id) {
    if (network_.to[id].empty()) return;
    const sideways::Message message = network_.to[id].front();
    network_.to[id].pop_front();
    if (nodes_[id]->link->OnMessage(message)) return;
    ++violations_;
    Cut();
  }

  std::mt19937 random_;
  LinkSettings settings_;
  TestNetwork network_;
  TestKme kme_;
  UsedPad used_[2];
  std::unique_ptr<TestNode> nodes_[2];
  std::vector<OpenStream> streams_;
  std::uint32_t next_id_ = 1;
  std::uint32_t next_request_ = 1;
  unsigned violations_ = 0;
  unsigned crashes_ = 0;
  unsigned streams_compared_ = 0;
};

TEST(LinkChaos, NoHistoryUsesAByteTwiceOrLosesCount) {
  const unsigned first_seed = std::random_device{}();
  for (unsigned run = 0; run < 12; ++run) {
    SCOPED_TRACE("seed " + std::to_string(first_seed + run));
    Chaos chaos(first_seed + run);
    for (int step = 0; step < 6000 && !testing::Test::HasFailure(); ++step) chaos.Step();
    chaos.ExpectEqualEnds();
    ASSERT_FALSE(testing::Test::HasFailure());
    EXPECT_EQ(0u, chaos.violations()) << "two proxies that keep to the protocol never accuse each other";
    EXPECT_GT(chaos.bytes_used(), 20000u);
    EXPECT_GT(chaos.crashes(), 0u);
    EXPECT_GT(chaos.streams_compared(), 5u);  // new sessions of a dry link wait
  }
}

}  // namespace
}  // namespace ssn::qkdn::proxy
