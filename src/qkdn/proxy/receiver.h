// SPDX-License-Identifier: LGPL-2.1-or-later
// receiver.h - our half of the ordered pair "the peer to this node": fetches the keys the peer announces,
// keeps the pad they agree on, and hands it out as the peer's grants say.
//
// A grant is acknowledged at once, whatever local programs do: two proxies never wait for each other's
// programs. Pad of a stream that no program has opened yet is kept for a while, and only little of it.
//
// Errors:    On… answer false when the peer broke the protocol.
// Ownership: as in link.h.
// Threads:   that of the event loop.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "qkdn/etsi014/objects.h"
#include "qkdn/protocol/sideways.h"
#include "qkdn/proxy/ledger.h"
#include "qkdn/proxy/link_io.h"
#include "qkdn/proxy/pad_buffer.h"
#include "qkdn/proxy/pad_sink.h"

namespace ssn::qkdn::proxy {

class Receiver {
 public:
  Receiver(const LinkSettings& settings, LinkIo& io, Ledger& ledger);

  // As those of Transmitter: `tx_next` and `tx_end` are the peer's.
  void Restart(std::uint64_t peer_capacity);
  bool Resume(std::uint64_t tx_next, std::uint64_t tx_end);
  void Suspend();

  bool OnKeys(const sideways::Keys& announced);
  void OnKeysWithIds(std::uint32_t batch, etsi014::Keys keys);
  bool OnKeysVerdict(const sideways::KeysVerdict& verdict);
  void OnDiscardKeys(const sideways::DiscardKeys& discard);
  bool OnGrant(const sideways::Grant& grant);
  void OnStreamClosedByTransmitter(const StreamId& stream);
  void Tick();

  StreamOpening Open(const StreamId& stream, north::StreamKind kind, PadSink& sink);
  void Close(const StreamId& stream);
  void Shutdown();

  // What is held at this node and no program has: agreed, being agreed on, and kept for streams not opened
  // yet.
  std::uint64_t held() const noexcept {
    return buffer_.held() + batch_bytes_ + sessions_.bytes + envelopes_.bytes;
  }
  std::uint64_t agreed() const noexcept { return buffer_.held(); }
  bool locked() const noexcept { return buffer_.locked(); }
  std::uint64_t end() const noexcept { return buffer_.end(); }
  std::size_t unopened() const noexcept { return sessions_.streams + envelopes_.streams; }

 private:
  struct Stream {
    north::StreamKind kind = north::StreamKind::kSession;
    PadSink* sink = nullptr;   // nullptr: no program has opened it
    std::uint64_t offset = 0;  // where the next grant begins
    bool closed_by_peer = false;
    SecretBytes kept;  // the first grant of a stream that is not opened
    std::uint64_t kept_position = 0;
    Clock::time_point kept_until{};
  };
  struct Batch {
    std::uint32_t key_bytes = 0;
    std::vector<std::string> ids;
    etsi014::Keys keys;  // none while they are being fetched
  };
  // What is kept for streams of one kind that no program has opened. Envelopes wait long, and must not take
  // the place of sessions.
  struct Unopened {
    std::size_t streams = 0;
    std::uint64_t bytes = 0;
  };
  Unopened& UnopenedOf(north::StreamKind kind) {
    return kind == north::StreamKind::kSession ? sessions_ : envelopes_;
  }
  using Streams = std::map<StreamId, Stream>;

  void BurnBatch(std::map<std::uint32_t, Batch>::iterator batch, BurnReason reason);
  bool TakeForProgram(Stream& stream, const sideways::Grant& grant);
  bool Keep(const sideways::Grant& grant);
  Streams::iterator Forget(Streams::iterator stream, BurnReason reason);

  const LinkSettings settings_;
  LinkIo& io_;
  Ledger& ledger_;
  PadBuffer buffer_;
  std::uint64_t common_ = 0;  // capacity: the smaller of the two sides
  bool connected_ = false;
  std::map<std::uint32_t, Batch> batches_;
  std::uint64_t batch_bytes_ = 0;
  Streams streams_;
  Unopened sessions_;
  Unopened envelopes_;
};

}  // namespace ssn::qkdn::proxy
