// SPDX-License-Identifier: LGPL-2.1-or-later
// ledger.h - the books of one ordered pair of nodes at one end: what came in, what was used, what was burnt.
// With what is held they reconcile: fetched = used + burnt + held.
//
// Shapes:    bytes. Every entry is also an event of the audit log. No entry holds key bytes.
// Ownership: the ledger keeps a pointer to the audit sink, which outlives it.
// Threads:   one.
// Spec:      ITU-T X.1712, accountability.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ssn/pad_client.h"

namespace ssn::qkdn::proxy {

enum class BurnReason : std::uint8_t {
  kCheck,            // spent on comparing the two ends
  kDisagreed,        // the two ends hold different keys
  kNotFetched,       // the receiver's KME did not give the keys that were announced
  kNoRoom,           // a batch larger than both ends can hold
  kUnusable,         // the KME delivered a batch that is too small, or of too many keys
  kRepeated,         // the KME delivered key bytes or an id it had delivered before
  kNotAcknowledged,  // announced, but the other proxy did not take it or was not heard any more
  kSkipped,          // below a position the other proxy has gone past
  kExpired,          // nobody fetched it in time
  kStreamClosed,     // granted to a program that closed the stream or ended before it had used it
  kEpochEnded,       // one of the proxies forgot what was agreed on
  kShutdown,
  kNumReasons,
};
std::string_view Name(BurnReason reason);

struct AuditEvent {
  std::string_view event;  // supply, grant, use, burn
  NodeId from = 0;
  NodeId to = 0;
  std::uint64_t bytes = 0;
  std::string id;  // a batch, or a stream in hex; empty: pad that was of none
  std::uint64_t position = 0;
  std::string_view outcome;  // fetched, granted, used, or the name of a BurnReason
};

class AuditSink {
 public:
  virtual ~AuditSink() = default;
  virtual void Record(const AuditEvent& event) = 0;
};

class Ledger {
 public:
  // `from` and `to` are the ordered pair; one of them is this node.
  Ledger(AuditSink& audit, NodeId from, NodeId to) : audit_(audit), from_(from), to_(to) {}

  void Fetched(std::uint64_t bytes, std::uint32_t batch);
  void Granted(std::uint64_t bytes, std::uint64_t position, const StreamId& stream);
  // `position` is of the first byte; what follows may skip some.
  void Used(std::uint64_t bytes, const StreamId& stream, std::uint64_t position);
  void Burnt(std::uint64_t bytes, BurnReason reason, std::uint64_t position = 0);
  void BurntOfBatch(std::uint32_t batch, std::uint64_t bytes, BurnReason reason);
  void BurntOfStream(const StreamId& stream, std::uint64_t bytes, BurnReason reason, std::uint64_t position);

  std::uint64_t fetched() const noexcept { return fetched_; }
  std::uint64_t granted() const noexcept { return granted_; }
  std::uint64_t used() const noexcept { return used_; }
  std::uint64_t burnt() const noexcept;
  std::uint64_t burnt(BurnReason reason) const noexcept { return burnt_[static_cast<std::size_t>(reason)]; }
  NodeId from() const noexcept { return from_; }
  NodeId to() const noexcept { return to_; }

 private:
  void Burn(std::uint64_t bytes, BurnReason reason, std::uint64_t position, std::string id);

  AuditSink& audit_;
  const NodeId from_;
  const NodeId to_;
  std::uint64_t fetched_ = 0;
  std::uint64_t granted_ = 0;
  std::uint64_t used_ = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(BurnReason::kNumReasons)> burnt_{};
};

}  // namespace ssn::qkdn::proxy
