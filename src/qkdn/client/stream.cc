// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/stream.h"

#include <algorithm>
#include <cassert>
#include <new>
#include <string>

#include "otp/one_time_pad.h"
#include "qkdn/client/refusal.h"
#include "ssn/secret.h"

namespace ssn::qkdn::client {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kFirstChunk = 4096;
constexpr std::uint64_t kLastChunk = std::uint64_t{4} << 20;
constexpr milliseconds kChunkLasts{1000};        // then it is large enough
constexpr std::uint64_t kReleasesOfWindow = 64;  // one stream shall not keep much of it
constexpr milliseconds kPrefetchPause{50};       // after one that brought nothing

// Somewhat less than we wait ourselves, so that the proxy's reason still arrives in time.
std::uint32_t ProxyWaitMs(Deadline deadline, milliseconds most) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left - left / 8, 0, most.count()));
}

Status OtherProcess() {
  return Status::Unavailable("pad stream: it belongs to the process this one was forked from");
}

}  // namespace

Stream::Stream(std::shared_ptr<Connection> connection, StreamState& state, const Plan& plan)
    : connection_(std::move(connection)),
      state_(state),
      peer_(plan.peer),
      direction_(plan.direction),
      kind_(plan.kind),
      fetch_ahead_(plan.fetch_ahead && plan.direction == PadDirection::kTransmit &&
                   plan.kind == north::StreamKind::kSession),
      release_every_(
          std::clamp(connection_->window().size() / kReleasesOfWindow, kReleaseLeast, kReleaseMost)),
      epoch_(state.epoch),
      extents_(std::make_unique<Extents>()),
      chunk_(plan.want),
      chunk_asked_(Clock::now()) {}

Result<std::unique_ptr<Stream>> Stream::Open(std::shared_ptr<Connection> connection, const Plan& plan,
                                             Deadline deadline, north::Refusal* reason) {
  north::Open open{.request = 0,
                   .stream = plan.id,
                   .peer = plan.peer,
                   .direction = plan.direction,
                   .kind = plan.kind,
                   .need = plan.need,
                   .want = plan.want,
                   .wait_ms = ProxyWaitMs(deadline, connection->dry_wait())};
  Request request;
  std::unique_ptr<Stream> stream;
  {
    auto lock = connection->Hold();
    StreamState* state = connection->Open(lock, open, deadline, request);
    if (state == nullptr) {
      if (connection->lost()) return connection->LostStatus(lock);
      const std::string what = "pad stream with node " + std::to_string(plan.peer);
      if (request.waiting()) return Status::Unavailable(what + ": no answer of the proxy in time");
      if (reason != nullptr) *reason = request.reason;
      return ToStatus(request.reason, what, request.text);
    }
    try {
      stream.reset(new Stream(connection, *state, plan));
    } catch (const std::bad_alloc&) {
      connection->Close(lock, *state, 0);
      throw;
    }
  }
  if (Status status = stream->ReserveUntil(plan.need, deadline, request.number, reason); !status.ok())
    return status;
  return stream;
}

Stream::~Stream() {
  if (!connection_->ours()) {
    static_cast<void>(extents_.release());  // perhaps half changed by a thread that is not here
    return;
  }
  auto lock = connection_->Hold();
  for (const north::Grant& extent : *extents_)
    Wipe(connection_->window().At(extent.window_offset, extent.length));
  // What is not released when the stream is closed goes into the books as burnt.
  connection_->Close(lock, state_, used_ > released_ ? used_ : 0);
}

// Takes each grant once, even if there is no memory for the next, and leaves none out: the receiver would
// go on with pad that is not ours, under a tag that is right.
void Stream::TakeOver(const Connection::Lock&) {
  const auto follows = [](const north::Grant& grant, const north::Grant& last) {
    return last.position + last.length == grant.position &&
           last.window_offset + last.length == grant.window_offset;
  };
  auto& incoming = state_.incoming;
  auto grant = incoming.begin();
  try {
    for (; grant != incoming.end(); ++grant) {
      if (!extents_->empty() && follows(*grant, extents_->back()))
        extents_->back().length += grant->length;
      else
        extents_->push_back(*grant);
      at_hand_ += grant->length;
      taken_over_ += grant->length;
    }
  } catch (const std::bad_alloc&) {
    incoming.erase(incoming.begin(), grant);
    throw;
  }
  incoming.clear();
}

std::string Stream::Name() const { return "pad stream with node " + std::to_string(peer_); }

Status Stream::Short(std::size_t bytes, const char* circumstance) const {
  return Status::Unavailable(Name() + ": " + std::to_string(at_hand_) + " of " + std::to_string(bytes) +
                             " bytes at hand " + circumstance);
}

std::uint64_t Stream::NextChunk(std::uint64_t least) {
  // A stream that waits for grants sends no more than one of them in a round trip; one that is nearly idle
  // shall not hold what others need.
  const Deadline now = Clock::now();
  const std::uint64_t next = now - chunk_asked_ < kChunkLasts ? 2 * chunk_ : chunk_ / 2;
  chunk_asked_ = now;
  chunk_ = std::max(least, std::clamp(next, kFirstChunk, kLastChunk));
  return chunk_;
}

