// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/peer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <utility>

namespace ssn::qkdn::proxy {
namespace {

constexpr std::chrono::milliseconds kToShowLife{1000};
constexpr std::chrono::milliseconds kLasting{5000};

// Pad that both ends agreed on, this far.
std::uint64_t Agreed(const Ledger& ledger) {
  std::uint64_t agreed = ledger.fetched();
  for (const BurnReason reason : {BurnReason::kCheck, BurnReason::kDisagreed, BurnReason::kNotFetched,
                                  BurnReason::kNoRoom, BurnReason::kUnusable, BurnReason::kRepeated})
    agreed -= ledger.burnt(reason);
  return agreed;
}

PairSnapshot Books(const Ledger& ledger, std::uint64_t held, std::uint64_t agreed) {
  PairSnapshot pair;
  pair.from = ledger.from();
  pair.to = ledger.to();
  pair.fetched = ledger.fetched();
  pair.granted = ledger.granted();
  pair.used = ledger.used();
  for (std::size_t i = 0; i < pair.burnt.size(); ++i)
    pair.burnt[i] = ledger.burnt(static_cast<BurnReason>(i));
  pair.agreed = agreed;
  pair.pending = held - agreed;
  return pair;
}

}  // namespace

Peer::Peer(const Config& config, const Config::Peer& peer, const Surroundings& surroundings)
    : self_(config.id),
      config_(peer),
      around_(surroundings),
      kme_(around_.loop, around_.make_kme_client, peer.sae_id,
           {[this](etsi014::Keys keys) { link_.OnKeys(std::move(keys)); },
            [this](std::uint32_t batch, etsi014::Keys keys) { link_.OnKeysWithIds(batch, std::move(keys)); },
            [this](const std::string& text) { Warn(text); }}),
      tx_ledger_(around_.audit, config.id, peer.id),
      rx_ledger_(around_.audit, peer.id, config.id),
      link_(config.Link(peer), *this, tx_ledger_, rx_ledger_),
      parts_{link_, tx_ledger_, rx_ledger_},
      dialer_(around_.loop, peer, around_.tls,
              [this](std::shared_ptr<PeerConnection> connection) { Adopt(std::move(connection), nullptr); }) {
}

Peer::~Peer() { Stop(); }

void Peer::Start() {
  if (we_dial()) dialer_.Dial();
}

void Peer::Send(const sideways::Message& message) {
  if (connection_) connection_->Send(message);
}

void Peer::Warn(const std::string& text) {
  spdlog::warn("link to {} (node {}): {}", config_.name, config_.id, text);
}

void Peer::FillRandom(MutableByteSpan out) {
  const Status filled = around_.random.Fill(out);
  if (filled.ok()) return;
  // Without randomness no epoch is safe to begin.
  spdlog::critical("no randomness: {}", filled.message());
  std::abort();
}

PeerConnection::Handlers Peer::HandlersFor(const std::shared_ptr<PeerConnection>& connection) {
  const std::weak_ptr<PeerConnection> weak = connection;
  return {[this](sideways::Message message) {
            return OnMessage(std::move(message)) ? PeerConnection::Next::kRead : PeerConnection::Next::kClose;
          },
          [this, weak](const std::string& why) {
            if (connection_ && connection_ == weak.lock()) Lost(fault_.empty() ? why : fault_);
          }};
}

// `hello`: the peer dialled and has introduced itself already.
void Peer::Adopt(std::shared_ptr<PeerConnection> connection, const sideways::Hello* hello) {
  fault_.clear();
  connection_ = std::move(connection);
  link_.OnConnected();
  if (hello == nullptr) return connection_->Start(HandlersFor(connection_));
  if (OnMessage(*hello)) return connection_->Resume(HandlersFor(connection_));
  connection_->Close();
  Lost(fault_.empty() ? "it broke the protocol" : fault_);
}

bool Peer::OnMessage(sideways::Message message) {
  const auto* hello = std::get_if<sideways::Hello>(&message);
  if (hello == nullptr) return link_.OnMessage(std::move(message));
  if (hello->version != sideways::kVersion) {
    fault_ = fmt::format("it speaks version {} of the protocol, this proxy version {}", hello->version,
                         sideways::kVersion);
    return false;
  }
  if (hello->node != config_.id) {
    fault_ = fmt::format("it says that it is node {}", hello->node);
    return false;
  }
  if (!link_.OnMessage(std::move(message))) return false;
  dialer_.Succeeded();
  up_since_ = Now();
  spdlog::info("link to {} (node {}) is up", config_.name, config_.id);
  return true;
}

void Peer::Lost(const std::string& why) {
  connection_.reset();
  const bool was_up = link_.up();
  link_.OnDisconnected();
  if (was_up) Warn("down: " + why);
  if (!we_dial()) return;
  // A peer that comes up only to break the protocol must not be dialled without a pause.
  if (was_up && Now() - up_since_ >= kLasting)
    dialer_.Lasted();
  else
    dialer_.Failed(was_up ? "" : why);
  dialer_.Dial();
}

void Peer::Offer(std::shared_ptr<PeerConnection> connection, const sideways::Hello& hello) {
  if (!connection_) return Adopt(std::move(connection), &hello);
  if (rival_) return connection->Close();
  rival_ = std::move(connection);
  connection_->AskWhetherAlive(kToShowLife, [this, hello](bool alive) {
    auto rival = std::exchange(rival_, nullptr);
    if (!rival) return;
    if (alive) {
      spdlog::error(
          "TWO NODES WITH ONE ID: {} at {} says that it is node {} ({}), which is connected from {} and "
          "alive; "
          "it is refused",
          rival->remote(), rival->remote(), config_.id, config_.name,
          connection_ ? connection_->remote() : "elsewhere");
      return rival->Close();
    }
    if (connection_) {
      connection_->Close();
      Lost("another connection took its place");
    }
    Adopt(std::move(rival), &hello);
  });
}

void Peer::Reload(TlsContext& now) {
  kme_.Renew();
  if (const Status good = rival_ ? rival_->CheckAgain(now) : Status(); !good.ok()) {
    Warn("certificate of a second connection, from " + rival_->remote() + ": " + good.message());
    std::exchange(rival_, nullptr)->Close();
  }
  if (!connection_) return;
  const Status good = connection_->CheckAgain(now);
  if (good.ok()) return;
  connection_->Close();
  Lost("certificate: " + good.message());
}

void Peer::SampleRates() {
  tx_in_.Sample(Agreed(tx_ledger_));
  tx_use_.Sample(tx_ledger_.granted());
  rx_in_.Sample(Agreed(rx_ledger_));
  rx_use_.Sample(rx_ledger_.granted());
}

LinkSnapshot Peer::TakeSnapshot() const {
  LinkSnapshot snapshot;
  snapshot.peer = config_.id;
  snapshot.name = config_.name;
  snapshot.up = link_.up();
  snapshot.waiting = link_.transmitter().waiting();
  for (std::size_t i = 0; i < snapshot.kme_errors.size(); ++i)
    snapshot.kme_errors[i] = kme_.errors(static_cast<KmeSession::Action>(i));
  snapshot.tx = Books(tx_ledger_, link_.transmitter().held(), link_.transmitter().agreed());
  snapshot.rx = Books(rx_ledger_, link_.receiver().held(), link_.receiver().agreed());
  snapshot.tx.rate_in = tx_in_.per_second();
  snapshot.tx.rate_use = tx_use_.per_second();
  snapshot.rx.rate_in = rx_in_.per_second();
  snapshot.rx.rate_use = rx_use_.per_second();
  return snapshot;
}

void Peer::Stop() {
  if (std::exchange(stopped_, true)) return;
  dialer_.Stop();
  if (rival_) std::exchange(rival_, nullptr)->Close();
  if (connection_) std::exchange(connection_, nullptr)->Close();
  kme_.Stop();
  link_.Shutdown();
}

}  // namespace ssn::qkdn::proxy
