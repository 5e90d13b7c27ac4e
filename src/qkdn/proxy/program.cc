// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/program.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>

namespace ssn::qkdn::proxy {
namespace {

using north::Refusal;

constexpr int kDatagramsPerTurn = 64;  // then other programs have theirs
constexpr auto kUntilMemory = std::chrono::milliseconds(10);

std::string Hex(const StreamId& id) {
  std::string text;
  for (const std::uint8_t byte : id) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

Program::Program(asio::io_context& loop, int socket, const Credentials& credentials, Links& links,
                 WindowMemory& memory, WarnLimit& warnings, std::function<void()> on_stopped)
    : socket_(loop, socket),
      memory_timer_(loop),
      credentials_(credentials),
      links_(links),
      memory_(memory),
      warnings_(warnings),
      on_stopped_(std::move(on_stopped)) {}

Program::~Program() = default;

void Program::Read() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](std::error_code error) {
                       if (self->stopped_) return;
                       if (error) return self->Gone();
                       self->OnReadable();
                     });
}

void Program::OnReadable() {
  // All programs are read by one thread, so one buffer serves them all.
  static thread_local std::array<std::uint8_t, north::kMaxMessageBytes> buffer;
  for (int i = 0; i < kDatagramsPerTurn && !failed_ && !stopped_; ++i) {
    const ssize_t got = recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    // A program that ended with messages unread is a reset, once; its own last messages come behind it.
    if (got < 0 && (errno == EINTR || errno == ECONNRESET)) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM)) break;
    if (got <= 0) return Gone();
    const auto length = static_cast<std::size_t>(got);
    if (length > buffer.size()) return Malformed(0, fmt::format("a datagram of {} bytes", length));
    Handle(ByteSpan(buffer).first(length));
  }
  if (!failed_ && !stopped_) Read();
}

void Program::Handle(ByteSpan datagram) {
  Result<north::FromProgram> message = north::DecodeFromProgram(datagram);
  if (!message.ok()) return Malformed(0, message.status().message());
  const bool is_hello = std::holds_alternative<north::Hello>(message.value());
  if (is_hello == greeted())
    return Malformed(0, is_hello ? "a second Hello" : "the first message is not Hello");
  std::visit([this](const auto& each) { On(each); }, message.value());
}

void Program::On(const north::Hello& message) {
  name_ = message.program;
  Result<std::unique_ptr<Window>> window = Window::Make(message.window_bytes, memory_);
  if (!window.ok()) return Refuse(Refusal::kWindowFull, window.status().message());
  window_ = std::move(window).value();
  SendWith(north::Welcome{links_.self(), window_->size(), links_.self_name()}, window_->descriptor());
}

void Program::On(const north::Open& message) {
  const ProgramStream::Name name{message.stream, message.peer, message.direction, message.kind};
  const LinkParts* link = message.peer == links_.self() ? nullptr : links_.Find(message.peer);
  if (link == nullptr)
    return Answer(
        message.request, Refusal::kUnknownPeer,
        fmt::format("peer={} is {}", message.peer,
                    message.peer == links_.self() ? "this node itself" : "not in the proxy's configuration"));
  if (!CheckSizes(message.request, name, message.need, message.want, message.wait_ms)) return;
  if (streams_.size() >= kMaxStreams)
    return Answer(message.request, Refusal::kWindowFull, fmt::format("{} streams are open", streams_.size()));

  const std::uint32_t handle = NewHandle();
  auto stream = std::make_unique<ProgramStream>(*this, *link, handle, name);
  switch (stream->Open()) {
    case StreamOpening::kOk:
      break;
    case StreamOpening::kExists:
      return Answer(message.request, Refusal::kStreamExists,
                    fmt::format("stream {} is or was in use in this direction", Hex(message.stream)));
    case StreamOpening::kLinkDown:
      return Answer(message.request, Refusal::kLinkDown,
                    fmt::format("the proxy of peer={} is not connected", message.peer));
    case StreamOpening::kNothingKept:
      return Answer(
          message.request, Refusal::kNoSuchStream,
          fmt::format("no pad is kept for envelope {} of peer={}", Hex(message.stream), message.peer));
    case StreamOpening::kTooMany:
      return Answer(message.request, Refusal::kWindowFull,
                    fmt::format("too many sessions of this program wait for programs at peer={} to open them",
                                message.peer));
    case StreamOpening::kNoRoom:
      return Answer(message.request, Refusal::kWindowFull,
                    fmt::format("the window of {} bytes has no room for the pad kept", window_->size()));
  }
  ProgramStream& opened = *streams_.emplace(handle, std::move(stream)).first->second;
  opened.Start(message.request);
  if (message.direction == PadDirection::kTransmit)
    StartRequest(opened, message.request, message.need, message.want, message.wait_ms);
}

