// SPDX-License-Identifier: LGPL-2.1-or-later
// network.h - the nodes and links of this process, put together as the configuration says.
//
// Errors:    kInvalidArgument for a node that does not exist or lacks an address.
// Ownership: owns configuration, nodes, links and the neighbours in other processes.
// Threads:   nodes and links: any. Tick: one thread, every tenth of a second or so.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "qkdn/sim/https_neighbour.h"
#include "qkdn/sim/node.h"

namespace ssn::qkdn::sim {

class Network {
 public:
  // `only_node` empty: all nodes are in this process. `clock` counts seconds from about 0.
  static Result<std::unique_ptr<Network>> Make(Config config, const std::string& only_node, Clock clock);

  const Config& config() const { return config_; }
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  const std::vector<std::unique_ptr<QkdLink>>& links() const { return links_; }
  const Controller& controller() const { return controller_; }
  Node* FindNode(const std::string& name) const;
  QkdLink* FindLink(const std::string& name) const;

  // Tick lets links make key and keys expire, and asks neighbours in other processes about their links.
  void Tick();
  std::vector<LinkState> Report() const;

 private:
  Network(Config config, std::shared_ptr<RandomSource> random, Clock clock);
  Status Build(const std::string& only_node);
  Neighbour& Reach(const NodeConfig& self, const NodeConfig& other);
  LinkState Look(const LinkConfig& link) const;
  static LinkState StateOf(const QkdLink& link);

  const Config config_;
  const std::shared_ptr<RandomSource> random_;
  const Clock clock_;
  Controller controller_;
  std::vector<std::unique_ptr<HttpsNeighbour>> remote_;
  std::vector<std::unique_ptr<QkdLink>> links_;
  std::vector<std::unique_ptr<Node>> nodes_;
  double last_asked_ = 0;

  mutable std::mutex mutex_;
  std::map<std::string, LinkState> reported_;  // links of other processes
};

}  // namespace ssn::qkdn::sim
