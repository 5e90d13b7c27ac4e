// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/connection.h"

#include <chrono>
#include <new>
#include <utility>

#include "qkdn/client/refusal.h"
#include "ssn/secret.h"

namespace ssn::qkdn::client {
namespace {

// A proxy that leaves a Close unread for so long will not read anything else either.
constexpr std::chrono::milliseconds kClosePatience{1000};
// After so many datagrams a reading thread looks at its own deadline again.
constexpr int kMaxDatagramsAtOnce = 256;
// A message that was read in part is not there to be read again.
constexpr const char* kNoMemory = "no memory";

}  // namespace

Connection::Connection(Greeted greeted, std::chrono::milliseconds dry_wait)
    : socket_(std::move(greeted.socket)),
      window_(std::move(greeted.window)),
      node_(std::move(greeted.node)),
      dry_wait_(dry_wait),
      granted_(window_->size()),
      buffer_(north::kMaxMessageBytes) {}

Result<std::shared_ptr<Connection>> Connection::Make(const PadClient::Options& options, Deadline deadline) {
  auto greeted = Greet(options, deadline);
  if (!greeted.ok()) return greeted.status();
  return std::shared_ptr<Connection>(new Connection(std::move(greeted).value(), options.dry_wait), Deleter());
}

Status Connection::LostStatus(const Lock&) const {
  return Status::Unavailable("pad proxy: connection lost: " + lost_why_);
}

void Connection::Lose(std::string_view why) noexcept {
  if (lost()) return;
  try {
    lost_why_ = why;
  } catch (const std::bad_alloc&) {
  }
  lost_.store(true, std::memory_order_release);
  changed_.notify_all();
}

std::uint32_t Connection::NextNumber() {
  do {
    ++last_number_;
  } while (last_number_ == 0 || requests_.contains(last_number_) || openings_.contains(last_number_));
  return last_number_;
}

// False: there is no room, or the connection is lost.
bool Connection::TrySend(const north::FromProgram& message) noexcept {
  Socket::Outcome outcome = Socket::Outcome::kNotNow;
  try {
    if (!lost()) outcome = socket_->Send(north::Encode(message));
  } catch (const std::bad_alloc&) {
    Lose(kNoMemory);
  }
  if (outcome == Socket::Outcome::kEnded) {
    if (!reading_) ReadAll();  // the reason may be there to be read
    Lose("the proxy is gone");
  }
  return outcome == Socket::Outcome::kOk;
}

bool Connection::Send(Lock& lock, const north::FromProgram& message, Deadline deadline) noexcept {
  while (!TrySend(message)) {
    if (lost()) return false;
    lock.unlock();
    const bool room = socket_->WaitToSend(deadline);
    lock.lock();
    if (!room) return false;
  }
  return true;
}

StreamState* Connection::Open(Lock& lock, north::Open open, Deadline deadline, Request& request) {
  open.request = NextNumber();
  request = Request::Waiting(open.request);
  Opening opening{&request, open.direction};
  openings_[open.request] = &opening;
  if (Send(lock, open, deadline))
    WaitFor(lock, deadline, [&] { return opening.stream != nullptr || !request.waiting(); });
  openings_.erase(open.request);  // an Opened that comes later is answered with Close
  return opening.stream;
}

bool Connection::More(Lock& lock, StreamState& stream, Request& request, north::More more,
                      Deadline deadline) {
  more.request = NextNumber();
  more.handle = stream.handle;
  requests_[more.request] = &request;
  request = Request::Waiting(more.request);
  if (Send(lock, more, deadline)) return true;
  Forget(request);
  return false;
}

void Connection::Forget(Request& request) noexcept {
  requests_.erase(request.number);
  request.state = Request::State::kNone;
}

bool Connection::Release(Lock&, const StreamState& stream, std::uint64_t offset) noexcept {
  if (!TrySend(north::Release{stream.handle, offset})) return lost();
  granted_.Release(stream.handle, offset);
  return true;
}

void Connection::Close(Lock& lock, StreamState& stream, std::uint64_t unreleased) noexcept {
  for (Request* request : {&stream.demand, &stream.prefetch})
    if (request->waiting()) Forget(*request);
  const std::uint32_t handle = stream.handle;
  for (const north::Grant& pad : stream.incoming) Wipe(window_->At(pad.window_offset, pad.length));
  granted_.Close(handle);
  streams_.erase(handle);
  const Deadline patience = After(kClosePatience);
  if ((unreleased > 0 && !Send(lock, north::Release{handle, unreleased}, patience)) ||
      !Send(lock, north::Close{handle}, patience))
    Lose("the proxy does not read");
}

void Connection::Detach(Lock& lock, const StreamId& stream) noexcept {
  if (!Send(lock, north::Detach{stream}, After(kClosePatience))) Lose("the proxy does not read");
}

// One step of waiting: false if the deadline has passed.
bool Connection::Step(Lock& lock, Deadline deadline) noexcept {
  if (reading_) {
    changed_.wait_until(lock, deadline);
  } else {
    reading_ = true;
    if (!ReadAll() && !lost()) {
      lock.unlock();
      const bool readable = socket_->WaitToReceive(deadline);
      lock.lock();
      if (readable) ReadAll();
    }
    reading_ = false;
    changed_.notify_all();
  }
  return Clock::now() < deadline;
}

// Takes the datagrams that have come; false if there were none.
bool Connection::ReadAll() noexcept try {
  for (int count = 0; count < kMaxDatagramsAtOnce; ++count) {
    std::size_t size = 0;
    const Socket::Outcome outcome = lost() ? Socket::Outcome::kNotNow : socket_->Receive(buffer_, &size);
    if (outcome == Socket::Outcome::kNotNow) return count > 0;
    if (outcome == Socket::Outcome::kEnded) return Lose("the proxy is gone"), true;
    if (size > buffer_.size())
      return Lose("a datagram of " + std::to_string(size) + " bytes came from the proxy"), true;
    const auto message = north::DecodeFromProxy(ByteSpan(buffer_).first(size));
    if (!message.ok()) return Lose(message.status().message()), true;
    std::visit([this](const auto& m) { On(m); }, message.value());
  }
  return true;
} catch (const std::bad_alloc&) {
  Lose(kNoMemory);
  return true;
}

Request* Connection::Finish(std::uint32_t number, Request::State state) {
  const auto found = requests_.find(number);
  if (found == requests_.end()) return nullptr;
  Request* request = found->second;
  requests_.erase(found);
  request->state = state;
  return request;
}

void Connection::On(const north::Welcome&) { Lose("a second Welcome"); }

void Connection::On(const north::Opened& opened) {
  if (Status status = granted_.Open(opened.handle); !status.ok()) return Lose(status.message());
  const auto found = openings_.find(opened.request);
  if (found == openings_.end() || found->second->stream != nullptr) {
    // Nobody waits for it any more.
    granted_.Close(opened.handle);
    if (!TrySend(north::Close{opened.handle})) Lose("the proxy does not read");
    return;
  }
  Opening& opening = *found->second;
  auto& stream = streams_[opened.handle] = std::make_unique<StreamState>();
  stream->handle = opened.handle;
  stream->epoch = opened.epoch;
  if (opening.direction == PadDirection::kTransmit) {
    stream->demand = *opening.request;
    requests_[opened.request] = &stream->demand;
  }
  opening.stream = stream.get();
}

void Connection::On(const north::Grant& grant) {
  const auto found = streams_.find(grant.handle);
  if (found == streams_.end()) return;  // it has crossed our Close
  if (Status status = granted_.Add(grant); !status.ok()) return Lose(status.message());
  found->second->incoming.push_back(grant);
}

void Connection::On(const north::Done& done) { Finish(done.request, Request::State::kDone); }

void Connection::On(const north::Refused& refused) {
  if (refused.request == 0) return Lose(ToStatus(refused.reason, "refused", refused.message).message());
  Request* request = Finish(refused.request, Request::State::kRefused);
  if (const auto opening = openings_.find(refused.request); request == nullptr && opening != openings_.end())
    request = opening->second->request;
  if (request == nullptr) return;
  request->state = Request::State::kRefused;
  request->reason = refused.reason;
  request->text = refused.message;
}

void Connection::On(const north::Ended& ended) {
  const auto found = streams_.find(ended.handle);
  if (found == streams_.end()) return;
  found->second->ended = true;
  found->second->end_reason = ended.reason;
}

void Connection::On(const north::StatusText& status) {
  if (const auto found = requests_.find(status.request); found != requests_.end())
    found->second->text = status.json;
  Finish(status.request, Request::State::kDone);
}

}  // namespace ssn::qkdn::client
