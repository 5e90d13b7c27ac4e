// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/peer_table.h"

#include "qkdn/client/fork_mark.h"

namespace ssn::provider {

using qkdn::client::ProcessMark;

PeerTable::~PeerTable() {
  if (State* const state = state_.load(); state != nullptr && state->mark == ProcessMark()) delete state;
}

PeerTable::State& PeerTable::Here() {
  const std::uint64_t mark = ProcessMark();
  State* state = state_.load();
  if (state != nullptr && state->mark == mark) return *state;
  State* const fresh = new State{mark, {}, {}};
  if (state_.compare_exchange_strong(state, fresh)) return *fresh;
  delete fresh;
  return *state;
}

void PeerTable::Add(const SessionId& session, const FirstIv& received, const Peer& peer) {
  State& state = Here();
  const std::lock_guard lock(state.mutex);
  state.peers[session][received] = peer;
}

void PeerTable::Remove(const SessionId& session, const FirstIv& received) noexcept {
  State* const state = state_.load();
  if (state == nullptr || state->mark != ProcessMark()) return;
  const std::lock_guard lock(state->mutex);
  const auto found = state->peers.find(session);
  if (found == state->peers.end()) return;
  found->second.erase(received);
  if (found->second.empty()) state->peers.erase(found);
}

std::optional<Peer> PeerTable::Find(const SessionId& session, const FirstIv& sent) {
  State& state = Here();
  const std::lock_guard lock(state.mutex);
  const auto found = state.peers.find(session);
  if (found == state.peers.end()) return std::nullopt;
  for (const auto& [received, peer] : found->second)
    if (received != sent) return peer;
  return std::nullopt;
}

}  // namespace ssn::provider
