// SPDX-License-Identifier: LGPL-2.1-or-later
// connection.h - one connection to the proxy, shared by the threads and streams of a program.
//
// There is no thread of its own: of the threads that wait for an answer, one reads the socket and hands out
// what comes to all of them.
//
// Errors:    whatever the proxy does wrong ends the connection for all its users (lost()), and so does a
//            message there is no memory for; otherwise std::bad_alloc comes to the caller, and nothing has
//            changed. A connection is never revived. It is not closed then: the proxy may only learn
//            that nobody uses the window when that is so, which is when the last user is gone.
// Ownership: held by shared_ptr. In a child of fork() it is left as it is, for ever: see fork_mark.h.
// Threads:   any number. Members that take a lock need the lock of this connection, held.
// Spec:      src/qkdn/protocol/NORTH.md.

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "qkdn/client/fork_mark.h"
#include "qkdn/client/granted_pad.h"
#include "qkdn/client/handshake.h"
#include "qkdn/client/socket.h"
#include "qkdn/protocol/north.h"

namespace ssn::qkdn::client {

// A question to the proxy and what became of it.
struct Request {
  enum class State { kNone, kWaiting, kDone, kRefused };
  std::uint32_t number = 0;
  State state = State::kNone;
  north::Refusal reason = north::Refusal::kMalformed;  // kRefused
  std::string text;                                    // the reason in words, or the answer to GetStatus

  static Request Waiting(std::uint32_t number) {
    Request request;
    request.number = number;
    request.state = State::kWaiting;
    return request;
  }
  bool waiting() const noexcept { return state == State::kWaiting; }
};

// A stream as the connection sees it.
struct StreamState {
  std::uint32_t handle = 0;
  PadEpoch epoch{};
  std::vector<north::Grant> incoming;  // not yet taken by the stream
  bool ended = false;
  north::Refusal end_reason = north::Refusal::kStreamEnded;
  Request demand;    // somebody waits for it
  Request prefetch;  // nobody does
};

class Connection {
 public:
  using Lock = std::unique_lock<std::mutex>;

  static Result<std::shared_ptr<Connection>> Make(const PadClient::Options& options, Deadline deadline);

  // False in a child of fork(): then nothing but ours() may be called.
  bool ours() const noexcept { return mark_ == ProcessMark(); }
  bool lost() const noexcept { return lost_.load(std::memory_order_acquire); }
  bool usable() const noexcept { return ours() && !lost(); }
  const PadClient::Node& node() const noexcept { return node_; }
  std::chrono::milliseconds dry_wait() const noexcept { return dry_wait_; }
  const MappedWindow& window() const noexcept { return *window_; }

  Lock Hold() { return Lock(mutex_); }
  // Why it is lost. REQUIRES: lost().
  Status LostStatus(const Lock& lock) const;

  // Open asks for a stream and waits for Opened: nullptr when it was refused (see `request`), in time or
  // not, or lost. To transmit, the request goes on as the stream's demand.
  StreamState* Open(Lock& lock, north::Open open, Deadline deadline, Request& request);
  // More sends a request that ends in `request`, a member of `stream`. False: there was no room in the
  // socket until the deadline, or the connection is lost.
  bool More(Lock& lock, StreamState& stream, Request& request, north::More more, Deadline deadline);
  // Ask sends a question (GetStatus, Attach or Find) and waits for the answer: waiting() afterwards means
  // that none came in time.
  template <typename Question>
  void Ask(Lock& lock, Question question, Deadline deadline, Request& request);
  // Detach: see ssn/pad_client.h.
  void Detach(Lock& lock, const StreamId& stream) noexcept;
  // Release tells the proxy that the stream's pad below `offset` is used. False: not now, try again later.
  bool Release(Lock& lock, const StreamState& stream, std::uint64_t offset) noexcept;
  // Close ends the stream, wipes what it has not taken and destroys its state. `unreleased`: up to here its pad is used, which the proxy
  // was not told yet; 0: it was.
  void Close(Lock& lock, StreamState& stream, std::uint64_t unreleased) noexcept;

  // Drain takes what has come, without waiting.
  void Drain(Lock& lock) noexcept { Step(lock, Clock::now()); }
  // WaitFor returns when `ready`, or the connection is lost, or at the deadline; true if `ready`.
  template <typename Ready>
  bool WaitFor(Lock& lock, Deadline deadline, Ready ready) {
    while (!ready() && !lost())
      if (!Step(lock, deadline)) break;
    return ready();
  }

 private:
  Connection(Greeted greeted, std::chrono::milliseconds dry_wait);
  struct Deleter {
    void operator()(Connection* connection) const noexcept {
      if (connection->ours()) delete connection;
    }
  };
  struct Opening {
    Request* request;
    PadDirection direction;
    StreamState* stream = nullptr;
  };

  bool Step(Lock& lock, Deadline deadline) noexcept;
  bool ReadAll() noexcept;
  bool Send(Lock& lock, const north::FromProgram& message, Deadline deadline) noexcept;
  bool TrySend(const north::FromProgram& message) noexcept;
  std::uint32_t NextNumber();
  void Forget(Request& request) noexcept;
  void Lose(std::string_view why) noexcept;

  void On(const north::Welcome& welcome);
  void On(const north::Opened& opened);
  void On(const north::Grant& grant);
  void On(const north::Done& done);
  void On(const north::Refused& refused);
  void On(const north::Ended& ended);
  void On(const north::StatusText& status);
  Request* Finish(std::uint32_t number, Request::State state);

  const std::uint64_t mark_ = ProcessMark();
  const std::unique_ptr<Socket> socket_;  // closed after the window is unmapped
  const std::unique_ptr<MappedWindow> window_;
  const PadClient::Node node_;
  const std::chrono::milliseconds dry_wait_;

  std::atomic<bool> lost_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reading_ = false;  // some thread waits for the socket
  std::string lost_why_;
  std::uint32_t last_number_ = 0;
  std::map<std::uint32_t, Request*> requests_;  // that wait for an answer
  std::map<std::uint32_t, Opening*> openings_;
  std::map<std::uint32_t, std::unique_ptr<StreamState>> streams_;
  GrantedPad granted_;
  std::vector<std::uint8_t> buffer_;
};

template <typename Question>
void Connection::Ask(Lock& lock, Question question, Deadline deadline, Request& request) {
  question.request = NextNumber();
  request = Request::Waiting(question.request);
  requests_[request.number] = &request;
  if (Send(lock, question, deadline)) WaitFor(lock, deadline, [&] { return !request.waiting(); });
  requests_.erase(request.number);
}

}  // namespace ssn::qkdn::client