Status Stream::ReserveUntil(std::size_t bytes, Deadline deadline, std::uint32_t own_request,
                            north::Refusal* reason) {
  if (!connection_->ours()) return OtherProcess();
  if (!connection_->lost() && at_hand_ >= bytes) return {};
  auto lock = connection_->Hold();
  if (state_.incoming.empty()) connection_->Drain(lock);
  Request& demand = state_.demand;
  const auto asked = [this] { return state_.demand.waiting() || state_.prefetch.waiting(); };
  for (;;) {
    TakeOver(lock);
    EndPrefetch(lock);
    if (connection_->lost()) return connection_->LostStatus(lock);
    if (at_hand_ >= bytes) return {};
    if (demand.number == own_request && demand.state == Request::State::kRefused) {
      if (reason != nullptr) *reason = demand.reason;
      return ToStatus(demand.reason, Name(), demand.text);
    }
    if (state_.ended) return ToStatus(state_.end_reason, Name(), "");
    if (demand.number == own_request && demand.state == Request::State::kDone)
      return Short(bytes, "though the proxy is done");
    // What was asked for earlier comes here just as well: its answer is awaited before more is asked for.
    if (direction_ == PadDirection::kTransmit && !asked()) {
      if (kind_ == north::StreamKind::kEnvelope) return Short(bytes, "of an envelope, which has no more");
      const std::uint64_t missing = bytes - at_hand_;
      const north::More more{0, 0, missing, NextChunk(missing),
                             ProxyWaitMs(deadline, connection_->dry_wait())};
      if (!connection_->More(lock, state_, demand, more, deadline) && !connection_->lost())
        return Short(bytes, "and the proxy does not read");
      own_request = demand.number;
    }
    const bool news = connection_->WaitFor(lock, deadline, [&] {
      return !state_.incoming.empty() || state_.ended || (direction_ == PadDirection::kTransmit && !asked());
    });
    if (!news && !connection_->lost()) return Short(bytes, "in time");
  }
}

MutableByteSpan Stream::FrontPad(std::size_t limit) const noexcept {
  const north::Grant& front = extents_->front();
  return connection_->window().At(front.window_offset, std::min<std::uint64_t>(limit, front.length));
}

PadStream::Piece Stream::Next(std::size_t limit) noexcept {
  if (available() == 0) return {};
  return {FrontPad(limit), extents_->front().position};
}

// The first bytes at hand are wiped and behind us.
void Stream::Advance(std::size_t bytes) noexcept {
  north::Grant& front = extents_->front();
  front.window_offset += bytes;
  front.position += bytes;
  front.length -= bytes;
  at_hand_ -= bytes;
  used_ += bytes;
  if (front.length > 0) return;
  extents_->pop_front();
  release_due_ = true;
}

void Stream::Use(std::size_t bytes) noexcept {
  if (!connection_->ours()) return;
  assert(bytes <= at_hand_);
  for (bytes = std::min(bytes, at_hand_); bytes > 0;) {
    const MutableByteSpan pad = FrontPad(bytes);
    Wipe(pad);
    bytes -= pad.size();
    Advance(pad.size());
  }
  Settle();
}

void Stream::Xor(ByteSpan in, MutableByteSpan out) noexcept {
  assert(in.size() == out.size());
  // Another thread may find the connection lost after the caller has asked available(). The pad is good
  // until the stream is destroyed: the proxy does not write to it before our socket is closed.
  while (!in.empty() && connection_->ours() && at_hand_ > 0) {
    const MutableByteSpan pad = FrontPad(in.size());
    otp::XorAndWipe(pad, in.first(pad.size()), out.first(pad.size()));
    in = in.subspan(pad.size());
    out = out.subspan(pad.size());
    Advance(pad.size());
  }
  // A caller that takes more than there is gets zeros: never its own data back.
  if (!in.empty()) Wipe(out);
  if (connection_->ours()) Settle();
}

void Stream::ReleaseIf(std::uint64_t used) noexcept {
  if (!connection_->usable() || used_ - released_ < used) return;
  auto lock = connection_->Hold();
  if (!connection_->Release(lock, state_, used_)) return;
  released_ = used_;
  release_due_ = false;
}

// What is due after some pad was used.
void Stream::Settle() noexcept {
  if (connection_->lost()) return;
  ReleaseIf(release_due_ ? 1 : release_every_);
  if (fetch_ahead_ && !prefetching_ && at_hand_ < chunk_ / 2 && Clock::now() >= no_prefetch_before_) try {
      Prefetch();
    } catch (const std::bad_alloc&) {  // the next Reserve will ask
    }
}

// Asks for what can be spared, so that the next Reserve need not wait. It never draws on the reserve for
// small requests.
void Stream::Prefetch() {
  auto lock = connection_->Hold();
  connection_->Drain(lock);
  TakeOver(lock);
  EndPrefetch(lock);
  if (connection_->lost() || state_.ended || state_.demand.waiting() || state_.prefetch.waiting() ||
      at_hand_ >= chunk_ / 2 || Clock::now() < no_prefetch_before_)
    return;
  const north::More more{0, 0, 0, NextChunk(0), 0};
  if (!connection_->More(lock, state_, state_.prefetch, more, Clock::now())) return;
  prefetching_ = true;
  taken_over_before_prefetch_ = taken_over_;
}

// Notes that the pad asked for ahead has come, or none.
void Stream::EndPrefetch(const Connection::Lock&) {
  if (!prefetching_) return;
  const bool came = taken_over_ > taken_over_before_prefetch_;
  if (state_.prefetch.waiting() && !came) return;
  prefetching_ = false;
  if (!came) no_prefetch_before_ = Clock::now() + kPrefetchPause;
}

}  // namespace ssn::qkdn::client
