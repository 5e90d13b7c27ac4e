// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/transmitter.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace ssn::qkdn::proxy {
namespace {

using north::Refusal;
using north::StreamKind;

constexpr std::size_t kMaxLeftoverIds = 65536;
constexpr auto kOpenPatience = std::chrono::seconds(5);  // for the peer's program to open a session

}  // namespace

Transmitter::Transmitter(const LinkSettings& settings, LinkIo& io, Ledger& ledger)
    : settings_(settings), io_(io), ledger_(ledger), buffer_(settings.capacity) {
  // Not from 1: a late answer for a batch of a former run must not pass for one of ours.
  std::array<std::uint8_t, sizeof next_batch_> start;
  io.FillRandom(start);
  std::memcpy(&next_batch_, start.data(), start.size());
}

void Transmitter::Restart(std::uint64_t peer_capacity) {
  for (auto stream = streams_.begin(); stream != streams_.end();) stream = End(stream, Refusal::kStreamEnded);
  ledger_.Burnt(buffer_.Reset(), BurnReason::kEpochEnded);
  next_ = 0;
  common_ = std::min(settings_.capacity, peer_capacity);
  ended_ids_.Clear();
  back_off_.Clear();
  Connected();
}

bool Transmitter::Resume(std::uint64_t peer_rx_end) {
  if (peer_rx_end > buffer_.end()) return false;
  // Our last verdicts may not have arrived. What the peer does not hold was granted to nobody: its positions
  // may come again with other pad.
  const std::uint64_t end = std::max(peer_rx_end, next_);
  ledger_.Burnt(buffer_.BurnFrom(end), BurnReason::kNotAcknowledged, end);
  Connected();
  return true;
}

void Transmitter::Connected() {
  connected_ = true;
  while (!leftover_ids_.empty()) {
    const std::size_t part = std::min(leftover_ids_.size(), sideways::kMaxKeysPerBatch);
    io_.Send(sideways::DiscardKeys{
        {leftover_ids_.end() - static_cast<std::ptrdiff_t>(part), leftover_ids_.end()}});
    leftover_ids_.resize(leftover_ids_.size() - part);
  }
  for (auto& [number, batch] : batches_) Announce(number, batch);
  Serve();
  Refill();
}

void Transmitter::Suspend() {
  if (!connected_) return;
  connected_ = false;
  // What was announced and not acknowledged may be with the peer's program already, and never will be with
  // ours.
  for (const Announced& grant : announced_) {
    const auto stream = streams_.find(grant.stream);
    if (stream != streams_.end()) End(stream, Refusal::kLinkDown);
  }
  announced_.clear();
  unacknowledged_bytes_ = 0;
  ledger_.Burnt(buffer_.BurnBelow(next_), BurnReason::kNotAcknowledged, next_);
  for (auto batch = batches_.begin(); batch != batches_.end();) {
    const auto announced = batch++;
    if (!announced->second.announced) continue;
    const auto& ids = announced->second.keys.ids;
    if (leftover_ids_.size() + ids.size() <= kMaxLeftoverIds)
      leftover_ids_.insert(leftover_ids_.end(), ids.begin(), ids.end());
    BurnBatch(announced, BurnReason::kNotAcknowledged);
  }
}

StreamOpening Transmitter::Open(const StreamId& stream, StreamKind kind, PadSink& sink) {
  if (streams_.contains(stream) || ended_ids_.Contains(stream)) return StreamOpening::kExists;
  if (kind == StreamKind::kSession) {
    const auto unopened = unopened_of_.find(sink.Owner());
    if (unopened != unopened_of_.end() && unopened->second >= settings_.max_unopened / 2)
      return StreamOpening::kTooMany;
    ++unopened_of_[sink.Owner()];
  }
  Stream& opened = streams_[stream];
  opened.kind = kind;
  opened.sink = &sink;
  opened.held_back = kind == StreamKind::kSession;
  opened.owner = sink.Owner();
  return StreamOpening::kOk;
}

