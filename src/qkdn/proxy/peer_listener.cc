// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/peer_listener.h"

#include <fmt/format.h>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <utility>

namespace ssn::qkdn::proxy {
namespace {

using asio::ip::tcp;

constexpr auto kAfterFailedAccept = std::chrono::milliseconds(100);

std::string RemoteOf(const tcp::socket& socket) {
  std::error_code error;
  const tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return "unknown";
  return ToString({remote.address().to_string(error), remote.port()});
}

// The port is another one each time.
std::string HostOf(const std::string& remote) { return remote.substr(0, remote.rfind(':')); }

}  // namespace

// The timer's handler may wait its turn behind the end of the handshake: whoever comes second finds no
// stream.
struct PeerListener::Handshake {
  Handshake(tcp::socket socket, TlsContext& context, std::chrono::milliseconds limit)
      : stream(std::make_unique<TlsStream>(std::move(socket), context)),
        timer(stream->get_executor(), limit) {}
  std::unique_ptr<TlsStream> stream;
  asio::steady_timer timer;
  bool timed_out = false;
};

Status PeerListener::Listen(const HostPort& address) {
  std::error_code error;
  const auto failed = [&] {
    return Status::Unavailable(fmt::format("peers_tls.listen={}: {}", ToString(address), error.message()));
  };
  const tcp::endpoint endpoint(asio::ip::make_address(address.host, error), address.port);
  if (error) return failed();
  if (acceptor_.open(endpoint.protocol(), error); error) return failed();
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (acceptor_.bind(endpoint, error); error) return failed();
  if (acceptor_.listen(tcp::acceptor::max_listen_connections, error); error) return failed();
  Accept();
  return {};
}

std::uint16_t PeerListener::port() const {
  std::error_code error;
  return acceptor_.local_endpoint(error).port();
}

void PeerListener::Accept() {
  acceptor_.async_accept([this](std::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      Take(std::move(socket));
      return Accept();
    }
    warnings_.Warn("no connection of a peer can be taken: " + error.message());
    auto pause = std::make_shared<asio::steady_timer>(loop_, kAfterFailedAccept);
    pause->async_wait([this, pause](std::error_code) {
      if (acceptor_.is_open()) Accept();
    });
  });
}

void PeerListener::Take(tcp::socket socket) {
  const std::string remote = RemoteOf(socket);
  if (in_handshake_ + greeting_.size() >= kMaxUngreeted) {
    warnings_.Warn(fmt::format("peers are refused: {} connections have not said Hello yet", kMaxUngreeted));
    return;
  }
  std::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  auto handshake = std::make_shared<Handshake>(std::move(socket), *tls_(), to_shake_hands_);
  handshake->timer.async_wait([handshake](std::error_code error) {
    std::error_code closing;
    if (error || !handshake->stream) return;
    handshake->timed_out = true;
    handshake->stream->lowest_layer().close(closing);  // which ends the handshake
  });
  ++in_handshake_;
  handshake->stream->async_handshake(TlsStream::server, [this, handshake, remote](std::error_code error) {
    --in_handshake_;
    handshake->timer.cancel();
    if (!acceptor_.is_open()) return;
    ShookHands(std::move(handshake->stream), remote, handshake->timed_out ? asio::error::timed_out : error);
  });
}

void PeerListener::ShookHands(std::unique_ptr<TlsStream> stream, const std::string& remote,
                              std::error_code error) {
  if (error)
    return warnings_.Warn(
        fmt::format("peer at {}: no TLS: {}", HostOf(remote), HandshakeFault(*stream, error)));
  // The revocation list may have been read again since the handshake began.
  if (const Status good = CheckPeerAgain(*stream, *tls_()); !good.ok())
    return warnings_.Warn(fmt::format("peer at {}: certificate refused: {}", HostOf(remote), good.message()));
  Greet(std::move(stream), remote);
}

void PeerListener::Greet(std::unique_ptr<TlsStream> stream, const std::string& remote) {
  auto connection = std::make_shared<PeerConnection>(std::move(stream), remote);
  greeting_.insert(connection);
  PeerConnection::Handlers handlers;
  handlers.on_message = [this, connection](const sideways::Message& message) {
    // The first frame is a Hello and nothing else. Its taker calls Resume, which has to come after the pause.
    asio::post(loop_, [this, connection, hello = std::get<sideways::Hello>(message)] {
      if (greeting_.erase(connection) > 0) on_hello_(connection, hello);
    });
    return PeerConnection::Next::kPause;
  };
  handlers.on_closed = [this, connection](const std::string& why) {
    greeting_.erase(connection);
    warnings_.Warn(fmt::format("peer at {}: {}", HostOf(connection->remote()), why));
  };
  connection->Start(std::move(handlers));
}

void PeerListener::Reload(TlsContext& now) {
  for (auto each = greeting_.begin(); each != greeting_.end();) {
    const std::shared_ptr<PeerConnection> connection = *each++;
    const Status good = connection->CheckAgain(now);
    if (good.ok()) continue;
    greeting_.erase(connection);
    connection->Close();
    warnings_.Warn(
        fmt::format("peer at {}: certificate refused: {}", HostOf(connection->remote()), good.message()));
  }
}

void PeerListener::Stop() {
  std::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& connection : std::exchange(greeting_, {})) connection->Close();
}

}  // namespace ssn::qkdn::proxy
