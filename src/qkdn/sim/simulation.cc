// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/simulation.h"

#include <httplib.h>

#include <chrono>

#include "qkdn/sim/kme_server.h"
#include "qkdn/sim/kx_server.h"
#include "qkdn/sim/manager_view.h"

namespace ssn::qkdn::sim {
namespace {

constexpr std::chrono::milliseconds kTick{100};

Clock SinceNow() {
  const auto begin = std::chrono::steady_clock::now();
  return [begin] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
}

}  // namespace

Result<std::unique_ptr<Simulation>> Simulation::Make(Config config, const std::string& only_node,
                                                     std::optional<Address> manager) {
  Result<std::unique_ptr<Network>> network = Network::Make(std::move(config), only_node, SinceNow());
  if (!network.ok()) return network.status();
  std::unique_ptr<Simulation> made(new Simulation);
  made->network_ = std::move(network).value();
  made->manager_address_ = std::move(manager);
  if (Status status = made->MakeServers(only_node); !status.ok()) return status;
  return made;
}

Simulation::~Simulation() { Stop(); }

Status Simulation::MakeServers(const std::string& only_node) {
  for (const auto& node : network_->nodes()) {
    KmeApi& api = *apis_.emplace_back(std::make_unique<KmeApi>(*node));
    Result<std::unique_ptr<HttpServer>> server = MakeKmeServer(node->config(), api);
    if (!server.ok())
      return Status::InvalidArgument("node \"" + node->config().name + "\": " + server.status().message());
    kme_servers_[node->config().name] = std::move(server).value();
  }
  if (!only_node.empty() && network_->nodes().front()->config().kx_listen) {
    Result<std::unique_ptr<HttpServer>> server =
        MakeKxServer(*network_->nodes().front(), [this] { return network_->Report(); });
    if (!server.ok()) return server.status();
    kx_server_ = std::move(server).value();
  }
  if (manager_address_) MakeManager();
  return {};
}

void Simulation::MakeManager() {
  manager_ = HttpServer::MakePlain({});
  httplib::Server& routes = manager_->routes();
  routes.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(FormatMetrics(*network_), "text/plain; version=0.0.4");
  });
  routes.Get("/status", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(FormatStatus(*network_), "application/json");
  });
  routes.Post("/faults", [this](const httplib::Request& request, httplib::Response& response) {
    const Status status = ApplyFault(*network_, request.body);
    response.status = status.ok() ? 200 : 400;
    response.set_content(status.ok() ? "ok\n" : status.message() + "\n", "text/plain");
  });
}

Status Simulation::Start() {
  for (const auto& node : network_->nodes()) {
    if (Status status = kme_servers_.at(node->config().name)->Bind(node->config().listen); !status.ok())
      return status;
    if (kx_server_) {
      if (Status status = kx_server_->Bind(*node->config().kx_listen); !status.ok()) return status;
    }
  }
  if (manager_) {
    if (Status status = manager_->Bind(*manager_address_); !status.ok()) return status;
    manager_->Start();
  }
  for (const auto& [name, server] : kme_servers_) server->Start();
  if (kx_server_) kx_server_->Start();
  ticker_ = std::thread([this] { RunTicks(); });
  return {};
}

void Simulation::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    stopping_.notify_all();
  }
  if (ticker_.joinable()) ticker_.join();
  for (const auto& node : network_->nodes()) node->fault().Close();
  for (const auto& [name, server] : kme_servers_) server->Stop();
  if (kx_server_) kx_server_->Stop();
  if (manager_) manager_->Stop();
}

void Simulation::RunTicks() {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, kTick, [this] { return stop_; })) {
    lock.unlock();
    network_->Tick();
    lock.lock();
  }
}

}  // namespace ssn::qkdn::sim
