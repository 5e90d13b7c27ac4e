// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/receiver.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "ssn/one_time_mac.h"

namespace ssn::qkdn::proxy {
namespace {

using north::Refusal;
using north::StreamKind;

constexpr std::size_t kMaxAnnounced =
    2 * kMaxBatches;  // without a verdict; a peer may count them a little later than we

}  // namespace

Receiver::Receiver(const LinkSettings& settings, LinkIo& io, Ledger& ledger)
    : settings_(settings), io_(io), ledger_(ledger), buffer_(settings.capacity) {}

void Receiver::Restart(std::uint64_t peer_capacity) {
  common_ = std::min(settings_.capacity, peer_capacity);
  for (auto stream = streams_.begin(); stream != streams_.end();) {
    if (stream->second.sink != nullptr) stream->second.sink->Ended(Refusal::kStreamEnded);
    stream = Forget(stream, BurnReason::kEpochEnded);
  }
  ledger_.Burnt(buffer_.Reset(), BurnReason::kEpochEnded);
  connected_ = true;
}

bool Receiver::Resume(std::uint64_t tx_next, std::uint64_t tx_end) {
  if (tx_next > tx_end || buffer_.end() > tx_end) return false;
  ledger_.Burnt(buffer_.BurnBelow(tx_next), BurnReason::kNotAcknowledged, tx_next);
  connected_ = true;
  for (const auto& [id, stream] : streams_)
    if (stream.sink != nullptr && stream.kind == StreamKind::kSession) io_.Send(sideways::StreamOpened{id});
  return true;
}

void Receiver::Suspend() {
  connected_ = false;
  // The transmitter burns every batch that has no verdict, too. What is still being fetched is wiped when it
  // comes.
  while (!batches_.empty()) BurnBatch(batches_.begin(), BurnReason::kNotAcknowledged);
}

void Receiver::BurnBatch(std::map<std::uint32_t, Batch>::iterator batch, BurnReason reason) {
  const std::uint64_t bytes = batch->second.keys.material.size();
  ledger_.BurntOfBatch(batch->first, bytes, reason);
  batch_bytes_ -= bytes;
  batches_.erase(batch);
}

bool Receiver::OnKeys(const sideways::Keys& announced) {
  if (announced.ids.empty() || batches_.size() >= kMaxAnnounced || batches_.contains(announced.batch))
    return false;
  batches_[announced.batch] = {announced.key_bytes, announced.ids, {}};
  io_.FetchKeysWithIds(announced.batch, announced.key_bytes, announced.ids);
  return true;
}

void Receiver::OnKeysWithIds(std::uint32_t number, etsi014::Keys keys) {
  ledger_.Fetched(keys.material.size(), number);
  const auto batch = batches_.find(number);
  if (batch == batches_.end()) {
    ledger_.BurntOfBatch(number, keys.material.size(), BurnReason::kNotAcknowledged);
    return;
  }
  sideways::KeysCheck check{number, false, {}};
  const bool repeated = !keys.ids.empty() && io_.RepeatedKeys(keys);
  const bool as_announced = keys.key_bytes == batch->second.key_bytes &&
                            keys.ids.size() == batch->second.ids.size() &&
                            keys.material.size() > kOneTimeMacKeyBytes;
  if (repeated) io_.Warn("the KME delivered keys that it had delivered before: they are burnt");
  if (!repeated && as_announced) {
    const ByteSpan material = keys.material.span();
    auto tag = OneTimeMac(material.first(kOneTimeMacKeyBytes), {material.subspan(kOneTimeMacKeyBytes)});
    if (tag.ok()) check = {number, true, tag.value()};
  }
  if (check.fetched) {
    batch_bytes_ += keys.material.size();
    batch->second.keys = std::move(keys);
  } else {
    ledger_.BurntOfBatch(number, keys.material.size(),
                         repeated ? BurnReason::kRepeated : BurnReason::kNotFetched);
    // Whatever the KME still has of them shall not stay there.
    if (keys.ids.empty()) io_.DiscardKeysWithIds(batch->second.ids);
    batches_.erase(batch);
  }
  io_.Send(check);
}

bool Receiver::OnKeysVerdict(const sideways::KeysVerdict& verdict) {
  const auto batch = batches_.find(verdict.batch);
  if (batch == batches_.end()) return !verdict.agreed;  // that of a batch we could not fetch
  const ByteSpan material = batch->second.keys.material.span();
  if (!verdict.agreed) {
    // The transmitter compares first and measures then; of a batch that is too large we know no more than
    // that.
    const bool too_large = material.size() > common_ + kOneTimeMacKeyBytes;
    io_.Warn(too_large ? NoRoom(material.size() - kOneTimeMacKeyBytes, common_)
                       : "the two ends hold different keys: the batch is burnt");
    BurnBatch(batch, too_large ? BurnReason::kNoRoom : BurnReason::kDisagreed);
    return true;
  }
  if (material.size() <= kOneTimeMacKeyBytes || verdict.position < buffer_.end()) return false;
  const ByteSpan pad = material.subspan(kOneTimeMacKeyBytes);
  if (verdict.position > buffer_.end())
    ledger_.Burnt(buffer_.BurnBelow(verdict.position), BurnReason::kSkipped, verdict.position);
  if (buffer_.held() + pad.size() > buffer_.capacity()) return false;
  buffer_.Append(pad);
  ledger_.BurntOfBatch(verdict.batch, kOneTimeMacKeyBytes, BurnReason::kCheck);
  batch_bytes_ -= material.size();
  batches_.erase(batch);
  return true;
}

void Receiver::OnDiscardKeys(const sideways::DiscardKeys& discard) { io_.DiscardKeysWithIds(discard.ids); }

bool Receiver::OnGrant(const sideways::Grant& grant) {
  if (grant.length == 0 || grant.position < buffer_.begin() || grant.position > buffer_.end() ||
      grant.length > buffer_.end() - grant.position)
    return false;
  const auto stream = streams_.find(grant.stream);
  const bool known = stream != streams_.end();
  const bool opened = known && stream->second.sink != nullptr;
  bool taken = false;
  if (opened)
    taken = TakeForProgram(stream->second, grant);
  else if (!known)
    taken = Keep(grant);
  if (!taken) {
    const std::uint64_t end = grant.position + grant.length;
    ledger_.BurntOfStream(grant.stream, buffer_.BurnBelow(end), BurnReason::kNotAcknowledged, grant.position);
  }
  io_.Send(sideways::GrantAck{grant.position, taken, opened});
  if (opened && !taken) {  // the two ends no longer agree where the stream is
    stream->second.sink->Ended(Refusal::kStreamEnded);
    Forget(stream, BurnReason::kStreamClosed);
  }
  return true;
}

bool Receiver::TakeForProgram(Stream& stream, const sideways::Grant& grant) {
  if (grant.offset != stream.offset || grant.kind != stream.kind) return false;
  const MutableByteSpan memory = stream.sink->Allocate(grant.length);
  if (memory.empty()) return false;
  std::uint64_t burnt = 0;
  if (!buffer_.Take(grant.position, memory, &burnt)) {
    stream.sink->Free(memory);
    return false;
  }
  ledger_.Burnt(burnt, BurnReason::kSkipped, grant.position);
  ledger_.Granted(grant.length, grant.position, grant.stream);
  stream.sink->Granted(grant.offset, grant.position, memory);
  stream.offset += grant.length;
  return true;
}

bool Receiver::Keep(const sideways::Grant& grant) {
  const bool session = grant.kind == StreamKind::kSession;
  if (grant.offset != 0 || grant.length > (session ? kFirstGrantBytes : kMaxEnvelopePadBytes)) return false;
  Unopened& unopened = UnopenedOf(grant.kind);
  if (unopened.streams >= (session ? settings_.max_unopened : settings_.max_envelopes) ||
      (!session && grant.length > settings_.max_envelope_bytes - unopened.bytes)) {
    io_.Warn("the peer has " + std::to_string(unopened.streams) + (session ? " sessions" : " envelopes") +
             " here that no program has opened, " + std::to_string(unopened.bytes) +
             " bytes: another one is refused");
    return false;
  }
  Stream stream;
  stream.kind = grant.kind;
  try {
    stream.kept = SecretBytes(grant.length);
  } catch (const std::bad_alloc&) {
    return false;
  }
  stream.kept_position = grant.position;
  stream.kept_until = io_.Now() + (session ? settings_.session_patience : settings_.envelope_patience);
  stream.offset = grant.length;
  std::uint64_t burnt = 0;
  if (!buffer_.Take(grant.position, stream.kept.span(), &burnt)) return false;
  ledger_.Burnt(burnt, BurnReason::kSkipped, grant.position);
  ledger_.Granted(grant.length, grant.position, grant.stream);
  ++unopened.streams;
  unopened.bytes += grant.length;
  streams_.emplace(grant.stream, std::move(stream));
  return true;
}

void Receiver::OnStreamClosedByTransmitter(const StreamId& id) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return;
  // What is kept may still be wanted: the message it encrypts can arrive after the stream's end.
  stream->second.closed_by_peer = true;
  if (stream->second.sink == nullptr) return;
  stream->second.sink->Ended(Refusal::kStreamEnded);
  streams_.erase(stream);
}