void Transmitter::OpenedByPeer(Stream& stream) {
  if (stream.kind != StreamKind::kSession || std::exchange(stream.opened_by_peer, true)) return;
  const auto unopened = unopened_of_.find(stream.owner);
  if (--unopened->second == 0) unopened_of_.erase(unopened);
}

std::uint64_t Transmitter::MostFor(std::uint64_t need) const noexcept {
  const std::uint64_t high = std::min(settings_.high, common_);
  return need <= kSmallRequestBytes ? high : high - std::min(high, settings_.reserve);
}

void Transmitter::Request(const StreamId& id, const PadRequest& request) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return;
  const std::uint64_t most = MostFor(request.need);
  if (request.need > most) {
    if (back_off_.TooLarge(io_.Now()))
      io_.Warn("a message of " + std::to_string(request.need) + " bytes is more than the " +
               std::to_string(most) + " bytes this link ever has at once: it will never pass");
    stream->second.sink->Refused(request.request, Refusal::kTooLarge,
                                 "need=" + std::to_string(request.need) + " is more than the " +
                                     std::to_string(most) + " bytes this link ever has at once");
    return;
  }
  if (unserved_ >= kMaxWaitingRequests) {
    stream->second.sink->Refused(request.request, Refusal::kDry,
                                 std::to_string(unserved_) + " requests wait for pad of this link already");
    return;
  }
  PadRequest bounded = request;
  // What is fetched ahead of need is lost when its session ends: a link that is nearly dry keeps it.
  bounded.want = std::max(request.need, std::min(request.want, request.need + Bulk() / 4));
  stream->second.waiting.push_back({bounded, next_serial_++});
  order_.push_back(id);
  ++unserved_;
  if (order_.size() > 2 * kMaxWaitingRequests) ForgetUnneededTurns();
  Serve();
  Expire(stream->second);  // a request that does not wait has its answer now
  Refill();
}

std::uint64_t Transmitter::Allowance(const Waiting& waiting) const noexcept {
  const std::uint64_t bulk = Bulk();
  if (waiting.request.need > kSmallRequestBytes || waiting.announced >= waiting.request.need) return bulk;
  return std::max(bulk, std::min(Free(), waiting.request.need - waiting.announced));
}

// How much the next grant for this request may hold; 0: it has to wait, or it has all it may have.
std::uint64_t Transmitter::PieceFor(const Stream& stream, const Waiting& waiting) const noexcept {
  std::uint64_t most = std::max(waiting.request.want, waiting.request.need) - waiting.announced;
  if (stream.kind == StreamKind::kSession) {
    // A peer's program can be made to hold pad for a stream it never heard of, but not much.
    if (!stream.opened_by_peer) most = stream.offset > 0 ? 0 : std::min(most, kFirstGrantBytes);
    most = std::min(most, kMaxGrantBytes);
  }
  return std::min(most, Allowance(waiting));
}

// While the link is down, turns of requests that have expired and of streams that have ended pile up.
void Transmitter::ForgetUnneededTurns() {
  std::map<StreamId, std::size_t> needed;
  for (const auto& [id, stream] : streams_) needed[id] = Unserved(stream);
  std::erase_if(order_, [&](const StreamId& id) {
    const auto left = needed.find(id);
    return left == needed.end() || left->second == 0 || left->second-- == 0;
  });
}

std::size_t Transmitter::Unserved(const Stream& stream) {
  return static_cast<std::size_t>(
      std::ranges::count_if(stream.waiting, [](const Waiting& waiting) { return !waiting.served; }));
}

void Transmitter::Serve() {
  if (!connected_) return;
  std::deque<StreamId> waiting;
  for (const StreamId& id : std::exchange(order_, {})) {
    const auto stream = streams_.find(id);
    if (stream == streams_.end()) continue;
    auto& requests = stream->second.waiting;
    const auto request =
        std::find_if(requests.begin(), requests.end(), [](const Waiting& w) { return !w.served; });
    if (request == requests.end()) continue;
    if (!ServeRequest(id, stream->second, *request)) waiting.push_back(id);
  }
  order_ = std::move(waiting);
}

