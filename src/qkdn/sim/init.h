// SPDX-License-Identifier: LGPL-2.1-or-later
// init.h - writes a complete simulated network to start from: a certificate authority, certificates,
// qkdn-sim.toml and, for each node, the folder of its proxy with qkdn-proxy.toml.
//
// Errors:    kInvalidArgument for a number that does not fit, kUnavailable for files. Nothing is overwritten.
// Spec:      qkdn-sim(1), INIT.

#pragma once

#include <cstdint>
#include <string>

#include "ssn/status.h"

namespace ssn::qkdn::sim {

struct InitOptions {
  std::string folder;
  std::uint64_t nodes = 3;
  std::string topology = "full";  // full, ring, line, star
  std::string rate = "unlimited";
  std::string address = "127.0.0.1";
  std::uint64_t base_port = 14000;
  std::uint64_t key_size_bits = 256;
  std::uint64_t max_key_size_bits = 8192;
  std::uint64_t keys_per_request = 128;
  std::string capacity = "16MiB";  // of a reservoir of a proxy
};

Status Init(const InitOptions& options);

// Revoke puts the certificate of a node's proxy on the revocation list, and the list into the folders of all
// nodes.
Status Revoke(const std::string& folder, const std::string& node);

}  // namespace ssn::qkdn::sim
