// SPDX-License-Identifier: LGPL-2.1-or-later
// peer_dialer.h - connects to the proxy of one other node, again and again until it has a connection.
//
// Errors:    every cause is logged once until it changes; between attempts there is a pause that grows.
// Ownership: what is under way; a connection goes to `on_connected`.
// Threads:   that of the event loop.

#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <string>

#include "qkdn/proxy/config.h"
#include "qkdn/proxy/peer_connection.h"

namespace ssn::qkdn::proxy {

class PeerDialer {
 public:
  // A connection whose certificate is for the peer's name, not started yet.
  using OnConnected = std::function<void(std::shared_ptr<PeerConnection>)>;
  PeerDialer(asio::io_context& loop, const Config::Peer& peer,
             std::function<std::shared_ptr<TlsContext>()> tls, OnConnected on_connected);

  // Dial begins, after the pause that past failures demand.
  void Dial();
  // What became of the connection after it was handed over: Failed makes the next pause longer (an empty
  // cause was logged already), Succeeded makes the same cause worth a line in the log again, Lasted begins
  // with short pauses.
  void Failed(const std::string& why);
  void Succeeded() { warned_.clear(); }
  void Lasted() { failures_ = 0; }
  void Stop();

 private:
  struct Attempt;
  void Try();
  void Connected(const std::shared_ptr<Attempt>& attempt);
  void Retry(const std::shared_ptr<Attempt>& attempt, const std::string& why);

  asio::io_context& loop_;
  const Config::Peer peer_;
  const std::function<std::shared_ptr<TlsContext>()> tls_;
  const OnConnected on_connected_;
  asio::ip::tcp::resolver resolver_;
  asio::steady_timer pause_;
  std::shared_ptr<Attempt> attempt_;
  unsigned failures_ = 0;
  std::string warned_;
  bool stopped_ = false;
  std::minstd_rand jitter_;
};

}  // namespace ssn::qkdn::proxy
