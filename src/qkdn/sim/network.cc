// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/network.h"

#include <algorithm>
#include <chrono>

#include "qkdn/sim/units.h"
#include "ssn/random.h"

namespace ssn::qkdn::sim {
namespace {

constexpr double kAskSeconds = 0.5;

std::uint64_t WallClockMs() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace

Result<std::unique_ptr<Network>> Network::Make(Config config, const std::string& only_node, Clock clock) {
  Result<std::shared_ptr<RandomSource>> random = OpenRandomSource("kernel");
  if (!random.ok()) return random.status();
  std::unique_ptr<Network> network(
      new Network(std::move(config), std::move(random).value(), std::move(clock)));
  if (Status status = network->Build(only_node); !status.ok()) return status;
  return network;
}

Network::Network(Config config, std::shared_ptr<RandomSource> random, Clock clock)
    : config_(std::move(config)),
      random_(std::move(random)),
      clock_(std::move(clock)),
      controller_(config_.links, [this](const LinkConfig& link) { return Look(link); }) {}

Status Network::Build(const std::string& only_node) {
  if (!only_node.empty() && config_.FindNode(only_node) == nullptr)
    return Status::InvalidArgument("node=\"" + only_node + "\" is not in the configuration");
  const auto here = [&](const std::string& name) { return only_node.empty() || name == only_node; };
  for (const NodeConfig& node : config_.nodes) {
    if (here(node.name))
      nodes_.push_back(std::make_unique<Node>(config_, node, controller_, *random_, clock_));
  }
  for (const LinkConfig& config : config_.links) {
    const std::array<bool, 2> local = {here(config.ends[0]), here(config.ends[1])};
    if (!local[0] && !local[1]) continue;
    HttpsNeighbour* remote = nullptr;
    if (!local[0] || !local[1]) {
      const NodeConfig& other = *config_.FindNode(config.ends[local[0] ? 1 : 0]);
      const NodeConfig& self = *config_.FindNode(only_node);
      if (!other.kx_listen || !self.kx_listen || other.kx_listen->port == 0)
        return Status::InvalidArgument("kx_listen of node \"" + (self.kx_listen ? other.name : self.name) +
                                       "\" must be a fixed address when nodes run in processes of their own");
      remote = remote_.emplace_back(std::make_unique<HttpsNeighbour>(self, other)).get();
    }
    QkdLink& link = *links_.emplace_back(std::make_unique<QkdLink>(config, local, remote, *random_, clock_));
    for (const int end : {0, 1}) {
      const std::string& name = config.ends[static_cast<std::size_t>(end)];
      const std::string& other = config.ends[static_cast<std::size_t>(1 - end)];
      if (!here(name)) continue;
      Neighbour* neighbour = remote;
      if (neighbour == nullptr) neighbour = FindNode(other);
      FindNode(name)->Attach(link, end, other, *neighbour);
    }
  }
  return {};
}

Node* Network::FindNode(const std::string& name) const {
  const auto found =
      std::ranges::find_if(nodes_, [&](const auto& node) { return node->config().name == name; });
  return found == nodes_.end() ? nullptr : found->get();
}

QkdLink* Network::FindLink(const std::string& name) const {
  const auto found =
      std::ranges::find_if(links_, [&](const auto& link) { return link->config().name == name; });
  return found == links_.end() ? nullptr : found->get();
}

LinkState Network::StateOf(const QkdLink& link) {
  return {link.config().name, link.up(), {link.Sendable(0), link.Sendable(1)}, WallClockMs()};
}

// Of a link that nobody has reported yet the best is assumed: a relay that fails on it takes another route.
LinkState Network::Look(const LinkConfig& config) const {
  if (const QkdLink* link = FindLink(config.name)) return StateOf(*link);
  const std::lock_guard lock(mutex_);
  const auto found = reported_.find(config.name);
  return found == reported_.end() ? LinkState{config.name, true, {kUnlimited, kUnlimited}, 0} : found->second;
}

std::vector<LinkState> Network::Report() const {
  std::vector<LinkState> report;
  for (const auto& link : links_) report.push_back(StateOf(*link));
  const std::lock_guard lock(mutex_);
  for (const auto& [name, state] : reported_) report.push_back(state);
  return report;
}

void Network::Tick() {
  // A link that fails to make key counts it and begins anew; there is nobody to tell here.
  for (const auto& link : links_) (void)link->Advance();
  for (const auto& node : nodes_) node->store().Expire();
  if (clock_() - last_asked_ < kAskSeconds) return;
  last_asked_ = clock_();
  for (const auto& neighbour : remote_) {
    const Result<std::vector<LinkState>> told = neighbour->Links();
    if (!told.ok()) continue;
    const std::lock_guard lock(mutex_);
    for (const LinkState& state : told.value()) {
      if (FindLink(state.link) != nullptr) continue;
      LinkState& known = reported_[state.link];
      if (state.stamp > known.stamp) known = state;
    }
  }
}

}  // namespace ssn::qkdn::sim
