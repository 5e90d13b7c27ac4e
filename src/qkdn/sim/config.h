// SPDX-License-Identifier: LGPL-2.1-or-later
// config.h - the one TOML file of a simulated network: its nodes, links and the manager's view.
//
// Errors:    kInvalidArgument that names key, value and what is allowed; the first fault found. Unknown keys
//            are faults too. qkdn-sim(1) describes every key.
// Ownership: values. Paths in the file are relative to its folder; here they are complete.
// Threads:   pure functions apart from the file.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "qkdn/sim/schedule.h"
#include "ssn/status.h"

namespace ssn::qkdn::sim {

struct Address {
  std::string host;
  std::uint16_t port = 0;  // 0: the kernel chooses
};

// ParseAddress takes HOST:PORT, [IPV6]:PORT; the host is a number, never a name that somebody else resolves.
Result<Address> ParseAddress(const std::string& text);
bool IsLoopback(const Address& address);

struct NodeConfig {
  std::string name;
  std::string kme_id;
  std::vector<std::string> sae_ids;
  Address listen;  // reference point Ak
  std::optional<Address>
      kx_listen;  // reference point Kx: other nodes, when each runs in a process of its own
  std::uint64_t key_size_bits = 256;
  std::uint64_t min_key_size_bits = 64;
  std::uint64_t max_key_size_bits = 8192;
  std::uint64_t max_key_per_request = 128;
  std::uint64_t max_sae_id_count = 0;
  std::uint64_t store_bytes = std::uint64_t{64} << 20;  // of undelivered keys of one pair of SAEs
  double key_lifetime_s = 3600;
  std::string ca_file;
  std::string crl_file;  // empty: none
  std::string certificate_file;
  std::string key_file;

  std::uint64_t max_key_count() const { return store_bytes * 8 / key_size_bits; }
};

struct LinkConfig {
  std::string name;
  std::array<std::string, 2> ends;
  std::uint64_t rate_bits_per_s = 0;                     // kUnlimited: made when asked for
  std::uint64_t buffer_bytes = std::uint64_t{16} << 20;  // at each end; one half for each direction
  Schedule schedule;
};

struct Config {
  Address manager;
  std::vector<NodeConfig> nodes;
  std::vector<LinkConfig> links;

  const NodeConfig* FindNode(const std::string& name) const;
  const NodeConfig* FindNodeOfSae(const std::string& sae_id) const;
};

Result<Config> LoadConfig(const std::string& path);
// ParseConfig reads `text`; `folder` is what relative paths are relative to.
Result<Config> ParseConfig(const std::string& text, const std::string& folder);

}  // namespace ssn::qkdn::sim
