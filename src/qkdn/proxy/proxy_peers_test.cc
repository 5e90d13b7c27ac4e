// SPDX-License-Identifier: LGPL-2.1-or-later
// What a proxy makes of peers that are wrong, revoked, silent, doubled, or gone.
#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <asio/connect.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include "qkdn/proxy/test_node.h"

namespace ssn::qkdn::proxy {
namespace {

using namespace std::chrono_literals;

// Keeps what is logged, so that a test can ask for the line an operator would read.
class Log final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  bool Says(const std::string& text) {
    const std::lock_guard lock(mutex_);
    return all_.find(text) != std::string::npos;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    all_.append(message.payload.data(), message.payload.size());
    all_ += '\n';
  }
  void flush_() override {}
  std::string all_;
};

// The other end of the sideways protocol, by hand.
class TestPeer {
 public:
  TestPeer(const TlsFiles& files, std::uint16_t port) {
    auto made = MakeTlsContext(files);
    EXPECT_TRUE(made.ok()) << made.status().message();
    context_ = std::move(made).value();
    stream_ = std::make_unique<TlsStream>(loop_, *context_);
    stream_->lowest_layer().connect({asio::ip::make_address("127.0.0.1"), port}, error_);
    if (!error_) stream_->handshake(TlsStream::client, error_);
  }
  void Send(const sideways::Message& message) { SendRaw(sideways::Encode(message)); }
  void SendRaw(const std::vector<std::uint8_t>& bytes) { asio::write(*stream_, asio::buffer(bytes), error_); }
  // Nothing: the connection was closed.
  std::optional<sideways::Message> Receive() {
    std::array<std::uint8_t, sideways::kFrameHeaderBytes> header{};
    asio::read(*stream_, asio::buffer(header), error_);
    if (error_) return std::nullopt;
    std::vector<std::uint8_t> frame(std::size_t{header[0]} | std::size_t{header[1]} << 8);
    asio::read(*stream_, asio::buffer(frame), error_);
    if (error_) return std::nullopt;
    auto message = sideways::Decode(frame);
    EXPECT_TRUE(message.ok());
    return std::move(message).value();
  }
  bool ClosedByPeer() {
    while (Receive()) continue;
    return true;
  }
  static sideways::Hello HelloOf(NodeId node, std::uint8_t version = sideways::kVersion) {
    sideways::Hello hello;
    hello.version = version;
    hello.node = node;
    hello.instance = {1, 2, 3, 4, 5, 6, 7, static_cast<std::uint8_t>(node)};
    hello.capacity = 1 << 20;
    return hello;
  }

 private:
  asio::io_context loop_;
  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<TlsStream> stream_;
  std::error_code error_;
};

class ProxyPeersTest : public ::testing::Test {
 protected:
  ProxyPeersTest() {
    log = std::make_shared<Log>();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", log));
  }
  void StartBoth() {
    b.Start();
    StartA();
    ASSERT_TRUE(Soon([&] { return a.up() && b.up(); }));
  }
  void StartA() {
    a.config.peers[0].address.port = b.config.peers_listen.port;
    a.Start();
  }
  void TearDown() override {
    for (TestNode* node : {&a, &b})
      if (node->running()) node->ExpectReconciled();
  }
  void ExpectNeverUp(const std::string& said) {
    b.Start();
    StartA();
    EXPECT_TRUE(Soon([&] { return log->Says(said); })) << said;
    EXPECT_FALSE(a.up());
    EXPECT_FALSE(b.up());
  }

  std::shared_ptr<Log> log;
  TestFolder folder;
  TestKmes kmes;
  TestNode a{0, folder, kmes};
  TestNode b{1, folder, kmes};
};

TEST_F(ProxyPeersTest, EitherSideThatRestartsIsUpAgainWithinTwoSeconds) {
  StartBoth();
  for (TestNode* node : {&a, &b, &a}) {
    ASSERT_TRUE(Soon([&] { return a.Link().tx.agreed > 0 && b.Link().tx.agreed > 0; }));
    node->Stop();
    const auto began = std::chrono::steady_clock::now();
    node->Start();
    ASSERT_TRUE(Soon([&] { return a.up() && b.up() && a.Link().tx.agreed > 0 && b.Link().tx.agreed > 0; }));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s) << "node " << node->config.id;
    a.ExpectReconciled();
    b.ExpectReconciled();
  }
}