StreamOpening Receiver::Open(const StreamId& id, StreamKind kind, PadSink& sink) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) {
    if (kind == StreamKind::kEnvelope) return StreamOpening::kNothingKept;
    Stream& stream = streams_[id];
    stream.kind = kind;
    stream.sink = &sink;
    return StreamOpening::kOk;
  }
  Stream& stream = found->second;
  if (stream.sink != nullptr || stream.kind != kind) return StreamOpening::kExists;
  const MutableByteSpan memory = sink.Allocate(stream.kept.size());
  if (memory.empty()) return StreamOpening::kNoRoom;
  std::memcpy(memory.data(), stream.kept.data(), memory.size());
  sink.Granted(0, stream.kept_position, memory);
  --UnopenedOf(kind).streams;
  UnopenedOf(kind).bytes -= stream.kept.size();
  stream.kept = SecretBytes();
  stream.sink = &sink;
  if (stream.closed_by_peer || kind == StreamKind::kEnvelope) {
    sink.Ended(Refusal::kStreamEnded);
    streams_.erase(found);
  } else if (connected_) {
    io_.Send(sideways::StreamOpened{id});
  }
  return StreamOpening::kOk;
}

void Receiver::Close(const StreamId& id) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end() || stream->second.sink == nullptr) return;
  streams_.erase(stream);
  if (connected_) io_.Send(sideways::StreamClosed{id, false});
}