// True when the request needs no further attempt.
bool Transmitter::ServeRequest(const StreamId& id, Stream& stream, Waiting& waiting) {
  const std::uint64_t need = waiting.request.need;
  const bool held_back = stream.held_back && back_off_.Holds(Bulk(), io_.Now());
  stream.held_back = held_back;
  // All or nothing: a program that cannot have the pad for a whole message must not spend any of it.
  if (held_back || (waiting.announced < need && Allowance(waiting) < need - waiting.announced)) {
    filling_ = true;  // whatever the reservoir still has, it is too little
    return false;
  }
  for (;;) {
    const std::uint64_t piece = PieceFor(stream, waiting);
    if (piece == 0) break;
    MutableByteSpan memory = stream.sink->Allocate(piece);
    // What it needs may have room where what it wants has none.
    if (memory.empty() && waiting.announced < need && piece > need - waiting.announced)
      memory = stream.sink->Allocate(need - waiting.announced);
    if (memory.empty()) {
      if (waiting.announced >= need) break;
      if (stream.kind == StreamKind::kSession) back_off_.Pause(io_.Now());
      stream.sink->Refused(waiting.request.request, Refusal::kWindowFull,
                           "no room for need=" + std::to_string(need) + " bytes in the window");
      const std::uint64_t serial = waiting.serial;
      unserved_ -= std::erase_if(stream.waiting, [serial](const Waiting& w) { return w.serial == serial; });
      return true;
    }
    Grant(id, stream, waiting, memory);
  }
  if (waiting.announced < need) return false;
  waiting.served = true;
  --unserved_;
  FinishRequests(stream);
  return true;
}

void Transmitter::Grant(const StreamId& id, Stream& stream, Waiting& waiting, MutableByteSpan memory) {
  announced_.push_back({id, waiting.serial, next_, memory.size(), memory});
  io_.Send(sideways::Grant{id, stream.kind, stream.offset, next_, memory.size()});
  unacknowledged_bytes_ += memory.size();
  next_ += memory.size();
  stream.offset += memory.size();
  waiting.announced += memory.size();
  ++waiting.unacknowledged;
}

bool Transmitter::OnGrantAck(const sideways::GrantAck& ack) {
  if (announced_.empty() || announced_.front().position != ack.position) return false;
  const Announced grant = announced_.front();
  announced_.pop_front();
  unacknowledged_bytes_ -= grant.length;
  // The stream it was for may have ended; another one of its id is not meant.
  const auto found = grant.memory.empty() ? streams_.end() : streams_.find(grant.stream);
  if (found == streams_.end() || !ack.taken) {
    ledger_.BurntOfStream(grant.stream, buffer_.BurnBelow(grant.position + grant.length),
                          ack.taken ? BurnReason::kStreamClosed : BurnReason::kNotAcknowledged,
                          grant.position);
    if (found != streams_.end()) {
      if (found->second.kind == StreamKind::kSession) back_off_.Pause(io_.Now());
      found->second.sink->Free(grant.memory);
      End(found, Refusal::kStreamEnded);
    }
    AppendAgreed();
    Refill();
    return true;
  }
  Stream& stream = found->second;
  std::uint64_t burnt = 0;
  if (!buffer_.Take(grant.position, grant.memory, &burnt)) {
    stream.sink->Free(grant.memory);
    return false;
  }
  ledger_.Burnt(burnt, BurnReason::kSkipped, grant.position);
  ledger_.Granted(grant.length, grant.position, grant.stream);
  stream.sink->Granted(stream.granted, grant.position, grant.memory);
  stream.granted += grant.length;
  for (Waiting& waiting : stream.waiting)
    if (waiting.serial == grant.serial) --waiting.unacknowledged;
  FinishRequests(stream);
  if (ack.opened) OpenedByPeer(stream);
  AppendAgreed();
  Serve();
  Refill();
  return true;
}