TEST_F(ProxyPeersTest, CertificateOfAnotherAuthorityIsRefusedByBothSides) {
  folder.Certificate("node-0", "node-0", true);
  ExpectNeverUp("certificate refused");
}

TEST_F(ProxyPeersTest, CertificateForAnotherNameIsRefusedByTheSideThatDials) {
  folder.Certificate("node-1", "node-7");
  ExpectNeverUp("is not for \"node-1\"");
}

TEST_F(ProxyPeersTest, CertificateForAnotherNameIsRefusedByTheSideThatAccepts) {
  folder.Certificate("node-0", "node-7");
  ExpectNeverUp("is not for \"node-0\"");
}

TEST_F(ProxyPeersTest, RevokedCertificateIsRefused) {
  folder.Revoke("node-0");
  ExpectNeverUp("certificate refused: certificate revoked");
}

TEST_F(ProxyPeersTest, RevocationEndsAConnectionWhenTheListIsReadAgain) {
  StartBoth();
  folder.Revoke("node-0");
  b.proxy().Reload();
  ASSERT_TRUE(Soon([&] { return !b.up(); }));
  EXPECT_TRUE(log->Says("certificate: certificate revoked"));
  EXPECT_TRUE(Soon([&] { return log->Says("certificate refused: certificate revoked"); }))
      << "it dials again";
  EXPECT_FALSE(b.up());
}

TEST_F(ProxyPeersTest, RevocationEndsAConnectionThatHasNotSaidHello) {
  b.Start();
  TestPeer peer(a.config.peers_tls, b.config.peers_listen.port);
  folder.Revoke("node-0");
  b.proxy().Reload();
  ASSERT_TRUE(Soon([&] { return log->Says("certificates and revocation lists were read again"); }));
  peer.Send(TestPeer::HelloOf(0));
  EXPECT_TRUE(peer.ClosedByPeer());
  EXPECT_TRUE(log->Says("certificate refused: certificate revoked"));
  EXPECT_FALSE(log->Says("is up"));
}

TEST_F(ProxyPeersTest, ReloadWithABrokenFileKeepsTheOldCertificates) {
  StartBoth();
  std::filesystem::rename(folder.Path("ca.crl"), folder.Path("gone"));
  b.proxy().Reload();
  EXPECT_TRUE(Soon([&] { return log->Says("certificates are kept as they were: peers_tls.crl="); }));
  EXPECT_TRUE(b.up());
}

TEST_F(ProxyPeersTest, PeerOfAnotherVersionIsToldOursAndRefused) {
  b.Start();
  TestPeer peer(a.config.peers_tls, b.config.peers_listen.port);
  peer.Send(TestPeer::HelloOf(0, 2));
  const auto answer = peer.Receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(sideways::kVersion, std::get<sideways::Hello>(*answer).version);
  EXPECT_TRUE(peer.ClosedByPeer());
  EXPECT_TRUE(log->Says("speaks version 2 of the protocol, this proxy version 1"));
  EXPECT_FALSE(b.up());
}

TEST_F(ProxyPeersTest, FramesThatAreNoneOfTheProtocolCloseTheConnection) {
  b.Start();
  const std::vector<std::vector<std::uint8_t>> wrong = {
      {0, 0, 0, 0},                         // empty
      {0xff, 0xff, 0xff, 0xff},             // 4 GiB
      {1, 0, 0, 0, 200},                    // unknown type
      sideways::Encode(sideways::Ping{1}),  // not Hello
      sideways::Encode(sideways::Grant{}),
      sideways::Encode(TestPeer::HelloOf(9)),  // no such node
      sideways::Encode(TestPeer::HelloOf(1)),  // this node itself
  };
  for (const auto& bytes : wrong) {
    TestPeer peer(a.config.peers_tls, b.config.peers_listen.port);
    peer.SendRaw(bytes);
    EXPECT_TRUE(peer.ClosedByPeer());
  }
  StartA();
  EXPECT_TRUE(Soon([&] { return b.up(); })) << "nobody else is harmed";
}

