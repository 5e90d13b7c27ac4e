// SPDX-License-Identifier: LGPL-2.1-or-later
// node.h - the key manager of one trusted node: a KMA that relays over the node's links, and a KSA that
// supplies the SAEs of the node.
//
// Shapes:    keys of one request are one flat piece of memory from here to the answer.
// Errors:    Refusal carries the HTTP status a client gets; nothing is ever answered in part.
// Ownership: the keys of the master SAE are in the answer alone, those of slave SAEs in their node's store.
// Threads:   any, after all links are attached. No lock is held while a neighbour is asked.
// Spec:      ITU-T Y.3803 (KMA, KSA); ETSI GS QKD 014 V1.1.1; X.1712 SReq.1-6.

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "qkdn/etsi014/objects.h"
#include "qkdn/sim/controller.h"
#include "qkdn/sim/fault.h"
#include "qkdn/sim/key_store.h"
#include "qkdn/sim/neighbour.h"

namespace ssn::qkdn::sim {

class Node final : public Neighbour {
 public:
  struct Refusal {
    int http_status = 503;
    std::string message;
  };
  struct Supplied {
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0;
  };

  Node(const Config& network, const NodeConfig& self, Controller& controller, RandomSource& random,
       Clock clock);

  // Attach: this node is `end` of `link`; `other` is the node at its other end.
  void Attach(QkdLink& link, int end, const std::string& name, Neighbour& other);

  // LinkTo is the link to a neighbour, or null.
  QkdLink* LinkTo(const std::string& name) const;
  std::size_t neighbours() const { return hops_.size(); }
  const NodeConfig& config() const { return self_; }
  const Config& network() const { return network_; }
  FaultSwitch& fault() { return fault_; }
  KeyStore& store() { return store_; }

  etsi014::PoolStatus Pool(const std::string& master_sae_id, const std::string& slave_sae_id);
  // Supply makes `number` keys for the master SAE; when it returns they are at the KMEs of all slave SAEs.
  std::variant<etsi014::Keys, Refusal> Supply(const std::string& master_sae_id,
                                              const std::vector<std::string>& slave_sae_ids,
                                              std::uint64_t number, std::uint64_t key_bytes);
  Outcome Relay(RelayMessage message) override;

  std::map<std::pair<std::string, std::string>, Supplied> supplied() const;  // by master and slave SAE
  std::uint64_t relayed_messages() const { return relayed_messages_; }
  std::uint64_t relayed_bytes() const { return relayed_bytes_; }

 private:
  struct Hop {
    QkdLink* link;
    int end;
    Neighbour* other;
  };

  Outcome SendAlong(const std::string& to, const KeySupply& supply, PooledSecret& material);
  Outcome Forward(const std::vector<std::string>& route, RelayMessage message, PooledSecret* cut);
  Outcome Keep(const KeySupply& supply, PooledSecret material);
  Status MakeMaterial(std::size_t size, PooledSecret& material);
  void CountSupplied(const std::string& master, const std::vector<std::string>& slaves,
                     const etsi014::Keys& keys);

  const Config& network_;
  const NodeConfig& self_;
  Controller& controller_;
  RandomSource& random_;
  KeyStore store_;
  FaultSwitch fault_;
  std::map<std::string, Hop> hops_;  // by the name of the node at the other end
  std::atomic<std::uint64_t> relayed_messages_{0};
  std::atomic<std::uint64_t> relayed_bytes_{0};

  mutable std::mutex mutex_;  // of what follows
  std::map<std::pair<std::string, std::string>, Supplied> supplied_;
  PooledSecret replayed_;  // what Fault::kEqualKeysNewIds gives again
};

}  // namespace ssn::qkdn::sim
