// SPDX-License-Identifier: LGPL-2.1-or-later
// https_neighbour.h - a neighbouring node in a process of its own, reached by HTTPS with mutual TLS.
//
// Errors:    Outcome and Status as the other process gives them; kUnavailable when it does not answer.
// Ownership: keeps connections that are not in use for the next call.
// Threads:   any; each call has a connection to itself.
// Spec:      kx_wire.h.

#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "qkdn/sim/http_server.h"
#include "qkdn/sim/kx_wire.h"
#include "qkdn/sim/neighbour.h"

namespace httplib {
class SSLClient;
}

namespace ssn::qkdn::sim {

class HttpsNeighbour final : public Neighbour, public RemoteModule {
 public:
  // `self` is the node that asks, `other` the one that is asked; it must have a kx_listen.
  HttpsNeighbour(const NodeConfig& self, const NodeConfig& other);
  ~HttpsNeighbour() override;

  Outcome Relay(RelayMessage message) override;
  Status Deliver(const QkdKey& block) override;
  Status Want(const std::string& link, std::uint64_t epoch, std::uint64_t size) override;
  // What the other process knows of the links of the network.
  Result<std::vector<LinkState>> Links();

 private:
  using Client = std::unique_ptr<httplib::SSLClient>;

  Result<Client> Connect();
  Result<std::string> Ask(auto ask);
  Status AskForStatus(const char* path, ByteSpan body);

  const TlsFiles files_;
  const std::string name_;
  const std::string kme_id_;
  const Address address_;
  std::mutex mutex_;
  std::vector<Client> idle_;
};

}  // namespace ssn::qkdn::sim
