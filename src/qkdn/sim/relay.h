// SPDX-License-Identifier: LGPL-2.1-or-later
// relay.h - one message on a KMA link (reference point Kx): keys on their way to the KME of their slave SAE.
//
// Shapes:    hop by hop. On each hop the payload is XORed with link key of that hop and the whole message is
//            authenticated by a one-time MAC with 32 bytes more of it. To a direct neighbour no payload
//            travels: both ends cut the keys from the link key itself.
// Errors:    Outcome says what the source can do.
// Ownership: SealHop and OpenHop work in place; the payload moves along.
// Threads:   pure functions apart from the link.
// Spec:      ITU-T Y.3803, key relay; X.1712 SReq.1 and SReq.2. The format is this simulator's own.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qkdn/sim/qkd_link.h"
#include "ssn/one_time_mac.h"

namespace ssn::qkdn::sim {

// What a key supply agent (KSA) must know of a batch of keys.
struct KeySupply {
  std::string master_sae_id;
  std::vector<std::string> slave_sae_ids;  // those of the destination
  std::vector<std::string> key_ids;
  std::uint64_t key_bytes = 0;

  std::uint64_t total_bytes() const { return key_ids.size() * key_bytes; }
};

struct RelayMessage {
  std::string link;
  std::string from;  // node
  std::vector<std::string>
      route;  // nodes after the receiver, the destination last; empty: it is the receiver
  KeySupply supply;
  bool cut_from_link_key = false;  // no payload: the link key is the keys
  std::uint64_t epoch = 0;
  std::uint64_t start = 0;  // of the link key used: the pad, then the key of the MAC
  OneTimeMacTag tag{};
  PooledSecret payload;
};

struct Outcome {
  enum class Kind {
    kOk,
    kUnavailable,  // `link` is down, dry or does not answer: another route may do
    kLostStep,     // the ends of `link` hold different key: they must begin anew
    kRefused,      // the destination does not take it
  };
  Kind kind = Kind::kOk;
  std::string message;
  std::string link;

  bool ok() const { return kind == Kind::kOk; }
};

// SealHop takes link key for `end` of `link` and fills epoch, start and tag. The payload becomes ciphertext;
// with cut_from_link_key it must be empty, and the keys are written to `cut` instead.
Outcome SealHop(QkdLink& link, int end, RelayMessage& message, PooledSecret* cut);
// OpenHop checks the tag before anything else is used; then the payload holds the keys.
Outcome OpenHop(QkdLink& link, int end, RelayMessage& message);

// The header as bytes: what the MAC covers beside the payload, and what travels in front of it.
std::string FormatHeader(const RelayMessage& message);
Result<RelayMessage> ParseHeader(const std::string& header);

}  // namespace ssn::qkdn::sim
