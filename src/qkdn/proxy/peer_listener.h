// SPDX-License-Identifier: LGPL-2.1-or-later
// peer_listener.h - takes in connections of other proxies, up to their Hello.
//
// Errors:    Listen answers kUnavailable with address and reason. Connections that fail are logged and
//            closed.
// Ownership: the listening socket; a connection goes to whoever `on_hello` gives it to.
// Threads:   that of the event loop.
// Spec:      src/qkdn/protocol/SIDEWAYS.md.

#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <set>

#include "qkdn/proxy/config.h"
#include "qkdn/proxy/peer_connection.h"
#include "qkdn/proxy/warn_limit.h"

namespace ssn::qkdn::proxy {

class PeerListener {
 public:
  static constexpr std::size_t kMaxUngreeted = 64;  // connections without a Hello so far

  static constexpr std::chrono::milliseconds kToShakeHands{5000};

  // The connection is paused when `on_hello` is called; whoever takes it calls Resume.
  using OnHello = std::function<void(std::shared_ptr<PeerConnection>, const sideways::Hello&)>;
  PeerListener(asio::io_context& loop, std::function<std::shared_ptr<TlsContext>()> tls, OnHello on_hello,
               std::chrono::milliseconds to_shake_hands = kToShakeHands)
      : loop_(loop),
        to_shake_hands_(to_shake_hands),
        acceptor_(loop),
        tls_(std::move(tls)),
        on_hello_(std::move(on_hello)) {}

  Status Listen(const HostPort& address);
  std::uint16_t port() const;
  // Reload closes connections without a Hello whose certificate `now` does not accept; a handshake under way
  // is checked when it ends.
  void Reload(TlsContext& now);
  void Stop();

 private:
  struct Handshake;
  void Accept();
  void Take(asio::ip::tcp::socket socket);
  void ShookHands(std::unique_ptr<TlsStream> stream, const std::string& remote, std::error_code error);
  void Greet(std::unique_ptr<TlsStream> stream, const std::string& remote);

  asio::io_context& loop_;
  const std::chrono::milliseconds to_shake_hands_;
  asio::ip::tcp::acceptor acceptor_;
  const std::function<std::shared_ptr<TlsContext>()> tls_;
  const OnHello on_hello_;
  WarnLimit warnings_;
  std::size_t in_handshake_ = 0;
  std::set<std::shared_ptr<PeerConnection>> greeting_;
};

}  // namespace ssn::qkdn::proxy
