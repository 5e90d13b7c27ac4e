// SPDX-License-Identifier: LGPL-2.1-or-later
// program.h - one local program that is connected: its socket, its window, its streams.
//
// Errors:    whatever the program does wrong closes its own connection, with a line in the log.
// Ownership: owns the socket. The end of the connection burns what the program had not used.
// Threads:   that of the event loop.
// Spec:      src/qkdn/protocol/NORTH.md.

#pragma once

#include <sys/types.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "qkdn/protocol/north.h"
#include "qkdn/proxy/links.h"
#include "qkdn/proxy/program_stream.h"
#include "qkdn/proxy/warn_limit.h"
#include "qkdn/proxy/window.h"

namespace ssn::qkdn::proxy {

using HeldPad = std::map<std::pair<NodeId, PadDirection>, std::uint64_t>;

// What a program has with one peer: sessions that it sends in now, and pad used since it connected.
struct ProgramUse {
  std::size_t sessions = 0;
  std::uint64_t tx_used = 0;
  std::uint64_t rx_used = 0;
};

class Program : public ProgramStream::Host, public std::enable_shared_from_this<Program> {
 public:
  static constexpr std::size_t kMaxStreams = 16384;
  static constexpr std::size_t kMaxWaiting = 4096;  // requests not answered yet
  // Datagrams that the program has not read, and their bytes.
  static constexpr std::size_t kMaxUnsent = 65536;
  static constexpr std::size_t kMaxUnsentBytes = std::size_t{16} << 20;

  struct Credentials {
    pid_t pid = 0;
    uid_t uid = 0;
  };
  // `on_stopped` is called once, from the event loop, never from within a call of this class.
  Program(asio::io_context& loop, int socket, const Credentials& credentials, Links& links,
          WindowMemory& memory, WarnLimit& warnings, std::function<void()> on_stopped);
  ~Program() override;

  void Start() { Read(); }
  // Refuse answers with `reason` and stops; for a connection that must not become a program at all.
  void Refuse(north::Refusal reason, const std::string& message);
  // Stop ends the connection by the proxy's own decision: pad at hand is burnt, and left as it is, since the
  // program may be using it right now.
  void Stop(BurnReason reason) { End(reason, false); }

  bool greeted() const noexcept { return window_ != nullptr; }
  const std::string& name() const noexcept { return name_; }
  const Credentials& credentials() const noexcept { return credentials_; }
  std::size_t num_streams() const noexcept { return streams_.size(); }
  std::size_t num_attached() const { return links_.attachments().CountOf(this); }
  std::uint64_t window_bytes() const noexcept { return window_ ? window_->size() : 0; }
  std::map<NodeId, ProgramUse> Use() const;
  // AddHeld adds the pad in the window that is not used yet to what is held of each peer and direction.
  void AddHeld(HeldPad& held) const;

  Window& window() override { return *window_; }
  void Send(const north::FromProxy& message) override { SendWith(message, -1); }
  void RequestEnded() override { --waiting_; }
  void Used(NodeId peer, PadDirection direction, std::uint64_t bytes) override;

 private:
  void Read();
  void OnReadable();
  void Handle(ByteSpan datagram);
  void On(const north::Hello& message);
  void On(const north::Open& message);
  void On(const north::More& message);
  void On(const north::Release& message);
  void On(const north::Close& message);
  void On(const north::GetStatus& message);
  void On(const north::Attach& message);
  void On(const north::Detach& message);
  void On(const north::Find& message);
  void StartRequest(ProgramStream& stream, std::uint32_t request, std::uint64_t need, std::uint64_t want,
                    std::uint32_t wait_ms);
  bool CheckSizes(std::uint32_t request, const ProgramStream::Name& stream, std::uint64_t need,
                  std::uint64_t want, std::uint32_t wait_ms);
  void Answer(std::uint32_t request, north::Refusal reason, const std::string& message);
  void Malformed(std::uint32_t request, const std::string& message);
  std::uint32_t NewHandle();
  void SendWith(const north::FromProxy& message, int descriptor);
  // kFull: until the program reads. kNoMemory: the kernel has none just now, which is no fault of the
  // program's.
  enum class Sent { kYes, kFull, kNoMemory, kFailed };
  Sent TrySend(const std::vector<std::uint8_t>& datagram, int descriptor);
  void SendLater(Sent obstacle);
  void SendQueued();
  // True when the program's last descriptor of the socket is closed: nobody uses its window.
  bool HungUp();
  // Both end the connection as soon as the calls on the stack have returned. The window is wiped only if the
  // program has hung up: zeros would be taken for pad.
  void Gone();
  void Fail(const std::string& why);
  void End(BurnReason reason, bool wipe);

  asio::posix::stream_descriptor socket_;
  asio::steady_timer memory_timer_;
  const Credentials credentials_;
  Links& links_;
  WindowMemory& memory_;
  WarnLimit& warnings_;
  std::function<void()> on_stopped_;
  std::string name_;
  std::unique_ptr<Window> window_;
  std::map<std::uint32_t, std::unique_ptr<ProgramStream>> streams_;
  std::map<NodeId, ProgramUse> used_;  // without the sessions
  std::uint32_t last_handle_ = 0;
  std::size_t waiting_ = 0;
  std::deque<std::vector<std::uint8_t>> unsent_;
  std::size_t unsent_bytes_ = 0;
  bool writing_ = false;
  bool failed_ = false;
  bool stopped_ = false;
};

}  // namespace ssn::qkdn::proxy
