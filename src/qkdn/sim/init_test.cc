// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/init.h"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "qkdn/sim/simulation.h"

namespace ssn::qkdn::sim {
namespace {

class InitTest : public testing::Test {
 protected:
  InitTest() {
    std::string name = testing::TempDir() + "init-XXXXXX";
    folder_ = mkdtemp(name.data());
    options_.folder = folder_ + "/net";
  }
  ~InitTest() override { std::filesystem::remove_all(folder_); }

  std::size_t LinksOf(const std::string& topology, std::uint64_t nodes) {
    options_.topology = topology;
    options_.nodes = nodes;
    options_.folder = folder_ + "/" + topology + std::to_string(nodes);
    EXPECT_TRUE(Init(options_).ok());
    const Result<Config> config = LoadConfig(options_.folder + "/qkdn-sim.toml");
    EXPECT_TRUE(config.ok());
    return config.value().links.size();
  }

  std::string folder_;
  InitOptions options_;
};

TEST_F(InitTest, WhatItWritesTheSimulationTakes) {
  options_.nodes = 2;
  options_.rate = "1Mbit/s";
  options_.max_key_size_bits = 1048576;
  options_.keys_per_request = 8;
  ASSERT_TRUE(Init(options_).ok());
  const Result<Config> config = LoadConfig(options_.folder + "/qkdn-sim.toml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(1000000u, config.value().links.front().rate_bits_per_s);
  EXPECT_EQ(14099, config.value().manager.port);
  EXPECT_EQ("kme-node-1", config.value().nodes[1].kme_id);
  EXPECT_EQ(14001, config.value().nodes[1].listen.port);
  EXPECT_TRUE(Simulation::Make(config.value(), "", std::nullopt).ok());
  EXPECT_TRUE(Simulation::Make(config.value(), "node-1", std::nullopt).ok());
}

TEST_F(InitTest, EachNodeHasTheConfigurationOfItsProxy) {
  options_.nodes = 3;
  options_.base_port = 20000;
  ASSERT_TRUE(Init(options_).ok());
  const std::string folder = options_.folder + "/node-1";
  const toml::table proxy = toml::parse_file(folder + "/qkdn-proxy.toml");
  EXPECT_EQ(1, proxy["id"].value_or(-1));
  EXPECT_EQ("https://127.0.0.1:20001", proxy["kme"]["url"].value_or(std::string()));
  EXPECT_EQ("kme-node-1", proxy["kme"]["id"].value_or(std::string()));
  EXPECT_EQ("127.0.0.1:20101", proxy["peers_tls"]["listen"].value_or(std::string()));
  EXPECT_EQ("127.0.0.1:20201", proxy["metrics"]["listen"].value_or(std::string()));
  const toml::array& peers = *proxy["peer"].as_array();
  ASSERT_EQ(2u, peers.size());
  EXPECT_EQ(2, (*peers[1].as_table())["id"].value_or(-1));
  EXPECT_EQ("node-2", (*peers[1].as_table())["sae_id"].value_or(std::string()));
  EXPECT_EQ("127.0.0.1:20102", (*peers[1].as_table())["address"].value_or(std::string()));
  for (const char* file : {"ca.crt", "ca.crl", "proxy.crt", "proxy.key", "kme.crt", "kme.key"})
    EXPECT_TRUE(std::filesystem::exists(folder + "/" + file)) << file;
}

TEST_F(InitTest, TopologiesHaveTheirLinks) {
  EXPECT_EQ(10u, LinksOf("full", 5));
  EXPECT_EQ(5u, LinksOf("ring", 5));
  EXPECT_EQ(1u, LinksOf("ring", 2));
  EXPECT_EQ(4u, LinksOf("line", 5));
  EXPECT_EQ(4u, LinksOf("star", 5));
  EXPECT_EQ(0u, LinksOf("full", 1));
}

TEST_F(InitTest, WhatDoesNotFitIsRefusedBeforeAnythingIsWritten) {
  const auto message = [&](auto change) {
    InitOptions options = options_;
    change(options);
    return Init(options).message();
  };
  EXPECT_EQ("nodes=100 is outside 1..99", message([](InitOptions& o) { o.nodes = 100; }));
  EXPECT_EQ("address=\"localhost\" is not an IPv4 address",
            message([](InitOptions& o) { o.address = "localhost"; }));
  EXPECT_EQ("capacity=\"1KiB\" is not a size in 64KiB..64GiB",
            message([](InitOptions& o) { o.capacity = "1KiB"; }));
  EXPECT_EQ("base-port=80 is outside 1024..65136", message([](InitOptions& o) { o.base_port = 80; }));
  EXPECT_EQ("topology=\"tree\" is not one of full, ring, line, star",
            message([](InitOptions& o) { o.topology = "tree"; }));
  EXPECT_EQ(0u, message([](InitOptions& o) { o.rate = "1MB/s"; }).find("link[0].rate=\"1MB/s\": "));
  EXPECT_EQ("node[0].key_size=68 is not a multiple of 8 bits",
            message([](InitOptions& o) { o.key_size_bits = 68; }));
  EXPECT_FALSE(std::filesystem::exists(options_.folder));
}

TEST_F(InitTest, AddressAndReservoirsAreThoseAskedFor) {
  options_.address = "127.5.6.7";
  options_.capacity = "512KiB";
  ASSERT_TRUE(Init(options_).ok());
  EXPECT_EQ("127.5.6.7", LoadConfig(options_.folder + "/qkdn-sim.toml").value().nodes[0].listen.host);
  const toml::table proxy = toml::parse_file(options_.folder + "/node-0/qkdn-proxy.toml");
  EXPECT_EQ("127.5.6.7:14100", proxy["peers_tls"]["listen"].value_or(std::string()));
  EXPECT_EQ("512KiB", proxy["reservoir"]["capacity"].value_or(std::string()));
  EXPECT_EQ("8KiB", proxy["reservoir"]["reserve"].value_or(std::string()));
}

TEST_F(InitTest, TheMemoryOfAProxyHoldsItsReservoirs) {
  options_.nodes = 40;
  ASSERT_TRUE(Init(options_).ok());
  const toml::table proxy = toml::parse_file(options_.folder + "/node-0/qkdn-proxy.toml");
  EXPECT_EQ("2GiB", proxy["memory"]["max"].value_or(std::string())) << "2 x 16 MiB x 39 peers are 1.2 GiB";
}

TEST_F(InitTest, ARevokedProxyIsOnTheListOfEveryNode) {
  ASSERT_TRUE(Init(options_).ok());
  const auto list_of = [&](const std::string& folder) {
    std::ostringstream text;
    text << std::ifstream(folder + "/ca.crl").rdbuf();
    return text.str();
  };
  const std::string before = list_of(options_.folder);
  ASSERT_TRUE(Revoke(options_.folder, "node-2").ok());
  const std::string after = list_of(options_.folder);
  EXPECT_NE(before, after);
  for (const char* node : {"node-0", "node-1", "node-2"})
    EXPECT_EQ(after, list_of(options_.folder + "/" + node));
  EXPECT_EQ(options_.folder + "/node-9/proxy.crt: No such file or directory",
            Revoke(options_.folder, "node-9").message());
  EXPECT_EQ("/nowhere/ca.crt: No such file or directory", Revoke("/nowhere", "node-0").message());
}

TEST_F(InitTest, AFolderThatHoldsSomethingIsLeftAlone) {
  std::filesystem::create_directory(options_.folder);
  std::ofstream(options_.folder + "/file") << "mine";
  EXPECT_EQ(options_.folder + " is not empty: a network is written into a new folder",
            Init(options_).message());
  EXPECT_EQ(1, std::distance(std::filesystem::directory_iterator(options_.folder), {}));
}

}  // namespace
}  // namespace ssn::qkdn::sim
