// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/proxy.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <asio/post.hpp>
#include <chrono>
#include <csignal>
#include <future>
#include <new>
#include <utility>

#include "qkdn/etsi014/kme_client.h"
#include "qkdn/proxy/metrics.h"
#include "qkdn/proxy/status_json.h"

namespace ssn::qkdn::proxy {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 50ms;
constexpr unsigned kTicksPerSecond = 20;
constexpr std::size_t kStatusBytes = 65000;  // fits into one message of the north protocol

Proxy::KmeForPeer KmeOf(const Config& config) {
  const etsi014::KmeClient::Options options = config.Kme();
  return [options](const Config::Peer&) { return [options] { return etsi014::KmeClient::Make(options); }; };
}

}  // namespace

Result<std::unique_ptr<Proxy>> Proxy::Make(const Config& config, KmeForPeer kme) {
  auto random = OpenRandomSource("kernel");
  if (!random.ok()) return random.status();
  auto tls = MakeTlsContext(config.peers_tls);
  if (!tls.ok()) return tls.status();
  auto audit = AuditLog::Open(config.audit_file);
  if (!audit.ok()) return audit.status();
  try {
    SecretBytes point(32);
    if (Status filled = random.value()->Fill(point.span()); !filled.ok()) return filled;
    std::unique_ptr<Proxy> proxy(new Proxy(config, std::move(audit).value(), std::move(tls).value(),
                                           std::move(random).value(), std::move(point)));
    if (Status status = proxy->Prepare(kme ? kme : KmeOf(config)); !status.ok()) return status;
    return proxy;
  } catch (const std::bad_alloc&) {
    return Status::Unavailable(
        fmt::format("no memory for reservoirs of {} bytes", config.reservoir_memory()));
  }
}

Proxy::Proxy(const Config& config, std::unique_ptr<AuditLog> audit, std::shared_ptr<TlsContext> tls,
             std::shared_ptr<RandomSource> random, SecretBytes point)
    : config_(config),
      work_(asio::make_work_guard(loop_)),
      audit_(std::move(audit)),
      tls_(std::move(tls)),
      random_(std::move(random)),
      repeated_keys_(std::move(point)),
      window_memory_(config_.max_memory - config_.reservoir_memory(), config_.require_lock),
      north_(loop_, config_, *this, window_memory_),
      listener_(
          loop_, [this] { return tls_; },
          [this](std::shared_ptr<PeerConnection> connection, const sideways::Hello& hello) {
            OnHello(std::move(connection), hello);
          }),
      metrics_([this]() -> std::optional<std::string> {
        const std::optional<Snapshot> snapshot = TakeSnapshot();
        if (!snapshot) return std::nullopt;
        return FormatMetrics(*snapshot);
      }),
      signals_(loop_),
      ticker_(loop_) {}

Proxy::~Proxy() {
  StopNow();
  loop_.restart();
  loop_.poll();
}

Status Proxy::Prepare(const KmeForPeer& kme) {
  const Peer::Surroundings around{loop_, *audit_, *random_, repeated_keys_, [this] { return tls_; }, nullptr};
  bool locked = true;
  for (const Config::Peer& peer : config_.peers) {
    Peer::Surroundings each = around;
    each.make_kme_client = kme(peer);
    const auto made = peers_.emplace(peer.id, std::make_unique<Peer>(config_, peer, each)).first;
    locked = locked && made->second->locked();
  }
  if (!locked) {
    const std::string what =
        fmt::format("the reservoirs, {} bytes, cannot be locked into memory", config_.reservoir_memory());
    if (config_.require_lock)
      return Status::Unavailable(what + ": raise LimitMEMLOCK (RLIMIT_MEMLOCK), or set memory.lock=\"try\"");
    spdlog::warn("{}: pad may reach the swap; LimitMEMLOCK is too small", what);
  }
  if (Status status = listener_.Listen(config_.peers_listen); !status.ok()) return status;
  if (Status status = north_.Listen(); !status.ok()) return status;
  if (config_.metrics_listen)
    if (Status status = metrics_.Start(*config_.metrics_listen); !status.ok()) return status;
  for (const auto& [id, peer] : peers_) peer->Start();
  Tick();
  return {};
}

void Proxy::Run() { loop_.run(); }

void Proxy::HandleSignals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    std::error_code ignored;
    signals_.add(signal, ignored);
  }
  WaitForSignal();
}

void Proxy::WaitForSignal() {
  signals_.async_wait([this](std::error_code error, int signal) {
    if (error) return;
    if (signal != SIGHUP) return StopNow();
    Reload();
    WaitForSignal();
  });
}

