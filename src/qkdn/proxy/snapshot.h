// SPDX-License-Identifier: LGPL-2.1-or-later
// snapshot.h - the state of a proxy at one moment, for metrics and status.
//
// Shapes:    bytes; rates in bytes per second over the last minute. Nothing in it is secret.
// Ownership: values.

#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "qkdn/proxy/ledger.h"
#include "ssn/pad_client.h"

namespace ssn::qkdn::proxy {

// One ordered pair of nodes. The books: fetched = used + burnt + held(), where held is counted, not derived.
struct PairSnapshot {
  NodeId from = 0;
  NodeId to = 0;
  std::uint64_t fetched = 0;
  std::uint64_t granted = 0;
  std::uint64_t used = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(BurnReason::kNumReasons)> burnt{};
  std::uint64_t agreed = 0;   // in the reservoir
  std::uint64_t pending = 0;  // under agreement, and kept for streams that no program has opened
  std::uint64_t windows = 0;  // in the hands of programs
  double rate_in = 0;         // of pad that both ends agreed on
  double rate_use = 0;        // of pad that was granted

  std::uint64_t held() const { return agreed + pending + windows; }
  std::uint64_t burnt_total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t bytes : burnt) sum += bytes;
    return sum;
  }
};

struct LinkSnapshot {
  NodeId peer = 0;
  std::string name;
  bool up = false;
  std::size_t waiting = 0;                    // requests for pad
  std::array<std::uint64_t, 3> kme_errors{};  // by KmeError::Action
  PairSnapshot tx;
  PairSnapshot rx;
};

struct ProgramPeerSnapshot {
  NodeId peer = 0;
  std::string name;
  std::size_t sessions = 0;   // it sends in
  std::uint64_t tx_used = 0;  // since it connected
  std::uint64_t rx_used = 0;
};

struct ProgramSnapshot {
  std::string name;
  pid_t pid = 0;
  uid_t uid = 0;
  std::size_t streams = 0;
  std::size_t attached = 0;  // sessions whose transmitting end it is, also within this node
  std::vector<ProgramPeerSnapshot> peers;
};

struct Snapshot {
  NodeId node = 0;
  std::string name;
  std::uint64_t capacity = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::uint64_t reserve = 0;
  std::uint64_t window_bytes = 0;  // of all programs, in memory
  std::uint64_t max_window_bytes = 0;
  std::uint64_t audit_failures = 0;
  std::vector<LinkSnapshot> links;
  std::vector<ProgramSnapshot> programs;
};

}  // namespace ssn::qkdn::proxy