Receiver::Streams::iterator Receiver::Forget(Streams::iterator stream, BurnReason reason) {
  const std::uint64_t kept = stream->second.kept.size();
  if (stream->second.sink == nullptr) {
    --UnopenedOf(stream->second.kind).streams;
    UnopenedOf(stream->second.kind).bytes -= kept;
    ledger_.BurntOfStream(stream->first, kept, reason, stream->second.kept_position);
  }
  return streams_.erase(stream);
}

void Receiver::Tick() {
  const auto now = io_.Now();
  for (auto stream = streams_.begin(); stream != streams_.end();) {
    if (stream->second.sink != nullptr || now < stream->second.kept_until) {
      ++stream;
      continue;
    }
    if (connected_) io_.Send(sideways::StreamClosed{stream->first, false});
    stream = Forget(stream, BurnReason::kExpired);
  }
}

void Receiver::Shutdown() {
  connected_ = false;
  for (auto stream = streams_.begin(); stream != streams_.end();) {
    if (stream->second.sink != nullptr) stream->second.sink->Ended(Refusal::kLinkDown);
    stream = Forget(stream, BurnReason::kShutdown);
  }
  while (!batches_.empty()) BurnBatch(batches_.begin(), BurnReason::kShutdown);
  ledger_.Burnt(buffer_.Reset(), BurnReason::kShutdown);
}

}  // namespace ssn::qkdn::proxy