void Proxy::Stop() {
  asio::post(loop_, [this] { StopNow(); });
}

void Proxy::StopNow() {
  if (stopping_.exchange(true)) return;
  std::error_code ignored;
  signals_.cancel(ignored);
  ticker_.cancel(ignored);
  listener_.Stop();
  // Links first: what programs hold is theirs, what waits for them is not.
  for (const auto& [id, peer] : peers_) peer->Stop();
  north_.Stop(BurnReason::kShutdown);
  metrics_.Stop();
  work_.reset();
  loop_.stop();
}

void Proxy::Reload() {
  asio::post(loop_, [this] {
    audit_->Reopen();
    auto tls = MakeTlsContext(config_.peers_tls);
    if (!tls.ok()) return spdlog::warn("certificates are kept as they were: {}", tls.status().message());
    tls_ = std::move(tls).value();
    listener_.Reload(*tls_);
    for (const auto& [id, peer] : peers_) peer->Reload(*tls_);
    spdlog::info("certificates and revocation lists were read again");
  });
}

void Proxy::Tick() {
  for (const auto& [id, peer] : peers_) {
    peer->Tick();
    if (ticks_ % kTicksPerSecond == 0) peer->SampleRates();
  }
  ++ticks_;
  ticker_.expires_after(kTick);
  ticker_.async_wait([this](std::error_code error) {
    if (!error) Tick();
  });
}

void Proxy::OnHello(std::shared_ptr<PeerConnection> connection, const sideways::Hello& hello) {
  const std::string host = connection->remote().substr(0, connection->remote().rfind(':'));
  const auto refuse = [&](const std::string& why) {
    warnings_.Warn(fmt::format("peer at {} says that it is node {}: refused: {}", host, hello.node, why));
    connection->Close();
  };
  const auto peer = peers_.find(hello.node);
  if (peer == peers_.end())
    return refuse(hello.node == config_.id ? "that is this node" : "there is no such peer");
  if (Status named = connection->CheckName(peer->second->config().name); !named.ok())
    return refuse(named.message());
  if (hello.version != sideways::kVersion) {
    warnings_.Warn(
        fmt::format("peer at {}, node {}, speaks version {} of the protocol, this proxy version {}", host,
                    hello.node, hello.version, sideways::kVersion));
    connection->Send(sideways::Hello{sideways::kVersion, config_.id});
    return connection->CloseWhenSent();
  }
  if (hello.node > config_.id) return refuse("the node with the smaller id dials");
  peer->second->Offer(std::move(connection), hello);
}

const LinkParts* Proxy::Find(NodeId peer) {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second->parts();
}

Snapshot Proxy::SnapshotNow() const {
  Snapshot snapshot;
  snapshot.node = config_.id;
  snapshot.name = config_.name;
  snapshot.capacity = config_.capacity;
  snapshot.low = config_.low;
  snapshot.high = config_.high;
  snapshot.reserve = config_.reserve;
  snapshot.window_bytes = window_memory_.used();
  snapshot.max_window_bytes = window_memory_.max();
  snapshot.audit_failures = audit_->failures();
  HeldPad in_windows = north_.held();
  for (const auto& [id, peer] : peers_) {
    snapshot.links.push_back(peer->TakeSnapshot());
    snapshot.links.back().tx.windows = in_windows[{id, PadDirection::kTransmit}];
    snapshot.links.back().rx.windows = in_windows[{id, PadDirection::kReceive}];
  }
  for (const Program* program : north_.programs()) {
    snapshot.programs.push_back({program->name(),
                                 program->credentials().pid,
                                 program->credentials().uid,
                                 program->num_streams(),
                                 program->num_attached(),
                                 {}});
    for (const auto& [id, use] : program->Use())
      snapshot.programs.back().peers.push_back(
          {id, peers_.at(id)->config().name, use.sessions, use.tx_used, use.rx_used});
  }
  return snapshot;
}

std::string Proxy::StatusJson() { return FormatStatus(SnapshotNow(), kStatusBytes); }

std::optional<Snapshot> Proxy::TakeSnapshot() {
  auto promise = std::make_shared<std::promise<Snapshot>>();
  std::future<Snapshot> future = promise->get_future();
  asio::post(loop_, [this, promise] { promise->set_value(SnapshotNow()); });
  for (int i = 0; i < 100 && !stopping_; ++i)
    if (future.wait_for(20ms) == std::future_status::ready) return future.get();
  return std::nullopt;
}

}  // namespace ssn::qkdn::proxy
