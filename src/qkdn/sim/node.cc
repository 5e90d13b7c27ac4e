// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "qkdn/sim/units.h"

namespace ssn::qkdn::sim {
namespace {

constexpr std::size_t kIdBytes = 16;

// Random UUIDs, RFC 4122 version 4.
Status MakeIds(RandomSource& random, std::uint64_t number, std::vector<std::string>& ids) {
  std::vector<std::uint8_t> bytes(number * kIdBytes);
  if (Status status = random.Fill(bytes); !status.ok()) return status;
  ids.reserve(number);
  for (std::uint8_t* id = bytes.data(); ids.size() < number; id += kIdBytes) {
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < kIdBytes; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += kDigits[id[i] >> 4];
      text += kDigits[id[i] & 15];
    }
    ids.push_back(std::move(text));
  }
  return {};
}

}  // namespace

Node::Node(const Config& network, const NodeConfig& self, Controller& controller, RandomSource& random,
           Clock clock)
    : network_(network),
      self_(self),
      controller_(controller),
      random_(random),
      store_(self.store_bytes, self.key_lifetime_s, std::move(clock)) {}

void Node::Attach(QkdLink& link, int end, const std::string& name, Neighbour& other) {
  hops_[name] = {&link, end, &other};
}

QkdLink* Node::LinkTo(const std::string& name) const {
  const auto hop = hops_.find(name);
  return hop == hops_.end() ? nullptr : hop->second.link;
}

etsi014::PoolStatus Node::Pool(const std::string& master_sae_id, const std::string& slave_sae_id) {
  const NodeConfig& target = *network_.FindNodeOfSae(slave_sae_id);
  const std::uint64_t bytes =
      target.name == self_.name ? kUnlimited : controller_.Capacity(self_.name, target.name);
  etsi014::PoolStatus pool;
  pool.source_kme_id = self_.kme_id;
  pool.target_kme_id = target.kme_id;
  pool.master_sae_id = master_sae_id;
  pool.slave_sae_id = slave_sae_id;
  pool.key_size_bits = self_.key_size_bits;
  pool.max_key_count = self_.max_key_count();
  pool.stored_key_count = std::min(pool.max_key_count, bytes / (self_.key_size_bits / 8));
  pool.max_key_per_request = self_.max_key_per_request;
  pool.max_key_size_bits = self_.max_key_size_bits;
  pool.min_key_size_bits = self_.min_key_size_bits;
  pool.max_sae_id_count = self_.max_sae_id_count;
  return pool;
}

std::variant<etsi014::Keys, Node::Refusal> Node::Supply(const std::string& master_sae_id,
                                                        const std::vector<std::string>& slave_sae_ids,
                                                        std::uint64_t number, std::uint64_t key_bytes) {
  std::map<std::string, std::vector<std::string>> slaves_of;
  for (const std::string& sae : slave_sae_ids) slaves_of[network_.FindNodeOfSae(sae)->name].push_back(sae);
  etsi014::Keys keys;
  keys.key_bytes = key_bytes;
  PooledSecret material;
  if (Status status = MakeIds(random_, number, keys.ids); !status.ok()) return Refusal{503, status.message()};
  // For one other node the keys may be cut from link key; SendAlong sees to them.
  const bool elsewhere = slaves_of.size() == 1 && !slaves_of.contains(self_.name);
  if (!elsewhere || fault_.Get() == Fault::kEqualKeysNewIds) {
    if (Status status = MakeMaterial(number * key_bytes, material); !status.ok())
      return Refusal{503, status.message()};
  }
  for (const auto& [node, slaves] : slaves_of) {
    const KeySupply supply{master_sae_id, slaves, keys.ids, key_bytes};
    const Outcome outcome =
        node == self_.name ? Keep(supply, PooledSecret(material.span())) : SendAlong(node, supply, material);
    if (!outcome.ok()) return Refusal{503, outcome.message};
  }
  keys.material = std::move(material).Release();
  CountSupplied(master_sae_id, slave_sae_ids, keys);
  return keys;
}

Status Node::MakeMaterial(std::size_t size, PooledSecret& material) {
  if (fault_.Get() != Fault::kEqualKeysNewIds) {
    material = PooledSecret(size);
    return random_.Fill(material.span());
  }
  const std::lock_guard lock(mutex_);
  if (replayed_.size() != size) {
    replayed_ = PooledSecret(size);
    if (Status status = random_.Fill(replayed_.span()); !status.ok()) return status;
  }
  material = PooledSecret(replayed_.span());
  return {};
}