void Program::On(const north::More& message) {
  const auto found = streams_.find(message.handle);
  if (found == streams_.end())
    return Answer(message.request, Refusal::kNoSuchStream,
                  fmt::format("handle={} is not open", message.handle));
  ProgramStream& stream = *found->second;
  if (stream.name().direction != PadDirection::kTransmit)
    return Malformed(message.request, fmt::format("More for handle={}, which receives", message.handle));
  if (stream.name().kind == north::StreamKind::kEnvelope)
    return Malformed(message.request, fmt::format("More for handle={}, an envelope", message.handle));
  if (!CheckSizes(message.request, stream.name(), message.need, message.want, message.wait_ms)) return;
  if (stream.ended()) return Answer(message.request, Refusal::kStreamEnded, "the stream has ended");
  StartRequest(stream, message.request, message.need, message.want, message.wait_ms);
}

bool Program::CheckSizes(std::uint32_t request, const ProgramStream::Name& stream, std::uint64_t need,
                         std::uint64_t want, std::uint32_t wait_ms) {
  if (wait_ms > north::kMaxWaitMs)
    return Malformed(request, fmt::format("wait_ms={} is above {}", wait_ms, north::kMaxWaitMs)), false;
  if (stream.direction == PadDirection::kReceive && (need != 0 || want != 0))
    return Malformed(request, fmt::format("need={} want={} to receive", need, want)), false;
  if (stream.kind == north::StreamKind::kEnvelope && stream.direction == PadDirection::kTransmit) {
    if (need == 0 || need > kMaxEnvelopePadBytes)
      return Answer(request, Refusal::kTooLarge,
                    fmt::format("need={} of an envelope is outside 1..{}", need, kMaxEnvelopePadBytes)),
             false;
  }
  if (const std::uint64_t most = window_->MostFor(need); need > most)
    return Answer(
               request, Refusal::kTooLarge,
               fmt::format("need={} is more than the {} bytes that the window can hold at once", need, most)),
           false;
  return true;
}

void Program::StartRequest(ProgramStream& stream, std::uint32_t request, std::uint64_t need,
                           std::uint64_t want, std::uint32_t wait_ms) {
  if (waiting_ >= kMaxWaiting)
    return Answer(request, Refusal::kDry, fmt::format("{} requests of this program wait already", waiting_));
  ++waiting_;
  const bool exact = stream.name().kind == north::StreamKind::kEnvelope;
  stream.Request({request, need, exact ? need : std::clamp(want, need, std::max(need, window_->size())),
                  Clock::now() + std::chrono::milliseconds(wait_ms)});
}

void Program::On(const north::Release& message) {
  const auto found = streams_.find(message.handle);
  if (found == streams_.end()) return Malformed(0, fmt::format("Release of handle={}", message.handle));
  if (!found->second->Release(message.offset))
    Malformed(0, fmt::format("Release of handle={} to offset={}: out of order, or more than was granted",
                             message.handle, message.offset));
}

void Program::On(const north::Close& message) {
  const auto found = streams_.find(message.handle);
  if (found == streams_.end()) return Malformed(0, fmt::format("Close of handle={}", message.handle));
  found->second->Close(BurnReason::kStreamClosed, true);
  streams_.erase(found);
}

void Program::On(const north::GetStatus& message) {
  Send(north::StatusText{message.request, links_.StatusJson()});
}

void Program::On(const north::Attach& message) {
  switch (links_.attachments().Add(message.stream, this)) {
    case Attachments::Outcome::kOk:
      return Send(north::Done{message.request});
    case Attachments::Outcome::kExists:
      return Answer(message.request, Refusal::kStreamExists,
                    fmt::format("stream {} is attached already", Hex(message.stream)));
    case Attachments::Outcome::kTooMany:
      return Answer(message.request, Refusal::kWindowFull,
                    fmt::format("{} streams are attached", Attachments::kMaxOfAnOwner));
  }
}

void Program::On(const north::Detach& message) { links_.attachments().Remove(message.stream, this); }

void Program::On(const north::Find& message) {
  if (links_.attachments().Contains(message.stream)) return Send(north::Done{message.request});
  Answer(message.request, Refusal::kNoSuchStream, "its transmitting end is not attached to this proxy");
}

std::uint32_t Program::NewHandle() {
  do ++last_handle_;
  while (last_handle_ == 0 || streams_.contains(last_handle_));
  return last_handle_;
}

void Program::Used(NodeId peer, PadDirection direction, std::uint64_t bytes) {
  ProgramUse& use = used_[peer];
  (direction == PadDirection::kTransmit ? use.tx_used : use.rx_used) += bytes;
}