TEST_F(ProxyPeersTest, PeerThatBreaksTheProtocolAfterItsHelloLosesTheEpoch) {
  b.Start();
  const std::vector<sideways::Message> wrong = {
      TestPeer::HelloOf(0), sideways::Grant{Id(1), north::StreamKind::kSession, 0, 0, 100},
      sideways::KeysVerdict{7, true, 0}, sideways::GrantAck{0, true, true},
      sideways::KeysCheck{77, false, {}}};
  for (const auto& message : wrong) {
    TestPeer peer(a.config.peers_tls, b.config.peers_listen.port);
    peer.Send(TestPeer::HelloOf(0));
    peer.Send(message);
    EXPECT_TRUE(peer.ClosedByPeer());
    EXPECT_TRUE(Soon([&] { return !b.up(); }));
  }
  EXPECT_TRUE(log->Says("the peer broke the protocol"));
}

TEST_F(ProxyPeersTest, SecondNodeWithALivingIdIsRefusedLoudly) {
  StartBoth();
  TestPeer second(a.config.peers_tls, b.config.peers_listen.port);
  second.Send(TestPeer::HelloOf(0));
  EXPECT_TRUE(second.ClosedByPeer());
  EXPECT_TRUE(log->Says("TWO NODES WITH ONE ID"));
  EXPECT_TRUE(a.up());
  EXPECT_TRUE(b.up());
}

TEST_F(ProxyPeersTest, HalfOpenConnectionGivesWayToALivingOne) {
  b.Start();
  TestPeer silent(a.config.peers_tls, b.config.peers_listen.port);  // answers no Ping
  silent.Send(TestPeer::HelloOf(0));
  ASSERT_TRUE(Soon([&] { return b.up(); }));
  const auto began = std::chrono::steady_clock::now();
  StartA();
  ASSERT_TRUE(Soon([&] { return a.up(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_TRUE(silent.ClosedByPeer());
}

TEST_F(ProxyPeersTest, ConnectionWithoutAFrameForFiveSecondsIsClosed) {
  b.Start();
  TestPeer no_hello(a.config.peers_tls, b.config.peers_listen.port);
  TestPeer no_pong(a.config.peers_tls, b.config.peers_listen.port);
  no_pong.Send(TestPeer::HelloOf(0));
  asio::io_context loop;
  asio::ip::tcp::socket no_tls(loop);
  no_tls.connect({asio::ip::make_address("127.0.0.1"), b.config.peers_listen.port});
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(no_hello.ClosedByPeer());
  EXPECT_TRUE(no_pong.ClosedByPeer());
  std::error_code error;
  char byte = 0;
  EXPECT_EQ(0u, no_tls.read_some(asio::buffer(&byte, 1), error));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 8s);
  EXPECT_TRUE(Soon([&] { return !b.up(); }));
}

TEST_F(ProxyPeersTest, OneLinkThatIsDownHarmsNoOther) {
  b.Start();
  a.config.peers.push_back({5, "node-5", {"127.0.0.1", 1}, "sae-5"});  // nobody listens there
  StartA();
  ASSERT_TRUE(Soon([&] { return a.up() && b.up(); }));
  EXPECT_TRUE(Soon([&] { return log->Says("link to node-5 (node 5) at 127.0.0.1:1: "); }));
  EXPECT_FALSE(a.Client()->Open(Id(1), 5, PadDirection::kTransmit, 1, 500ms).ok());
  EXPECT_TRUE(a.Client()->Open(Id(1), 1, PadDirection::kTransmit, 1, 5000ms).ok());
}

TEST_F(ProxyPeersTest, KmeThatIsDownIsWarnedOfOnceAndTheLinkStays) {
  kmes.down = true;
  StartBoth();
  EXPECT_TRUE(Soon([&] { return a.Link().kme_errors[0] > 2; }));
  EXPECT_TRUE(log->Says("KME: no connection"));
  kmes.down = false;
  EXPECT_TRUE(Soon([&] { return a.Link().tx.agreed > 0; }));
}

}  // namespace
}  // namespace ssn::qkdn::proxy
