// SPDX-License-Identifier: LGPL-2.1-or-later
// test_util.h - small networks for tests.

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "qkdn/sim/config.h"

namespace ssn::qkdn::sim {

using LinkNames = std::vector<std::pair<std::string, std::string>>;

// Nodes of single letters: node a has KME kme-a and serves SAE sae-a. `node_more` and `link_more` go into
// every table of their kind.
inline std::string NetworkToml(const std::string& nodes, const LinkNames& links,
                               const std::string& node_more = "",
                               const std::string& link_more = "rate = \"unlimited\"\n") {
  std::string text = "[manager]\nlisten = \"127.0.0.1:0\"\n";
  for (const char node : nodes) {
    const std::string name(1, node);
    text += "[[node]]\nname = \"" + name + "\"\nkme_id = \"kme-" + name + "\"\nsae_ids = [\"sae-" + name +
            "\"]\nlisten = \"127.0.0.1:0\"\nca = \"ca.crt\"\ncertificate = \"kme-" + name +
            ".crt\"\nkey = \"kme-" + name + ".key\"\n" + node_more;
  }
  for (const auto& [a, b] : links) text += "[[link]]\nends = [\"" + a + "\", \"" + b + "\"]\n" + link_more;
  return text;
}

inline Config TestConfig(const std::string& toml, const std::string& folder = "/nowhere") {
  Result<Config> config = ParseConfig(toml, folder);
  EXPECT_TRUE(config.ok()) << config.status().message();
  return std::move(config).value();
}

}  // namespace ssn::qkdn::sim