std::map<NodeId, ProgramUse> Program::Use() const {
  std::map<NodeId, ProgramUse> use = used_;
  for (const auto& [handle, stream] : streams_) {
    const ProgramStream::Name& name = stream->name();
    if (name.direction == PadDirection::kTransmit && name.kind == north::StreamKind::kSession)
      ++use[name.peer].sessions;
  }
  return use;
}

void Program::AddHeld(HeldPad& held) const {
  for (const auto& [handle, stream] : streams_)
    held[{stream->name().peer, stream->name().direction}] += stream->held();
}

void Program::Answer(std::uint32_t request, Refusal reason, const std::string& message) {
  Send(north::Refused{request, reason, message});
}

void Program::Malformed(std::uint32_t request, const std::string& message) {
  Answer(request, Refusal::kMalformed, message);
  Fail("malformed: " + message);
}

void Program::Refuse(Refusal reason, const std::string& message) {
  Answer(0, reason, message);
  Fail(message);
}

void Program::SendWith(const north::FromProxy& message, int descriptor) {
  if (failed_ || stopped_) return;
  std::vector<std::uint8_t> datagram = north::Encode(message);
  Sent obstacle = Sent::kFull;
  if (unsent_.empty()) {
    obstacle = TrySend(datagram, descriptor);
    if (obstacle == Sent::kYes) return;
    if (obstacle == Sent::kFailed) return Gone();
    if (descriptor >= 0) return Fail("does not take its window");
  }
  if (unsent_.size() >= kMaxUnsent || unsent_bytes_ + datagram.size() > kMaxUnsentBytes)
    return Fail(fmt::format("has not read {} messages", unsent_.size()));
  unsent_bytes_ += datagram.size();
  unsent_.push_back(std::move(datagram));
  SendLater(obstacle);
}

Program::Sent Program::TrySend(const std::vector<std::uint8_t>& datagram, int descriptor) {
  iovec part{const_cast<std::uint8_t*>(datagram.data()), datagram.size()};  // sendmsg does not write there
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  for (;;) {
    if (sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return Sent::kYes;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Sent::kFull;
    return errno == ENOBUFS || errno == ENOMEM ? Sent::kNoMemory : Sent::kFailed;
  }
}

void Program::SendLater(Sent obstacle) {
  if (std::exchange(writing_, true)) return;
  auto again = [self = shared_from_this()](std::error_code error) {
    self->writing_ = false;
    if (self->stopped_ || self->failed_) return;
    if (error) return self->Gone();
    self->SendQueued();
  };
  if (obstacle == Sent::kFull)
    return socket_.async_wait(asio::posix::stream_descriptor::wait_write, std::move(again));
  // The socket counts as writable all the while: waiting for that would spin.
  memory_timer_.expires_after(kUntilMemory);
  memory_timer_.async_wait(std::move(again));
}

void Program::SendQueued() {
  while (!unsent_.empty()) {
    const Sent sent = TrySend(unsent_.front(), -1);
    if (sent == Sent::kFailed) return Gone();
    if (sent != Sent::kYes) return SendLater(sent);
    unsent_bytes_ -= unsent_.front().size();
    unsent_.pop_front();
  }
}

bool Program::HungUp() {
  pollfd socket{socket_.native_handle(), 0, 0};
  return poll(&socket, 1, 0) > 0 && (socket.revents & POLLHUP) != 0;
}

void Program::Gone() {
  if (stopped_ || std::exchange(failed_, true)) return;
  asio::post(socket_.get_executor(),
             [self = shared_from_this()] { self->End(BurnReason::kStreamClosed, self->HungUp()); });
}

void Program::Fail(const std::string& why) {
  if (stopped_ || std::exchange(failed_, true)) return;
  warnings_.Warn(fmt::format("program \"{}\" of uid {} is disconnected: {}", name_, credentials_.uid, why),
                 fmt::format(" (pid {})", credentials_.pid));
  asio::post(socket_.get_executor(),
             [self = shared_from_this()] { self->End(BurnReason::kStreamClosed, false); });
}

void Program::End(BurnReason reason, bool wipe) {
  if (std::exchange(stopped_, true)) return;
  for (const auto& [handle, stream] : streams_) stream->Close(reason, wipe);
  streams_.clear();
  links_.attachments().RemoveAll(this);
  window_.reset();
  std::error_code ignored;
  memory_timer_.cancel(ignored);
  socket_.close(ignored);
  asio::post(socket_.get_executor(), std::exchange(on_stopped_, nullptr));
}

}  // namespace ssn::qkdn::proxy
