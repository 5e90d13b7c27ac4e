// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace ssn::qkdn::proxy {
namespace {

const std::string kGood = R"(id = 3
name = "node-3"
[kme]
url = "https://127.0.0.1:4100"
id = "kme-node-3"
ca = "ca.crt"
certificate = "proxy.crt"
key = "/etc/ssn/proxy.key"
[peers_tls]
ca = "ca.crt"
crl = "ca.crl"
certificate = "proxy.crt"
key = "proxy.key"
listen = "0.0.0.0:4200"
[local]
socket = "pad.sock"
allow_users = ["root", 64045]
allow_groups = []
[metrics]
listen = "[::1]:9300"
[audit]
file = "audit.log"
[memory]
lock = "try"
max = "1GiB"
[reservoir]
capacity = "16MiB"
low = "50%"
high = "90%"
reserve = 4096
[[peer]]
id = 7
name = "node-7"
address = "node-7.example:4200"
sae_id = "node-7"
[[peer]]
id = 0
name = "node-0"
address = "[2001:db8::1]:4200"
sae_id = "node-0"
)";

std::string With(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  EXPECT_NE(std::string::npos, at) << from;
  return text.replace(at, from.size(), to);
}

void ExpectRefused(const std::string& text, const std::string& reason) {
  const Result<Config> config = ParseConfig(text, "/etc/ssn");
  ASSERT_FALSE(config.ok()) << reason;
  EXPECT_EQ(Status::Code::kInvalidArgument, config.status().code());
  EXPECT_NE(std::string::npos, config.status().message().find(reason)) << config.status().message();
}

TEST(ProxyConfig, EveryKeyArrivesWhereItBelongs) {
  const Result<Config> parsed = ParseConfig(kGood, "/etc/ssn");
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const Config& config = parsed.value();
  EXPECT_EQ(3u, config.id);
  EXPECT_EQ("node-3", config.name);
  EXPECT_EQ("https://127.0.0.1:4100", config.kme_url);
  EXPECT_EQ("/etc/ssn/proxy.crt", config.kme_tls.certificate) << "relative to the folder of the file";
  EXPECT_EQ("/etc/ssn/proxy.key", config.kme_tls.key);
  EXPECT_EQ("/etc/ssn/ca.crl", config.peers_tls.crl);
  EXPECT_EQ("0.0.0.0:4200", ToString(config.peers_listen));
  EXPECT_EQ("[::1]:9300", ToString(*config.metrics_listen));
  EXPECT_EQ((std::vector<uid_t>{0, 64045}), config.allow_users);
  EXPECT_TRUE(config.allow_groups.empty());
  EXPECT_FALSE(config.require_lock);
  EXPECT_EQ(16u << 20, config.capacity);
  EXPECT_EQ(config.capacity / 100 * 50, config.low);
  EXPECT_EQ(config.capacity / 100 * 90, config.high);
  EXPECT_EQ(4096u, config.reserve);
  ASSERT_EQ(2u, config.peers.size());
  EXPECT_EQ("node-7.example", config.peers[0].address.host);
  EXPECT_EQ("2001:db8::1", config.peers[1].address.host);
  EXPECT_EQ(64u << 20, config.reservoir_memory());
  EXPECT_TRUE(config.warnings.empty());
  const LinkSettings link = config.Link(config.peers[1]);
  EXPECT_EQ(3u, link.self);
  EXPECT_EQ(0u, link.peer);
}

TEST(ProxyConfig, WhatIsLeftOutHasTheDocumentedDefault) {
  std::string text = With("[memory]\nlock = \"try\"\nmax = \"1GiB\"\n", "");
  const std::size_t at = text.find("[reservoir]");
  text.replace(at, text.find("[[peer]]") - at, "");
  const std::size_t metrics = text.find("[metrics]");
  text.replace(metrics, text.find("[audit]") - metrics, "");
  const Result<Config> config = ParseConfig(text, "/etc/ssn");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_TRUE(config.value().require_lock);
  EXPECT_EQ(std::uint64_t{1} << 30, config.value().max_memory);
  EXPECT_EQ(16u << 20, config.value().capacity);
  EXPECT_EQ(256u << 10, config.value().reserve);
  EXPECT_FALSE(config.value().metrics_listen.has_value());
}

