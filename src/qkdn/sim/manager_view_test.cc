// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/manager_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "qkdn/sim/test_util.h"

namespace ssn::qkdn::sim {
namespace {

class ManagerViewTest : public testing::Test {
 protected:
  ManagerViewTest()
      : network_(Network::Make(TestConfig(NetworkToml("abc", {{"a", "b"}, {"b", "c"}})), "", [] {
                   return 0.0;
                 }).value()) {
    EXPECT_EQ(0u, network_->FindNode("a")->Supply("sae-a", {"sae-c"}, 2, 32).index());
  }

  bool HasMetric(const std::string& line) {
    return ("\n" + FormatMetrics(*network_)).find("\nqkdn_sim_" + line + "\n") != std::string::npos;
  }

  std::string FaultMessage(const std::string& json) { return ApplyFault(*network_, json).message(); }

  std::unique_ptr<Network> network_;
};

TEST_F(ManagerViewTest, MetricsCountWhatHappened) {
  EXPECT_TRUE(HasMetric("info{simulation=\"true\",keys=\"kernel random generator\"} 1"));
  EXPECT_TRUE(HasMetric("link_up{link=\"a-b\"} 1"));
  EXPECT_TRUE(HasMetric("link_consumed_bytes_total{link=\"b-c\"} 96"));
  EXPECT_TRUE(HasMetric("link_stored_bytes{link=\"a-b\",from=\"a\"} 65440"));
  EXPECT_TRUE(HasMetric("keys_stored{node=\"c\",master=\"sae-a\",slave=\"sae-c\"} 2"));
  EXPECT_TRUE(HasMetric("keys_supplied_total{node=\"a\",master=\"sae-a\",slave=\"sae-c\"} 2"));
  EXPECT_TRUE(HasMetric("supplied_bytes_total{node=\"a\",master=\"sae-a\",slave=\"sae-c\"} 64"));
  EXPECT_TRUE(HasMetric("relayed_messages_total{node=\"b\"} 1"));
  EXPECT_TRUE(HasMetric("reroutes_total{} 0"));
}

TEST_F(ManagerViewTest, StatusSaysThatItIsASimulationAndWhatThereIs) {
  const nlohmann::json status = nlohmann::json::parse(FormatStatus(*network_));
  EXPECT_EQ(0u, status["notice"].get<std::string>().find("SIMULATION"));
  EXPECT_EQ("a-b", status["links"][0]["name"]);
  EXPECT_EQ("unlimited", status["links"][0]["rate"]);
  EXPECT_EQ(2, status["nodes"][2]["store"][0]["stored_keys"]);
  EXPECT_EQ(64, status["nodes"][1]["relayed_bytes"]);
}

TEST_F(ManagerViewTest, FaultsAreMadeAndTakenBack) {
  ASSERT_TRUE(ApplyFault(*network_, R"({"link": "a-b", "up": false})").ok());
  EXPECT_TRUE(HasMetric("link_up{link=\"a-b\"} 0"));
  ASSERT_TRUE(ApplyFault(*network_, R"({"link": "a-b", "up": true})").ok());
  EXPECT_TRUE(HasMetric("link_up{link=\"a-b\"} 1"));
  for (const char* answer : {"503", "garbage", "truncated", "different-keys", "missing-ids",
                             "equal-keys-new-ids", "short-keys", "bits-for-bytes", "slow"}) {
    ASSERT_TRUE(ApplyFault(*network_, R"({"node": "a", "answer": ")" + std::string(answer) + "\"}").ok())
        << answer;
    EXPECT_NE(Fault::kNone, network_->FindNode("a")->fault().Get());
  }
  ASSERT_TRUE(ApplyFault(*network_, R"({"node": "a", "answer": null})").ok());
  EXPECT_EQ(Fault::kNone, network_->FindNode("a")->fault().Get());
}

TEST_F(ManagerViewTest, FaultsThatAreNoneAreNamed) {
  EXPECT_EQ("link=\"x-y\" is not in this process", FaultMessage(R"({"link": "x-y", "up": true})"));
  EXPECT_EQ("node=\"x\" is not in this process", FaultMessage(R"({"node": "x", "answer": null})"));
  EXPECT_EQ(
      "answer=\"late\" is not one of 503, garbage, truncated, different-keys, missing-ids, "
      "equal-keys-new-ids, short-keys, bits-for-bytes, slow, null",
      FaultMessage(R"({"node": "a", "answer": "late"})"));
  EXPECT_EQ("a fault names a \"link\" or a \"node\"", FaultMessage("{}"));
  for (const char* json : {"", "[", "7", R"({"link": "a-b"})", R"({"link": "a-b", "up": 1})",
                           R"({"node": "a"})", R"({"node": 1, "answer": null})"})
    EXPECT_NE("", FaultMessage(json)) << json;
}

}  // namespace
}  // namespace ssn::qkdn::sim
