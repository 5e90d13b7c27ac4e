// SPDX-License-Identifier: LGPL-2.1-or-later
// peer_table.h - who is at the other end of a session: what the receiving half has verified, for the
// transmitting half of the same session to find.
//
// msgr2 uses one key in both directions, with another first IV in each, and the two halves of a session are
// two contexts that know nothing of each other. Both ends of a session may be in one process (a manager that
// is its own client): hence an entry is for a key and a first IV, not for a key.
//
// Ownership: entries last until Remove. Keys are held as hashes only.
// Threads:   any number.
// Fork:      a child begins with an empty table; the table of its parent is left alone, as a lock in it may
//            be held.

#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include "provider/session_id.h"
#include "ssn/pad_client.h"

namespace ssn::provider {

using FirstIv = std::array<std::uint8_t, kIvBytes>;

struct Peer {
  NodeId node = 0;
  bool same_node = false;  // the word of the proxy, not that of the peer
};

class PeerTable {
 public:
  PeerTable() = default;
  ~PeerTable();
  PeerTable(const PeerTable&) = delete;
  PeerTable& operator=(const PeerTable&) = delete;

  // Add says who sent a record 0 with this IV.
  void Add(const SessionId& session, const FirstIv& received, const Peer& peer);
  void Remove(const SessionId& session, const FirstIv& received) noexcept;
  // Find is the peer of the half that sends from this IV on.
  std::optional<Peer> Find(const SessionId& session, const FirstIv& sent);

 private:
  struct State {
    const std::uint64_t mark;
    std::mutex mutex;
    std::map<SessionId, std::map<FirstIv, Peer>> peers;
  };
  State& Here();

  std::atomic<State*> state_{nullptr};
};

}  // namespace ssn::provider
