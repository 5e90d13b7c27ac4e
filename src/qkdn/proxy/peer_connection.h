// SPDX-License-Identifier: LGPL-2.1-or-later
// peer_connection.h - one TLS connection to the proxy of another node, from its handshake on: frames in,
// frames out, and the watch over whether the other end is still there.
//
// Errors:    whatever the peer does wrong, silence included, closes the connection; `on_closed` says why.
// Ownership: shared by its owner and the operations under way.
// Threads:   that of the event loop. Handlers are called from there, never from within a call of this class.
// Spec:      src/qkdn/protocol/SIDEWAYS.md.

#pragma once

#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "qkdn/protocol/sideways.h"
#include "qkdn/proxy/link_io.h"
#include "qkdn/proxy/peer_tls.h"

namespace ssn::qkdn::proxy {

class PeerConnection : public std::enable_shared_from_this<PeerConnection> {
 public:
  static constexpr std::chrono::milliseconds kPingEvery{1000};
  static constexpr std::chrono::milliseconds kDeadAfter{5000};  // without any frame
  static constexpr std::size_t kMaxUnsentBytes = std::size_t{8} << 20;

  enum class Next { kRead, kPause, kClose };
  struct Handlers {
    std::function<Next(sideways::Message)> on_message;  // everything but Ping and Pong
    std::function<void(const std::string& why)> on_closed;
  };

  PeerConnection(std::unique_ptr<TlsStream> stream, std::string remote);

  // Start begins to read. The first frame has to be a Hello.
  void Start(Handlers handlers);
  // Resume goes on after kPause, with new handlers.
  void Resume(Handlers handlers);
  void Send(const sideways::Message& message);
  // Close ends the connection at once; on_closed is not called. CloseWhenSent lets what is queued go out
  // first.
  void Close();
  void CloseWhenSent();
  // AskWhetherAlive calls back with true as soon as the peer answers, or with false after `patience` or when
  // closed.
  void AskWhetherAlive(std::chrono::milliseconds patience, std::function<void(bool)> answer);

  Status CheckName(const std::string& name) { return CheckPeerName(*stream_, name); }
  Status CheckAgain(TlsContext& now) { return CheckPeerAgain(*stream_, now); }
  const std::string& remote() const noexcept { return remote_; }

 private:
  void Read();
  void OnRead(std::size_t bytes);
  // False: nothing more is to be read for now.
  bool TakeFrames();
  bool Take(ByteSpan frame);
  void Write();
  void Watch();
  void Fail(const std::string& why);

  const std::unique_ptr<TlsStream> stream_;
  const std::string remote_;
  Handlers handlers_;
  asio::steady_timer watch_;
  std::vector<std::uint8_t> in_;  // from in_begin_ on not looked at yet
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::vector<std::uint8_t> queued_;
  std::vector<std::uint8_t> out_;  // being written
  bool writing_ = false;
  bool greeted_ = false;
  bool paused_ = false;
  bool closing_ = false;
  bool closed_ = false;
  Clock::time_point last_frame_;
  std::uint64_t last_token_ = 0;
  std::function<void(bool)> answer_;
  std::uint64_t answer_token_ = 0;
  Clock::time_point answer_by_;
};

}  // namespace ssn::qkdn::proxy
