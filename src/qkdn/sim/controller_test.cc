// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/controller.h"

#include <gtest/gtest.h>

namespace ssn::qkdn::sim {
namespace {

using Names = std::vector<std::string>;

// Two ways from a to d: a-b-d and a-c-d; one longer: a-e-f-d.
class ControllerTest : public testing::Test {
 protected:
  ControllerTest() {
    for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{
             {"a", "b"}, {"b", "d"}, {"a", "c"}, {"c", "d"}, {"a", "e"}, {"e", "f"}, {"f", "d"}}) {
      LinkConfig link;
      link.ends = {a, b};
      link.name = a + "-" + b;
      links_.push_back(link);
      states_[link.name] = {link.name, true, {1000, 1000}, 0};
    }
  }

  Result<Names> Route(std::uint64_t bytes = 100) { return controller_.Route("a", "d", bytes, avoid_); }

  std::vector<LinkConfig> links_;
  std::map<std::string, LinkState> states_;
  std::set<std::string> avoid_;
  Controller controller_{links_, [this](const LinkConfig& link) { return states_.at(link.name); }};
};

TEST_F(ControllerTest, OfTheShortestRoutesTheOneWithMostKeyIsTaken) {
  states_["a-c"].sendable_bytes = {2000, 0};
  states_["c-d"].sendable_bytes = {1500, 0};
  EXPECT_EQ((Names{"c", "d"}), Route().value());
  states_["c-d"].sendable_bytes = {999, 0};
  EXPECT_EQ((Names{"b", "d"}), Route().value());
}

TEST_F(ControllerTest, HopsCountMoreThanKey) {
  for (const char* link : {"a-e", "e-f", "f-d"}) states_[link].sendable_bytes = {1000000, 1000000};
  EXPECT_EQ(2u, Route().value().size());
}

TEST_F(ControllerTest, DownDryAndAvoidedLinksAreGoneAround) {
  states_["b-d"].up = false;
  EXPECT_EQ((Names{"c", "d"}), Route().value());
  states_["a-c"].sendable_bytes = {99, 1000};  // enough only the other way
  EXPECT_EQ((Names{"e", "f", "d"}), Route().value());
  avoid_ = {"e-f"};
  EXPECT_FALSE(Route().ok());
}

TEST_F(ControllerTest, DryAndDownAreToldApart) {
  EXPECT_EQ("not enough key material: 1001 bytes from a to d are more than the links hold",
            Route(1001).status().message());
  for (const char* link : {"a-b", "a-c", "a-e"}) states_[link].up = false;
  EXPECT_EQ("no route from a to d: links are down", Route(1001).status().message());
}

TEST_F(ControllerTest, CapacityIsThatOfTheScarcestLinkOfTheBestRoute) {
  states_["a-b"].sendable_bytes = {700, 0};
  states_["a-c"].sendable_bytes = {800, 0};
  EXPECT_EQ(800u, controller_.Capacity("a", "d"));
  for (const char* link : {"a-b", "a-c", "a-e"}) states_[link].up = false;
  EXPECT_EQ(0u, controller_.Capacity("a", "d"));
}

TEST_F(ControllerTest, ChangesOfARouteAreCounted) {
  ASSERT_TRUE(Route().ok() && Route().ok());
  EXPECT_EQ(0u, controller_.reroutes());
  const Names first = Route().value();
  states_["a-" + first.front()].up = false;
  ASSERT_TRUE(Route().ok() && Route().ok());
  EXPECT_EQ(1u, controller_.reroutes());
}

}  // namespace
}  // namespace ssn::qkdn::sim
