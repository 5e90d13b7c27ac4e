// SPDX-License-Identifier: LGPL-2.1-or-later
// The listener in one thread with its clients, so that a test decides what happens in one turn of the loop.
#include "qkdn/proxy/peer_listener.h"

#include <gtest/gtest.h>

#include <asio/write.hpp>

#include "qkdn/proxy/test_node.h"

namespace ssn::qkdn::proxy {
namespace {

using namespace std::chrono_literals;

class PeerListenerTest : public ::testing::Test {
 protected:
  PeerListenerTest() {
    folder.Certificate("node-0", "node-0");
    folder.Certificate("node-1", "node-1");
    client_tls = Context("node-0");
    server_tls = Context("node-1");
    EXPECT_TRUE(listener.Listen({"127.0.0.1", 0}).ok());
  }
  ~PeerListenerTest() override {
    listener.Stop();
    loop.restart();
    loop.poll();
  }
  std::shared_ptr<TlsContext> Context(const std::string& name) {
    auto made = MakeTlsContext(folder.Tls(name));
    EXPECT_TRUE(made.ok()) << made.status().message();
    return std::move(made).value();
  }
  // The client's last message of the handshake waits at the listener's socket when this returns.
  std::unique_ptr<TlsStream> ShakeHandsAtTheClient() {
    auto stream = std::make_unique<TlsStream>(client_loop, *client_tls);
    stream->lowest_layer().connect({asio::ip::make_address("127.0.0.1"), listener.port()});
    bool done = false;
    stream->async_handshake(TlsStream::client, [&](std::error_code error) {
      EXPECT_FALSE(error) << error.message();
      done = true;
    });
    EXPECT_TRUE(Soon([&] {
      client_loop.restart();
      client_loop.poll();
      if (!done) loop.poll();
      return done;
    }));
    return stream;
  }
  void SendHello(TlsStream& stream) {
    sideways::Hello hello;
    hello.version = sideways::kVersion;
    hello.node = 0;
    asio::write(stream, asio::buffer(sideways::Encode(hello)));
  }

  static constexpr auto kLimit = 1000ms;
  TestFolder folder;
  std::shared_ptr<TlsContext> client_tls;
  std::shared_ptr<TlsContext> server_tls;
  asio::io_context client_loop{1};
  asio::io_context loop{1};
  unsigned hellos = 0;
  PeerListener listener{loop, [this] { return server_tls; },
                        [this](const std::shared_ptr<PeerConnection>& connection, const sideways::Hello&) {
                          ++hellos;
                          connection->Close();
                        },
                        kLimit};
};

TEST_F(PeerListenerTest, HandshakeThatEndsInTheTurnOfItsTimerIsAHandshake) {
  const auto stream = ShakeHandsAtTheClient();
  const auto over = std::chrono::steady_clock::now() + kLimit;
  ASSERT_TRUE(Soon([&] { return std::chrono::steady_clock::now() > over; }));
  SendHello(*stream);
  EXPECT_TRUE(Soon(
      [&] {
        loop.poll();
        return hellos == 1;
      },
      2s));
}

TEST_F(PeerListenerTest, CertificateRevokedDuringTheHandshakeIsRefused) {
  const auto stream = ShakeHandsAtTheClient();
  folder.Revoke("node-0");
  server_tls = Context("node-1");
  SendHello(*stream);
  std::error_code error;
  char byte = 0;
  stream->lowest_layer().non_blocking(true);
  EXPECT_TRUE(Soon(
      [&] {
        loop.poll();
        stream->read_some(asio::buffer(&byte, 1), error);
        return error && error != asio::error::would_block;
      },
      2s));
  EXPECT_EQ(0u, hellos);
}

}  // namespace
}  // namespace ssn::qkdn::proxy
