// SPDX-License-Identifier: LGPL-2.1-or-later
// config.h - the configuration of a qkdn-proxy: read from TOML, checked, and made complete.
//
// Shapes:    sizes in bytes; in the file "64MiB", "256KiB", "1GiB" or an integer of bytes. Relative paths
//            are relative to the folder of the file.
// Errors:    kInvalidArgument with line, key, value and what is allowed. Unknown keys are refused, nothing
//            is corrected.
// Threads:   pure, except that users, groups and the host's own addresses are looked up.
// Spec:      qkdn-proxy.toml(5).

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qkdn/etsi014/kme_client.h"
#include "qkdn/proxy/link_io.h"
#include "ssn/pad_client.h"
#include "ssn/status.h"

namespace ssn::qkdn::proxy {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};
std::string ToString(const HostPort& address);

struct TlsFiles {
  std::string ca;
  std::string crl;  // empty: revocation is not checked
  std::string certificate;
  std::string key;
};

struct Config {
  NodeId id = 0;
  std::string name;

  std::string kme_url;
  std::string kme_id;
  TlsFiles kme_tls;  // without crl

  TlsFiles peers_tls;
  HostPort peers_listen;  // port 0: the kernel chooses

  std::string socket;
  std::vector<uid_t> allow_users;  // both empty: only the user the proxy runs as, and root
  std::vector<gid_t> allow_groups;

  std::optional<HostPort> metrics_listen;
  std::string audit_file;

  bool require_lock = true;
  std::uint64_t max_memory = 0;  // of reservoirs and windows together

  std::uint64_t capacity = 0;  // of each direction of each link, and its marks
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::uint64_t reserve = 0;

  struct Peer {
    NodeId id = 0;
    std::string name;
    HostPort address;
    std::string sae_id;
  };
  std::vector<Peer> peers;

  std::vector<std::string> warnings;  // what works and should still be read

  std::uint64_t reservoir_memory() const noexcept { return 2 * capacity * peers.size(); }
  LinkSettings Link(const Peer& peer) const;
  etsi014::KmeClient::Options Kme() const;
};

inline constexpr std::size_t kMaxPeers = 127;

Result<Config> ReadConfig(const std::string& file);
// ParseConfig takes the text of a file that lies, or would lie, in `folder`.
Result<Config> ParseConfig(std::string_view text, const std::string& folder);

}  // namespace ssn::qkdn::proxy
