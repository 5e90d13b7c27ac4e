// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/status_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ssn::qkdn::proxy {
namespace {

constexpr std::uint64_t kHuge = 10'000'000'000'000;  // bytes of pad

Snapshot Full(std::size_t links, std::size_t programs) {
  Snapshot snapshot;
  snapshot.node = 1;
  snapshot.name = std::string(32, '"');
  for (std::size_t i = 0; i < links; ++i) {
    LinkSnapshot link;
    link.peer = 0xfffffff0;
    link.name = std::string(32, 'n');
    for (PairSnapshot* pair : {&link.tx, &link.rx}) {
      pair->fetched = pair->granted = pair->used = kHuge;
      pair->agreed = kHuge;
      pair->rate_in = 1e9;
      pair->rate_use = 2e9;
    }
    snapshot.links.push_back(link);
  }
  for (std::size_t i = 0; i < programs; ++i)
    snapshot.programs.push_back({std::string(32, '\\'), 1 << 22, 65534, 16384, 65536, {}});
  return snapshot;
}

TEST(StatusJson, HeldIsWhatIsCountedAndDryTimeWhatTheRatesSay) {
  Snapshot snapshot = Full(1, 0);
  PairSnapshot& tx = snapshot.links[0].tx;
  tx.agreed = 1000;
  tx.pending = 20;
  tx.windows = 3;
  tx.burnt[0] = 7;
  tx.burnt[3] = 8;
  tx.rate_in = 50;
  tx.rate_use = 150.4;
  snapshot.links[0].rx.rate_in = snapshot.links[0].rx.rate_use;
  const auto json = nlohmann::json::parse(FormatStatus(snapshot, 60000));
  const auto& pair = json["links"][0]["tx"];
  EXPECT_EQ(1023, pair["held"]);
  EXPECT_EQ(1000, pair["reservoir"]);
  EXPECT_EQ(15, pair["burnt"]);
  EXPECT_EQ(150, pair["rate_use"]);
  EXPECT_EQ(10, pair["seconds_to_dry"]);
  EXPECT_TRUE(json["links"][0]["rx"]["seconds_to_dry"].is_null());
  EXPECT_EQ("down", json["links"][0]["state"]);
}

TEST(StatusJson, AProgramHasAMemberForEachPeer) {
  Snapshot snapshot;
  snapshot.programs = {{"osd.3", 7, 0, 4, 5, {{1, "node-1", 2, 300, 40}, {2, "node-2", 1, 0, 5}}}};
  const auto json = nlohmann::json::parse(FormatStatus(snapshot, 60000))["programs"][0];
  EXPECT_EQ(5, json["attached"]);
  EXPECT_EQ(R"([{"name":"node-1","peer":1,"rx_used":40,"sessions":2,"tx_used":300},)"
            R"({"name":"node-2","peer":2,"rx_used":5,"sessions":1,"tx_used":0}])",
            json["peers"].dump());
}

TEST(StatusJson, NeverLongerThanAllowedAndWhatIsLeftOutIsCounted) {
  for (const std::size_t max : {0u, 600u, 5000u, 65000u}) {
    const std::string text = FormatStatus(Full(127, 500), max);
    EXPECT_LE(text.size(), std::max<std::size_t>(max, 512));
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ(127u, json["links"].size() + json["links_left_out"].get<std::size_t>());
    EXPECT_EQ(500u, json["programs"].size() + json["programs_left_out"].get<std::size_t>());
  }
}

TEST(StatusJson, AllLinksOfTheLargestNetworkFitIntoOneMessage) {
  EXPECT_EQ(0, nlohmann::json::parse(FormatStatus(Full(127, 0), 65000))["links_left_out"]);
}

}  // namespace
}  // namespace ssn::qkdn::proxy