void Transmitter::FinishRequests(Stream& stream) {
  while (!stream.waiting.empty() && stream.waiting.front().served &&
         stream.waiting.front().unacknowledged == 0) {
    stream.sink->Done(stream.waiting.front().request.request);
    stream.waiting.pop_front();
  }
}

void Transmitter::OnStreamOpened(const StreamId& id) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) {
    // It may have ended while the connection was down.
    if (ended_ids_.Contains(id)) io_.Send(sideways::StreamClosed{id, true});
    return;
  }
  OpenedByPeer(stream->second);
  Serve();
}

void Transmitter::OnStreamClosedByReceiver(const StreamId& id) {
  const auto stream = streams_.find(id);
  if (stream != streams_.end()) End(stream, Refusal::kStreamEnded);
}

// The sink goes away; what was announced for it is burnt when the acknowledgement comes.
void Transmitter::FreeAnnounced(const StreamId& id, PadSink& sink) {
  for (Announced& grant : announced_) {
    if (grant.stream != id || grant.memory.empty()) continue;
    sink.Free(grant.memory);
    grant.memory = {};
  }
}

void Transmitter::Close(const StreamId& id) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return;
  FreeAnnounced(id, *stream->second.sink);
  Erase(stream);
  io_.Send(sideways::StreamClosed{id, true});
}

Transmitter::Streams::iterator Transmitter::Erase(Streams::iterator stream) {
  unserved_ -= Unserved(stream->second);
  OpenedByPeer(stream->second);  // it is not waited for any more
  ended_ids_.Add(stream->first);
  return streams_.erase(stream);
}

Transmitter::Streams::iterator Transmitter::End(Streams::iterator stream, Refusal reason) {
  FreeAnnounced(stream->first, *stream->second.sink);
  for (const Waiting& waiting : stream->second.waiting)
    stream->second.sink->Refused(waiting.request.request, reason, "the stream has ended");
  stream->second.sink->Ended(reason);
  return Erase(stream);
}

// Pad is there for the whole of it; what is missing is that the peer's program opens the stream.
bool Transmitter::WaitsForPeerAlone(const Stream& stream, const Waiting& waiting) const noexcept {
  return connected_ && stream.offset > 0 && !stream.opened_by_peer &&
         waiting.announced + Allowance(waiting) >= waiting.request.need;
}

void Transmitter::Expire(Stream& stream) {
  const auto now = io_.Now();
  unserved_ -= std::erase_if(stream.waiting, [&](const Waiting& waiting) {
    if (waiting.served || now < waiting.request.deadline) return false;
    if (WaitsForPeerAlone(stream, waiting) && now < waiting.request.deadline + kOpenPatience) return false;
    if (connected_ && !WaitsForPeerAlone(stream, waiting) &&
        back_off_.Dry(waiting.request.need, MostFor(waiting.request.need), now))
      io_.Warn("no pad for a message of " + std::to_string(waiting.request.need) +
               " bytes: new sessions wait until there is as much");
    stream.sink->Refused(waiting.request.request, connected_ ? Refusal::kDry : Refusal::kLinkDown,
                         connected_ ? "no pad in time" : "the proxy of the peer is not connected");
    return true;
  });
}

void Transmitter::Tick() {
  Serve();
  for (auto& [id, stream] : streams_) Expire(stream);
  Refill();
}

void Transmitter::Shutdown() {
  connected_ = false;
  for (auto stream = streams_.begin(); stream != streams_.end();) stream = End(stream, Refusal::kLinkDown);
  announced_.clear();
  unacknowledged_bytes_ = 0;
  ledger_.Burnt(buffer_.Reset(), BurnReason::kShutdown);
  while (!batches_.empty()) BurnBatch(batches_.begin(), BurnReason::kShutdown);
}

}  // namespace ssn::qkdn::proxy
