// SPDX-License-Identifier: LGPL-2.1-or-later
// transmitter.h - our half of the ordered pair "this node to the peer": draws keys, agrees on them with the
// peer's receiver, and grants the agreed pad to streams. A grant reaches a program only after the peer
// acknowledged it.
//
// Why no byte serves twice here: `next_` only grows within an epoch, every announced position is below it,
// and an epoch ends when either proxy forgets where it was.
//
// Errors:    On… answer false when the peer broke the protocol.
// Ownership: as in link.h.
// Threads:   that of the event loop.

#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "qkdn/etsi014/objects.h"
#include "qkdn/protocol/sideways.h"
#include "qkdn/proxy/back_off.h"
#include "qkdn/proxy/ledger.h"
#include "qkdn/proxy/link_io.h"
#include "qkdn/proxy/pad_buffer.h"
#include "qkdn/proxy/pad_sink.h"
#include "qkdn/proxy/stream_set.h"

namespace ssn::qkdn::proxy {

class Transmitter {
 public:
  Transmitter(const LinkSettings& settings, LinkIo& io, Ledger& ledger);

  // The connection. Resume goes on in the same epoch, with what the peer's receiver says it holds; Restart
  // forgets. Suspend: the connection is gone.
  void Restart(std::uint64_t peer_capacity);
  bool Resume(std::uint64_t peer_rx_end);
  void Suspend();

  void OnKeys(etsi014::Keys keys);
  bool OnKeysCheck(const sideways::KeysCheck& check);
  bool OnGrantAck(const sideways::GrantAck& ack);
  void OnStreamOpened(const StreamId& stream);
  void OnStreamClosedByReceiver(const StreamId& stream);
  void Tick();

  StreamOpening Open(const StreamId& stream, north::StreamKind kind, PadSink& sink);
  void Request(const StreamId& stream, const PadRequest& request);
  void Close(const StreamId& stream);
  void Shutdown();

  // What is held at this node and no program has: agreed, and still being agreed on.
  std::uint64_t held() const noexcept { return buffer_.held() + batch_bytes_; }
  std::uint64_t agreed() const noexcept { return buffer_.held(); }
  bool locked() const noexcept { return buffer_.locked(); }
  std::uint64_t next() const noexcept { return next_; }
  std::uint64_t end() const noexcept { return buffer_.end(); }
  std::size_t waiting() const noexcept { return unserved_; }

 private:
  struct Waiting {
    PadRequest request;
    std::uint64_t serial = 0;
    std::uint64_t announced = 0;  // bytes
    unsigned unacknowledged = 0;  // grants
    bool served = false;          // all of it is announced
  };
  struct Stream {
    north::StreamKind kind = north::StreamKind::kSession;
    PadSink* sink = nullptr;
    const void* owner = nullptr;  // of the sink
    std::uint64_t offset = 0;     // announced so far
    std::uint64_t granted = 0;    // of it, acknowledged
    bool opened_by_peer = false;
    bool held_back = false;       // see back_off.h
    std::deque<Waiting> waiting;  // in order; the first ones may be served and wait for acknowledgement
  };
  struct Batch {
    etsi014::Keys keys;
    bool announced = false;
    bool agreed = false;  // both ends hold the same, and it waits for its room
  };
  struct Announced {
    StreamId stream{};
    std::uint64_t serial = 0;  // of the request
    std::uint64_t position = 0;
    std::uint64_t length = 0;
    MutableByteSpan memory;  // of the sink; empty when the stream is gone
  };
  using Streams = std::map<StreamId, Stream>;

  void Connected();
  void Refill();
  void Announce(std::uint32_t number, Batch& batch);
  void BurnBatch(std::map<std::uint32_t, Batch>::iterator batch, BurnReason reason);
  void Reject(std::map<std::uint32_t, Batch>::iterator batch, BurnReason reason, const std::string& why);
  bool AppendAgreed();
  void SlowDown();
  void Serve();
  void Expire(Stream& stream);
  bool ServeRequest(const StreamId& id, Stream& stream, Waiting& waiting);
  std::uint64_t PieceFor(const Stream& stream, const Waiting& waiting) const noexcept;
  void Grant(const StreamId& id, Stream& stream, Waiting& waiting, MutableByteSpan memory);
  std::uint64_t Free() const noexcept { return buffer_.held() - unacknowledged_bytes_; }
  std::uint64_t Bulk() const noexcept { return Free() - std::min(Free(), settings_.reserve); }
  std::uint64_t Allowance(const Waiting& waiting) const noexcept;
  // What a full reservoir has for a request that needs `need` bytes.
  std::uint64_t MostFor(std::uint64_t need) const noexcept;
  bool WaitsForPeerAlone(const Stream& stream, const Waiting& waiting) const noexcept;
  static void FinishRequests(Stream& stream);
  void FreeAnnounced(const StreamId& id, PadSink& sink);
  void OpenedByPeer(Stream& stream);
  void ForgetUnneededTurns();
  static std::size_t Unserved(const Stream& stream);
  Streams::iterator Erase(Streams::iterator stream);
  Streams::iterator End(Streams::iterator stream, north::Refusal reason);

  const LinkSettings settings_;
  LinkIo& io_;
  Ledger& ledger_;
  PadBuffer buffer_;
  std::uint64_t next_ = 0;    // all below it was announced or burnt
  std::uint64_t common_ = 0;  // capacity: the smaller of the two sides
  bool connected_ = false;
  bool filling_ = false;
  std::deque<std::uint64_t> fetches_;  // bytes asked for, oldest first
  std::uint64_t batch_bytes_ = 0;
  std::uint32_t next_batch_ = 0;
  std::map<std::uint32_t, Batch> batches_;
  std::vector<std::string> leftover_ids_;  // at the peer's KME, of keys that we have burnt
  unsigned disagreements_ = 0;             // in a row
  Clock::time_point no_fetch_before_{};
  std::deque<Announced> announced_;  // in order of position, not acknowledged yet
  std::uint64_t unacknowledged_bytes_ = 0;
  std::uint64_t next_serial_ = 1;
  Streams streams_;
  std::deque<StreamId> order_;                      // of requests not served yet, as they came; some are gone
  std::size_t unserved_ = 0;                        // of these requests, those that are there
  std::map<const void*, std::size_t> unopened_of_;  // sessions that the peer has not opened, by owner
  StreamSet ended_ids_;                             // those in use are in streams_
  BackOff back_off_;
};

}  // namespace ssn::qkdn::proxy
