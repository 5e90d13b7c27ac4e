// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/peer_dialer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <asio/connect.hpp>
#include <utility>

namespace ssn::qkdn::proxy {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstPause = 50ms;
constexpr std::chrono::milliseconds kLongestPause = 2s;
constexpr auto kToConnect = 5s;
constexpr unsigned kMaxDoublings = 6;

}  // namespace

// What belongs to one attempt: the timer closes the socket when it takes too long.
struct PeerDialer::Attempt {
  Attempt(asio::io_context& loop, std::shared_ptr<TlsContext> context)
      : stream(std::make_unique<TlsStream>(loop, *context)), timer(loop, kToConnect) {}
  std::unique_ptr<TlsStream> stream;
  asio::steady_timer timer;
  bool timed_out = false;
};

PeerDialer::PeerDialer(asio::io_context& loop, const Config::Peer& peer,
                       std::function<std::shared_ptr<TlsContext>()> tls, OnConnected on_connected)
    : loop_(loop),
      peer_(peer),
      tls_(std::move(tls)),
      on_connected_(std::move(on_connected)),
      resolver_(loop),
      pause_(loop),
      jitter_(std::random_device{}()) {}

void PeerDialer::Dial() {
  if (stopped_ || attempt_) return;
  std::chrono::milliseconds pause{0};
  if (failures_ > 0) {
    pause = std::min(kFirstPause * (1 << std::min(failures_ - 1, kMaxDoublings)), kLongestPause);
    pause = pause * std::uniform_int_distribution<int>(75, 100)(jitter_) / 100;
  }
  pause_.expires_after(pause);
  pause_.async_wait([this](std::error_code error) {
    if (!error && !stopped_) Try();
  });
}

void PeerDialer::Try() {
  attempt_ = std::make_shared<Attempt>(loop_, tls_());
  attempt_->timer.async_wait([this, attempt = attempt_](std::error_code error) {
    if (error || !attempt->stream) return;
    std::error_code ignored;
    attempt->timed_out = true;
    resolver_.cancel();
    attempt->stream->lowest_layer().close(ignored);
  });
  resolver_.async_resolve(
      peer_.address.host, std::to_string(peer_.address.port),
      [this, attempt = attempt_](std::error_code error, const tcp::resolver::results_type& results) {
        if (stopped_) return;
        if (error) return Retry(attempt, error.message());
        asio::async_connect(attempt->stream->lowest_layer(), results,
                            [this, attempt](std::error_code refused, const tcp::endpoint&) {
                              if (stopped_) return;
                              if (refused) return Retry(attempt, refused.message());
                              Connected(attempt);
                            });
      });
}

void PeerDialer::Connected(const std::shared_ptr<Attempt>& attempt) {
  std::error_code ignored;
  attempt->stream->lowest_layer().set_option(tcp::no_delay(true), ignored);
  attempt->stream->async_handshake(TlsStream::client, [this, attempt](std::error_code error) {
    if (stopped_) return;
    if (error) return Retry(attempt, "no TLS: " + HandshakeFault(*attempt->stream, error));
    if (Status named = CheckPeerName(*attempt->stream, peer_.name); !named.ok())
      return Retry(attempt, named.message());
    // The revocation list may have been read again since the handshake began.
    if (Status good = CheckPeerAgain(*attempt->stream, *tls_()); !good.ok())
      return Retry(attempt, "certificate refused: " + good.message());
    attempt->timer.cancel();
    attempt_.reset();
    on_connected_(std::make_shared<PeerConnection>(std::move(attempt->stream), ToString(peer_.address)));
  });
}

void PeerDialer::Retry(const std::shared_ptr<Attempt>& attempt, const std::string& why) {
  attempt->timer.cancel();
  attempt_.reset();
  Failed(attempt->timed_out ? "no answer in time" : why);
  Dial();
}

void PeerDialer::Failed(const std::string& why) {
  ++failures_;
  if (stopped_ || why.empty() || why == warned_) return;
  warned_ = why;
  spdlog::warn("link to {} (node {}) at {}: {}", peer_.name, peer_.id, ToString(peer_.address), why);
}

void PeerDialer::Stop() {
  stopped_ = true;
  resolver_.cancel();
  pause_.cancel();
  if (!attempt_) return;
  std::error_code ignored;
  attempt_->timer.cancel();
  attempt_->stream->lowest_layer().close(ignored);
  attempt_.reset();
}

}  // namespace ssn::qkdn::proxy
