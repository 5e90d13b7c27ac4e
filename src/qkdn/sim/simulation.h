// SPDX-License-Identifier: LGPL-2.1-or-later
// simulation.h - a running simulation: a network, its servers and the thread that moves its time.
//
// Errors:    Make and Start: kInvalidArgument for files, kUnavailable for addresses that cannot be bound.
// Ownership: owns everything; Stop (or the destructor) ends all threads and wipes all keys.
// Threads:   Start and Stop from one thread.

#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "qkdn/sim/http_server.h"
#include "qkdn/sim/kme_api.h"
#include "qkdn/sim/network.h"

namespace ssn::qkdn::sim {

class Simulation {
 public:
  // `only_node` empty: all nodes. No `manager`: no manager's view.
  static Result<std::unique_ptr<Simulation>> Make(Config config, const std::string& only_node,
                                                  std::optional<Address> manager);
  ~Simulation();

  Status Start();
  void Stop();

  Network& network() { return *network_; }
  std::uint16_t kme_port(const std::string& node) const { return kme_servers_.at(node)->port(); }
  std::uint16_t manager_port() const { return manager_->port(); }

 private:
  Simulation() = default;
  Status MakeServers(const std::string& only_node);
  void MakeManager();
  void RunTicks();

  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<KmeApi>> apis_;
  std::map<std::string, std::unique_ptr<HttpServer>> kme_servers_;  // by node
  std::unique_ptr<HttpServer> kx_server_;                           // only with one node in this process
  std::unique_ptr<HttpServer> manager_;
  std::optional<Address> manager_address_;

  std::thread ticker_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
};

}  // namespace ssn::qkdn::sim
