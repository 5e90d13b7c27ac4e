// SPDX-License-Identifier: LGPL-2.1-or-later
// peer.h - everything of this proxy that concerns one other node: the link, its books, its connection, its
// keys.
//
// Errors:    what goes wrong with this peer is logged under its name and harms no other.
// Ownership: owns all of it; what Surroundings names outlives it.
// Threads:   that of the event loop.

#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "qkdn/proxy/config.h"
#include "qkdn/proxy/kme_worker.h"
#include "qkdn/proxy/link.h"
#include "qkdn/proxy/links.h"
#include "qkdn/proxy/peer_connection.h"
#include "qkdn/proxy/peer_dialer.h"
#include "qkdn/proxy/rate_meter.h"
#include "qkdn/proxy/repeated_keys.h"
#include "qkdn/proxy/snapshot.h"
#include "ssn/random.h"

namespace ssn::qkdn::proxy {

class Peer final : public LinkIo {
 public:
  struct Surroundings {
    asio::io_context& loop;
    AuditSink& audit;
    RandomSource& random;
    proxy::RepeatedKeys& repeated_keys;
    std::function<std::shared_ptr<TlsContext>()> tls;
    MakeKmeClient make_kme_client;
  };
  Peer(const Config& config, const Config::Peer& peer, const Surroundings& surroundings);
  ~Peer() override;

  const Config::Peer& config() const noexcept { return config_; }
  const LinkParts& parts() const noexcept { return parts_; }
  // True when none of the reservoirs can be swapped out.
  bool locked() const { return link_.transmitter().locked() && link_.receiver().locked(); }

  void Start();  // dials, if it is ours to dial
  void Tick() { link_.Tick(); }
  void SampleRates();
  // Offer: a connection that says it is this peer; its certificate was checked. It is taken unless there is
  // one that still lives.
  void Offer(std::shared_ptr<PeerConnection> connection, const sideways::Hello& hello);
  // Reload reads the KME's certificates anew and drops connections whose certificate `now` does not accept.
  void Reload(TlsContext& now);
  // Stop ends connections and threads; the link burns all it holds.
  void Stop();

  LinkSnapshot TakeSnapshot() const;  // but for what programs hold

  Clock::time_point Now() const override { return Clock::now(); }
  void Send(const sideways::Message& message) override;
  void FetchKeys(std::uint64_t bytes) override { kme_.Fetch(bytes); }
  void FetchKeysWithIds(std::uint32_t batch, std::uint32_t key_bytes, std::vector<std::string> ids) override {
    kme_.FetchWithIds(batch, key_bytes, std::move(ids));
  }
  void DiscardKeysWithIds(std::vector<std::string> ids) override { kme_.Discard(std::move(ids)); }
  bool RepeatedKeys(const etsi014::Keys& keys) override { return around_.repeated_keys.Check(keys); }
  void Warn(const std::string& text) override;
  void FillRandom(MutableByteSpan out) override;

 private:
  bool we_dial() const noexcept { return self_ < config_.id; }
  void Adopt(std::shared_ptr<PeerConnection> connection, const sideways::Hello* hello);
  PeerConnection::Handlers HandlersFor(const std::shared_ptr<PeerConnection>& connection);
  bool OnMessage(sideways::Message message);
  void Lost(const std::string& why);

  const NodeId self_;
  const Config::Peer config_;
  const Surroundings around_;
  KmeWorker kme_;
  Ledger tx_ledger_;
  Ledger rx_ledger_;
  Link link_;
  const LinkParts parts_;
  PeerDialer dialer_;
  std::shared_ptr<PeerConnection> connection_;
  std::shared_ptr<PeerConnection> rival_;  // waits until it is known whether connection_ still lives
  std::string fault_;                      // what the peer did wrong, until the connection is closed for it
  Clock::time_point up_since_{};
  bool stopped_ = false;
  RateMeter tx_in_, tx_use_, rx_in_, rx_use_;
};

}  // namespace ssn::qkdn::proxy
