// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/peer_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <utility>
#include <variant>

namespace ssn::qkdn::proxy {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;

std::size_t FrameLength(const std::uint8_t* header) {
  std::size_t length = 0;
  for (std::size_t i = sideways::kFrameHeaderBytes; i-- > 0;) length = length << 8 | header[i];
  return length;
}

}  // namespace

PeerConnection::PeerConnection(std::unique_ptr<TlsStream> stream, std::string remote)
    : stream_(std::move(stream)),
      remote_(std::move(remote)),
      watch_(stream_->get_executor()),
      in_(kReadBytes) {}

void PeerConnection::Start(Handlers handlers) {
  handlers_ = std::move(handlers);
  last_frame_ = Clock::now();
  Watch();
  Read();
}

void PeerConnection::Resume(Handlers handlers) {
  handlers_ = std::move(handlers);
  paused_ = false;
  last_frame_ = Clock::now();
  if (TakeFrames()) Read();
}

void PeerConnection::Read() {
  stream_->async_read_some(asio::buffer(in_.data() + in_end_, in_.size() - in_end_),
                           [self = shared_from_this()](std::error_code error, std::size_t bytes) {
                             if (self->closed_) return;
                             if (error) return self->Fail("connection lost: " + error.message());
                             self->in_end_ += bytes;
                             if (self->TakeFrames()) self->Read();
                           });
}

bool PeerConnection::TakeFrames() {
  while (!closed_ && !paused_ && in_end_ - in_begin_ >= sideways::kFrameHeaderBytes) {
    const std::size_t length = FrameLength(in_.data() + in_begin_);
    if (length == 0 || length > sideways::kMaxFrameBytes)
      return Fail(fmt::format("a frame of {} bytes: outside 1..{}", length, sideways::kMaxFrameBytes)), false;
    const std::size_t whole = sideways::kFrameHeaderBytes + length;
    if (in_end_ - in_begin_ < whole) {
      if (in_.size() < whole) in_.resize(whole);
      break;
    }
    const ByteSpan frame(in_.data() + in_begin_ + sideways::kFrameHeaderBytes, length);
    in_begin_ += whole;
    if (!Take(frame)) return false;
  }
  if (closed_ || paused_) return false;
  std::copy(in_.begin() + static_cast<std::ptrdiff_t>(in_begin_),
            in_.begin() + static_cast<std::ptrdiff_t>(in_end_), in_.begin());
  in_end_ -= in_begin_;
  in_begin_ = 0;
  return true;
}

bool PeerConnection::Take(ByteSpan frame) {
  Result<sideways::Message> decoded = sideways::Decode(frame);
  if (!decoded.ok())
    return Fail("a frame that is none of the protocol: " + decoded.status().message()), false;
  sideways::Message message = std::move(decoded).value();
  last_frame_ = Clock::now();
  if (!std::exchange(greeted_, true) && !std::holds_alternative<sideways::Hello>(message))
    return Fail("its first frame is not Hello"), false;
  if (const auto* ping = std::get_if<sideways::Ping>(&message)) {
    Send(sideways::Pong{ping->token});
    return true;
  }
  if (const auto* pong = std::get_if<sideways::Pong>(&message)) {
    if (answer_ && pong->token >= answer_token_) std::exchange(answer_, nullptr)(true);
    return true;
  }
  switch (handlers_.on_message(std::move(message))) {
    case Next::kRead:
      return true;
    case Next::kPause:
      paused_ = true;
      return false;
    case Next::kClose:
      Fail("it broke the protocol");
      return false;
  }
  return false;
}

void PeerConnection::Send(const sideways::Message& message) {
  if (closed_ || closing_) return;
  const std::vector<std::uint8_t> frame = sideways::Encode(message);
  if (queued_.size() + frame.size() > kMaxUnsentBytes)
    return Fail(fmt::format("it has not read {} bytes", queued_.size()));
  queued_.insert(queued_.end(), frame.begin(), frame.end());
  if (!writing_) Write();
}

// What is sent while a write is under way goes out together with the next one.
void PeerConnection::Write() {
  writing_ = true;
  out_.swap(queued_);
  queued_.clear();
  asio::async_write(*stream_, asio::buffer(out_),
                    [self = shared_from_this()](std::error_code error, std::size_t) {
                      self->writing_ = false;
                      if (self->closed_) return;
                      if (error) return self->Fail("connection lost: " + error.message());
                      if (!self->queued_.empty()) return self->Write();
                      if (self->closing_) self->Close();
                    });
}

void PeerConnection::Watch() {
  watch_.expires_after(kPingEvery);
  watch_.async_wait([self = shared_from_this()](std::error_code error) {
    if (error || self->closed_) return;
    if (!self->paused_ && Clock::now() - self->last_frame_ > kDeadAfter)
      return self->Fail(fmt::format("no frame for {} s", kDeadAfter.count() / 1000));
    if (self->greeted_ && !self->paused_) self->Send(sideways::Ping{++self->last_token_});
    self->Watch();
  });
}

void PeerConnection::AskWhetherAlive(std::chrono::milliseconds patience, std::function<void(bool)> answer) {
  answer_ = std::move(answer);
  answer_token_ = ++last_token_;
  Send(sideways::Ping{answer_token_});
  auto timer = std::make_shared<asio::steady_timer>(stream_->get_executor(), patience);
  timer->async_wait([self = shared_from_this(), timer, token = answer_token_](std::error_code) {
    if (self->answer_ && self->answer_token_ == token) std::exchange(self->answer_, nullptr)(false);
  });
}

void PeerConnection::Fail(const std::string& why) {
  if (closed_) return;
  auto on_closed = std::move(handlers_.on_closed);
  Close();
  if (!on_closed) return;
  asio::post(stream_->get_executor(), [on_closed = std::move(on_closed), why] { on_closed(why); });
}

void PeerConnection::Close() {
  if (std::exchange(closed_, true)) return;
  std::error_code ignored;
  watch_.cancel(ignored);
  stream_->lowest_layer().close(ignored);
  // A handler may hold the owner, or be running right now.
  asio::post(stream_->get_executor(),
             [self = shared_from_this(), handlers = std::exchange(handlers_, {})] {});
  if (answer_)
    asio::post(stream_->get_executor(), [answer = std::exchange(answer_, nullptr)] { answer(false); });
}

void PeerConnection::CloseWhenSent() {
  closing_ = true;
  paused_ = true;
  if (!writing_) Close();
}

}  // namespace ssn::qkdn::proxy
