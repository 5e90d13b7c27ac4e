// SPDX-License-Identifier: LGPL-2.1-or-later
// proxy.h - a qkdn-proxy: one event loop, one Peer for each other node, the socket for local programs.
//
// Errors:    Make answers why it cannot work with this configuration on this host; nothing ends it later
//            but Stop.
// Ownership: owns everything. Stop burns all pad that is held, and wipes it.
// Threads:   Run is the event loop; Stop, Reload and TakeSnapshot may be called from any thread meanwhile.
// Spec:      qkdn-proxy(8).

#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "qkdn/proxy/audit_log.h"
#include "qkdn/proxy/config.h"
#include "qkdn/proxy/links.h"
#include "qkdn/proxy/metrics_server.h"
#include "qkdn/proxy/north_server.h"
#include "qkdn/proxy/peer.h"
#include "qkdn/proxy/peer_listener.h"
#include "qkdn/proxy/snapshot.h"
#include "qkdn/proxy/warn_limit.h"

namespace ssn::qkdn::proxy {

class Proxy final : public Links {
 public:
  // Make listens already when it returns. `kme` gives each link its clients; by default those of the
  // configuration.
  using KmeForPeer = std::function<MakeKmeClient(const Config::Peer&)>;
  static Result<std::unique_ptr<Proxy>> Make(const Config& config, KmeForPeer kme = nullptr);
  ~Proxy() override;

  // Run returns after Stop. HandleSignals makes SIGTERM and SIGINT stop and SIGHUP reload.
  void Run();
  void HandleSignals();
  void Stop();
  // Reload reads certificates and revocation lists anew and reopens the audit log.
  void Reload();
  // TakeSnapshot: nothing if the event loop does not answer in time.
  std::optional<Snapshot> TakeSnapshot();

  std::uint16_t peers_port() const { return listener_.port(); }
  std::uint16_t metrics_port() const { return metrics_.port(); }

  NodeId self() const override { return config_.id; }
  const std::string& self_name() const override { return config_.name; }
  const LinkParts* Find(NodeId peer) override;
  Attachments& attachments() override { return attachments_; }
  std::string StatusJson() override;

 private:
  Proxy(const Config& config, std::unique_ptr<AuditLog> audit, std::shared_ptr<TlsContext> tls,
        std::shared_ptr<RandomSource> random, SecretBytes point);
  Status Prepare(const KmeForPeer& kme);
  void OnHello(std::shared_ptr<PeerConnection> connection, const sideways::Hello& hello);
  void Tick();
  void WaitForSignal();
  Snapshot SnapshotNow() const;
  void StopNow();

  const Config config_;
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  const std::unique_ptr<AuditLog> audit_;
  std::shared_ptr<TlsContext> tls_;
  const std::shared_ptr<RandomSource> random_;
  RepeatedKeys repeated_keys_;
  WindowMemory window_memory_;
  WarnLimit warnings_;
  std::map<NodeId, std::unique_ptr<Peer>> peers_;
  Attachments attachments_;
  NorthServer north_;
  PeerListener listener_;
  MetricsServer metrics_;
  asio::signal_set signals_;
  asio::steady_timer ticker_;
  unsigned ticks_ = 0;
  std::atomic<bool> stopping_{false};
};

}  // namespace ssn::qkdn::proxy