// Empty material: to be made here, cut from link key if the route is one hop. A retry after a failure uses
// other link key, and other cut keys with it.
Outcome Node::SendAlong(const std::string& to, const KeySupply& supply, PooledSecret& material) {
  std::set<std::string> avoid;
  Outcome outcome;
  for (;;) {
    const Result<std::vector<std::string>> route =
        controller_.Route(self_.name, to, supply.total_bytes() + kOneTimeMacKeyBytes, avoid);
    if (!route.ok())
      return {Outcome::Kind::kUnavailable, avoid.empty() ? route.status().message() : outcome.message, ""};
    RelayMessage message;
    message.supply = supply;
    message.cut_from_link_key = material.size() == 0 && route.value().size() == 1;
    if (!message.cut_from_link_key && material.size() == 0) {
      if (Status status = MakeMaterial(supply.total_bytes(), material); !status.ok())
        return {Outcome::Kind::kUnavailable, status.message(), ""};
    }
    if (!message.cut_from_link_key) message.payload = PooledSecret(material.span());
    const bool cut_keys = message.cut_from_link_key;
    PooledSecret cut;
    outcome = Forward(route.value(), std::move(message), &cut);
    if (outcome.ok() && cut_keys) material = std::move(cut);
    if (outcome.ok() || outcome.kind == Outcome::Kind::kRefused) return outcome;
    if (!avoid.insert(outcome.link).second) return outcome;
  }
}

Outcome Node::Forward(const std::vector<std::string>& route, RelayMessage message, PooledSecret* cut) {
  const auto found = hops_.find(route.front());
  if (found == hops_.end())
    return {Outcome::Kind::kRefused, fmt::format("{} has no link to {}", self_.name, route.front()), ""};
  const Hop& hop = found->second;
  message.link = hop.link->config().name;
  message.from = self_.name;
  message.route.assign(route.begin() + 1, route.end());
  if (Outcome sealed = SealHop(*hop.link, hop.end, message, cut); !sealed.ok()) return sealed;
  const std::uint64_t epoch = message.epoch;
  Outcome outcome = hop.other->Relay(std::move(message));
  if (outcome.kind == Outcome::Kind::kLostStep && outcome.link == hop.link->config().name)
    hop.link->Resynchronise(epoch);
  return outcome;
}

Outcome Node::Relay(RelayMessage message) {
  const auto found = hops_.find(message.from);
  if (found == hops_.end() || found->second.link->config().name != message.link)
    return {Outcome::Kind::kRefused,
            fmt::format("{} has no link {} to {}", self_.name, message.link, message.from), ""};
  const Hop& hop = found->second;
  if (!hop.link->up())
    return {Outcome::Kind::kUnavailable, fmt::format("link {} is down", message.link), message.link};
  if (Outcome opened = OpenHop(*hop.link, hop.end, message); !opened.ok()) return opened;
  message.cut_from_link_key = false;
  if (message.route.empty()) return Keep(message.supply, std::move(message.payload));
  ++relayed_messages_;
  relayed_bytes_ += message.payload.size();
  const std::vector<std::string> route = std::move(message.route);
  return Forward(route, std::move(message), nullptr);
}

Outcome Node::Keep(const KeySupply& supply, PooledSecret material) {
  for (const std::string& sae : supply.slave_sae_ids) {
    if (std::ranges::find(self_.sae_ids, sae) == self_.sae_ids.end())
      return {Outcome::Kind::kRefused, fmt::format("{} does not serve {}", self_.kme_id, sae), ""};
  }
  const Status status = store_.Put(supply, std::move(material));
  return status.ok() ? Outcome() : Outcome{Outcome::Kind::kRefused, status.message(), ""};
}

void Node::CountSupplied(const std::string& master, const std::vector<std::string>& slaves,
                         const etsi014::Keys& keys) {
  const std::lock_guard lock(mutex_);
  for (const std::string& slave : slaves) {
    Supplied& pair = supplied_[{master, slave}];
    pair.keys += keys.ids.size();
    pair.bytes += keys.material.size();
  }
}

std::map<std::pair<std::string, std::string>, Node::Supplied> Node::supplied() const {
  const std::lock_guard lock(mutex_);
  return supplied_;
}

}  // namespace ssn::qkdn::sim