TEST(ProxyConfig, ErrorsNameLineKeyValueAndWhatIsAllowed) {
  ExpectRefused(With("low = \"50%\"", "low = \"150%\""),
                "line 28: reservoir.low='150%' is not in \"1%\"..\"99%\"");
  ExpectRefused(With("capacity = \"16MiB\"", "capacity = \"16MB\""),
                "reservoir.capacity='16MB' is not a size in 65536..");
  ExpectRefused(With("capacity = \"16MiB\"", "capacity = 1024"),
                "reservoir.capacity=1024 is not a size in 65536..");
  ExpectRefused(With("capacity = \"16MiB\"", "capacity = \"99999999999999999999GiB\""),
                "reservoir.capacity=");
  ExpectRefused(With("id = 3", "id = -1"), "line 1: id=-1 is not an integer in 0..4294967295");
  ExpectRefused(With("id = 3", "id = 4294967296"), "id=4294967296 is not an integer in 0..4294967295");
  ExpectRefused(With("id = 3", ""), "id is missing");
  ExpectRefused(With("name = \"node-3\"", "name = \"node 3\""), "name='node 3' is not text of 1..32");
  ExpectRefused(With("name = \"node-3\"", "name = \"" + std::string(33, 'n') + "\""), "is not text of 1..32");
  ExpectRefused(With("low = \"50%\"", "low = \"95%\""), "is not below reservoir.high, 90%");
  ExpectRefused(With("reserve = 4096", "reserve = \"10MiB\""),
                "reservoir.reserve='10MiB' is not a size in 0..");
  ExpectRefused(With("lock = \"try\"", "lock = \"yes\""),
                "memory.lock='yes' is neither \"require\" nor \"try\"");
  ExpectRefused(With("https://127", "http://127"),
                "kme.url='http://127.0.0.1:4100' does not begin with https://");
  ExpectRefused(With("listen = \"0.0.0.0:4200\"", "listen = \"0.0.0.0\""),
                "peers_tls.listen='0.0.0.0' is not ADDRESS:PORT");
  ExpectRefused(With("listen = \"0.0.0.0:4200\"", "listen = \"somewhere:1\""), "is not ADDRESS:PORT");
  ExpectRefused(With("node-7.example:4200", "node-7.example:70000"),
                "peer[0].address='node-7.example:70000' is not HOST:PORT");
  ExpectRefused(With("node-7.example:4200", "node-7.example:0"), "with a port in 1..65535");
  ExpectRefused(With("node-7.example:4200", "2001:db8::1:4200"), "is not HOST:PORT");
  ExpectRefused(With("[\"root\", 64045]", "[\"nobody-of-this-name\"]"), "no such user on this host");
  ExpectRefused(With("[\"root\", 64045]", "\"root\""), "local.allow_users='root' is not a list of users");
  ExpectRefused(With("\"pad.sock\"", "\"" + std::string(120, 's') + "\""), "longer than 107 bytes");
  ExpectRefused(With("id = 3", "id = 3 4"), "line 1: not TOML");
}

TEST(ProxyConfig, UnknownKeysAreRefusedEverywhere) {
  for (const auto& [section, name] : {std::pair{"id = 3", "colour"},
                                      {"[kme]", "kme.colour"},
                                      {"[local]", "local.colour"},
                                      {"[memory]", "memory.colour"},
                                      {"[[peer]]", "peer[0].colour"}})
    ExpectRefused(With(section, std::string(section) + "\ncolour = 1"),
                  std::string(name) + "=1 is not a key");
  ExpectRefused(kGood + "\n[colours]\n", "colours=");
}

TEST(ProxyConfig, MetricsAreServedOnLoopbackOnly) {
  ExpectRefused(With("[::1]:9300", "0.0.0.0:9300"),
                "metrics.listen='0.0.0.0:9300' is not a loopback address");
  EXPECT_TRUE(ParseConfig(With("[::1]:9300", "127.8.8.8:0"), "/").ok());
}

TEST(ProxyConfig, IdsNamesAndSaesOfNodesAreUnique) {
  ExpectRefused(With("id = 7", "id = 3"), "peer[0].id=3 is the id of another node");
  ExpectRefused(With("id = 0", "id = 7"), "peer[1].id=7 is the id of another node");
  ExpectRefused(With("name = \"node-0\"", "name = \"node-3\""),
                "peer[1].name='node-3' is the name of another node");
  ExpectRefused(With("sae_id = \"node-0\"", "sae_id = \"node-7\""),
                "peer[1].sae_id='node-7' is the SAE of another");
}

TEST(ProxyConfig, ReservoirsThatAloneExceedTheMemoryAreRefused) {
  ExpectRefused(With("max = \"1GiB\"", "max = \"64MiB\""),
                "memory.max=67108864 does not hold the reservoirs");
  EXPECT_TRUE(ParseConfig(With("max = \"1GiB\"", "max = \"65MiB\""), "/").ok());
}

TEST(ProxyConfig, OneHundredAndTwentySevenPeersAreTheMost) {
  std::string text = With("max = \"1GiB\"", "max = \"1024GiB\"");
  text.erase(text.find("[[peer]]"));
  for (int i = 100; i < 100 + 127; ++i) {
    const std::string name = "n" + std::to_string(i);
    text += "[[peer]]\nid=" + std::to_string(i) + "\nname=\"" + name + "\"\naddress=\"h:1\"\nsae_id=\"" +
            name + "\"\n";
  }
  const Result<Config> config = ParseConfig(text, "/");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(kMaxPeers, config.value().peers.size());
  ExpectRefused(text + "[[peer]]\nid=1\nname=\"n\"\naddress=\"h:1\"\nsae_id=\"n\"\n",
                "128 peers are more than 127");
}

TEST(ProxyConfig, KmeOutsideThisHostAndMissingRevocationListAreWarnedOf) {
  const Result<Config> far = ParseConfig(With("https://127.0.0.1:4100", "https://192.0.2.7:4100/"), "/");
  ASSERT_TRUE(far.ok());
  ASSERT_EQ(1u, far.value().warnings.size());
  EXPECT_NE(std::string::npos, far.value().warnings[0].find("SReq.5"));
  EXPECT_TRUE(ParseConfig(With("127.0.0.1:4100", "[::1]:4100"), "/").value().warnings.empty());
  char name[256] = {};
  ASSERT_EQ(0, gethostname(name, sizeof name - 1));
  EXPECT_TRUE(ParseConfig(With("127.0.0.1:4100", std::string(name) + ":1"), "/").value().warnings.empty());
  const Result<Config> unrevoked = ParseConfig(With("crl = \"ca.crl\"\n", ""), "/");
  ASSERT_TRUE(unrevoked.ok());
  ASSERT_EQ(1u, unrevoked.value().warnings.size());
}

TEST(ProxyConfig, FileThatCannotBeReadIsAnError) {
  const Result<Config> config = ReadConfig("/nowhere/proxy.toml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ("/nowhere/proxy.toml: cannot be read", config.status().message());
}

}  // namespace
}  // namespace ssn::qkdn::proxy
