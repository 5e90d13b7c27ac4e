// SPDX-License-Identifier: LGPL-2.1-or-later
// link_io.h - what a link needs from its surroundings, and what it is told about itself.
//
// Threads:   that of the proxy's event loop. LinkIo must not call back into the link from within a call.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "qkdn/etsi014/objects.h"
#include "qkdn/protocol/sideways.h"

namespace ssn::qkdn::proxy {

using Clock = std::chrono::steady_clock;

class LinkIo {
 public:
  virtual ~LinkIo() = default;
  virtual Clock::time_point Now() const = 0;
  // Send queues a frame to the peer; dropped when there is no connection.
  virtual void Send(const sideways::Message& message) = 0;
  // FetchKeys asks the KME for about `bytes` of new key for this link and ends in Link::OnKeys, however long
  // it takes. At most kMaxFetches at a time.
  virtual void FetchKeys(std::uint64_t bytes) = 0;
  // FetchKeysWithIds asks the KME for the keys the peer was given and ends in Link::OnKeysWithIds.
  virtual void FetchKeysWithIds(std::uint32_t batch, std::uint32_t key_bytes,
                                std::vector<std::string> ids) = 0;
  // DiscardKeysWithIds takes keys out of the KME and wipes them; nothing comes back.
  virtual void DiscardKeysWithIds(std::vector<std::string> ids) = 0;
  // RepeatedKeys is true if any of these keys or ids was seen before; it remembers them.
  virtual bool RepeatedKeys(const etsi014::Keys& keys) = 0;
  // Warn: something an operator should read, with the link's name put before it.
  virtual void Warn(const std::string& text) = 0;
  virtual void FillRandom(MutableByteSpan out) = 0;
};

inline constexpr unsigned kMaxFetches = 2;
inline constexpr std::size_t kMaxBatches =
    8;  // fetched or being fetched by the transmitter, and not agreed on yet
inline constexpr std::size_t kMaxWaitingRequests = 65536;  // of all programs, for pad of one link
inline constexpr std::uint64_t kMaxBatchBytes = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kSmallRequestBytes = 4096;  // may be served from the reserve
inline constexpr std::uint64_t kFirstGrantBytes = 4096;    // until the other end has opened the stream
inline constexpr std::uint64_t kMaxGrantBytes = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxEnvelopePadBytes = kMaxEnvelopeBytes + kOneTimeMacKeyBytes;

inline std::string NoRoom(std::uint64_t batch_bytes, std::uint64_t most) {
  return "a batch of " + std::to_string(batch_bytes) + " bytes is more than the " + std::to_string(most) +
         " bytes that both ends can hold: it is burnt";
}

struct LinkSettings {
  NodeId self = 0;
  NodeId peer = 0;
  std::uint64_t capacity = 0;  // bytes of agreed pad of one direction; locked memory
  std::uint64_t low = 0;       // below it the reservoir is refilled,
  std::uint64_t high = 0;      // up to here
  std::uint64_t reserve = 0;   // kept for small requests
  std::chrono::milliseconds session_patience{
      30000};  // how long a first grant is kept for a program to open it
  std::chrono::milliseconds envelope_patience{3600000};  // the same for an envelope
  std::size_t max_unopened =
      1024;  // sessions that only one end has opened; of one program at most half of them
  std::size_t max_envelopes = 1024;                            // kept for programs that will open them
  std::uint64_t max_envelope_bytes = std::uint64_t{16} << 20;  // of their pad
};

struct PadRequest {
  std::uint32_t request = 0;
  std::uint64_t need = 0;
  std::uint64_t want = 0;
  Clock::time_point deadline;
};

// What became of an attempt to open a stream.
enum class StreamOpening {
  kOk,
  kExists,       // north::Refusal::kStreamExists
  kLinkDown,     // the link never had an epoch
  kNothingKept,  // an envelope to receive, and no pad is kept for it
  kTooMany,      // sessions of this program that the other end has not opened
  kNoRoom,       // the window has no room for what is kept
};

}  // namespace ssn::qkdn::proxy
