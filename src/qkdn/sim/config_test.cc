// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/config.h"

#include <gtest/gtest.h>

#include <fstream>

#include "qkdn/sim/units.h"

namespace ssn::qkdn::sim {
namespace {

const std::string kManager = "[manager]\nlisten = \"127.0.0.1:0\"\n";

std::string NodeText(const std::string& name, const std::string& more = "") {
  return "[[node]]\nname = \"" + name + "\"\nkme_id = \"kme-" + name + "\"\nsae_ids = [\"sae-" + name +
         "\"]\nlisten = \"127.0.0.1:0\"\nca = \"ca.crt\"\ncertificate = \"" + name + ".crt\"\nkey = \"/etc/" +
         name + ".key\"\n" + more;
}

std::string LinkText(const std::string& more) {
  return "[[link]]\nends = [\"a\", \"b\"]\nrate = \"1Mbit/s\"\n" + more;
}

std::string Fault(const std::string& text) {
  const Result<Config> config = ParseConfig(text, "/net");
  return config.ok() ? "no fault" : config.status().message();
}

std::string NodeFault(const std::string& more) { return Fault(kManager + NodeText("a", more)); }
std::string LinkFault(const std::string& more) {
  return Fault(kManager + NodeText("a") + NodeText("b") + LinkText(more));
}

TEST(Config, ReadsNodesAndLinksAndFillsInWhatIsLeftOut) {
  const Result<Config> read = ParseConfig(
      kManager +
          NodeText("a", "key_size = 512\nstore = \"1MiB\"\ncrl = \"ca.crl\"\nkx_listen = \"[::1]:7\"\n") +
          NodeText("b") +
          LinkText(
              "outages = [[10, 20.5]]\noutage_period = 60\nerror_probability = 0.5\nbuffer = \"1MiB\"\n"),
      "/net");
  ASSERT_TRUE(read.ok()) << read.status().message();
  const Config& config = read.value();
  ASSERT_EQ(2u, config.nodes.size());
  EXPECT_EQ("/net/ca.crt", config.nodes[0].ca_file);
  EXPECT_EQ("/net/ca.crl", config.nodes[0].crl_file);
  EXPECT_EQ("/etc/a.key", config.nodes[0].key_file);
  EXPECT_EQ(512u, config.nodes[0].key_size_bits);
  EXPECT_EQ(256u, config.nodes[1].key_size_bits);
  EXPECT_EQ(16384u, config.nodes[0].max_key_count());
  EXPECT_EQ("::1", config.nodes[0].kx_listen->host);
  EXPECT_EQ("a-b", config.links[0].name);
  EXPECT_EQ(1000000u, config.links[0].rate_bits_per_s);
  EXPECT_DOUBLE_EQ(20.5, config.links[0].schedule.outages[0].second);
  EXPECT_EQ("a", config.FindNodeOfSae("sae-a")->name);
  EXPECT_EQ(nullptr, config.FindNodeOfSae("sae-c"));
}

TEST(Config, FaultsOfANodeNameKeyValueAndRange) {
  EXPECT_EQ("node[0].key_size=7 is outside 64..8192", NodeFault("key_size = 7\n"));
  EXPECT_EQ("node[0].key_size=257 is not a multiple of 8 bits", NodeFault("key_size = 257\n"));
  EXPECT_EQ("node[0].key_size is not a whole number in 64..8192", NodeFault("key_size = \"256\"\n"));
  EXPECT_EQ("node[0].max_key_size=-8 is outside 8..67108864", NodeFault("max_key_size = -8\n"));
  EXPECT_EQ("node[0].max_key_per_request=0 is outside 1..100000", NodeFault("max_key_per_request = 0\n"));
  EXPECT_EQ("node[0].store=\"1M\": a size is a number and B, KiB, MiB or GiB, such as \"16MiB\"",
            NodeFault("store = \"1M\"\n"));
  EXPECT_EQ("node[0].key_lifetime=\"0s\": a time is a number and ms, s, min, h or d, such as \"30s\"",
            NodeFault("key_lifetime = \"0s\"\n"));
  EXPECT_EQ(
      "node[0].max_key_per_request=128 keys of max_key_size=8192 bits are 131072 bytes, more than the store "
      "holds",
      NodeFault("store = \"100KiB\"\n"));
  EXPECT_EQ("node[0].colour: there is no such key", NodeFault("colour = 1\n"));
  EXPECT_EQ("node[0].listen=\"localhost:1\": an address is IPV4:PORT or [IPV6]:PORT with a port in 0..65535",
            Fault(kManager +
                  "[[node]]\nname = \"a\"\nkme_id = \"k\"\nsae_ids = [\"s\"]\nlisten = \"localhost:1\"\n"));
  EXPECT_EQ("node[0].kme_id is missing", Fault(kManager + "[[node]]\nname = \"a\"\n"));
  EXPECT_EQ("node[0].name=\"a b\" is not 1..64 of letters, digits, '-', '_', '.'",
            Fault(kManager + "[[node]]\nname = \"a b\"\n"));
  EXPECT_EQ("node[0].sae_ids=[] names no SAE",
            Fault(kManager + "[[node]]\nname = \"a\"\nkme_id = \"k\"\nsae_ids = []\n"));
}

TEST(Config, FaultsOfALinkNameKeyValueAndRange) {
  EXPECT_EQ("link[0].error_probability=1.5 is outside 0..1", LinkFault("error_probability = 1.5\n"));
  EXPECT_EQ("link[0].buffer=100 bytes is outside 4096..1099511627776", LinkFault("buffer = \"100B\"\n"));
  EXPECT_EQ("link[0].outage_period=15 ends before the last window, 20",
            LinkFault("outages = [[10, 20]]\noutage_period = 15\n"));
  for (const char* outages : {"[[20, 10]]", "[[1, 2], [1.5, 3]]", "[[-1, 2]]", "[[1]]", "[1, 2]", "7",
                              "[[\"a\", 2]]", "[[nan, 2]]"})
    EXPECT_EQ(
        0u,
        LinkFault(std::string("outages = ") + outages + "\n")
            .find(
                "link[0].outages must be a list of [start, end] in seconds, in order, with 0 <= start < end"))
        << outages;
  EXPECT_EQ(
      "link[0].rate=\"fast\": a rate is \"unlimited\" or a number and bit/s, kbit/s, Mbit/s or Gbit/s, such "
      "as "
      "\"1.5Mbit/s\"",
      Fault(kManager + NodeText("a") + "[[link]]\nends = [\"a\", \"b\"]\nrate = \"fast\"\n"));
  EXPECT_EQ(
      "link[0].ends holds 3 names; a link has two ends",
      Fault(kManager + NodeText("a") + "[[link]]\nends = [\"a\", \"b\", \"c\"]\nrate = \"unlimited\"\n"));
}

TEST(Config, FaultsOfTheWhole) {
  EXPECT_EQ("manager.listen is missing", Fault(""));
  EXPECT_EQ("there is no [[node]]", Fault(kManager));
  EXPECT_EQ("manager.listen=\"0.0.0.0:1\" is not a loopback address: whoever reaches it can inject faults",
            Fault("[manager]\nlisten = \"0.0.0.0:1\"\n" + NodeText("a")));
  EXPECT_EQ("node.name=\"a\" is used twice", Fault(kManager + NodeText("a") + NodeText("a")));
  EXPECT_EQ("link.ends=\"b\" is not the name of a node", Fault(kManager + NodeText("a") + LinkText("")));
  EXPECT_EQ("link \"b-a\" is there twice", Fault(kManager + NodeText("a") + NodeText("b") + LinkText("") +
                                                 "[[link]]\nends = [\"b\", \"a\"]\nrate = \"unlimited\"\n"));
  EXPECT_EQ("link.ends=[\"a\", \"a\"] joins a node to itself",
            Fault(kManager + NodeText("a") + "[[link]]\nends = [\"a\", \"a\"]\nrate = \"unlimited\"\n"));
  EXPECT_EQ("nodes: there is no such key", Fault(kManager + "[nodes]\n"));
  EXPECT_EQ("node must be written as [[node]] tables", Fault(kManager + "[node]\n"));
  EXPECT_EQ(0u, Fault("= 1").find("line 1, column 1: ")) << Fault("= 1");
}

TEST(Config, TwoNodesCannotListenAtOneAddressUnlessTheKernelChooses) {
  std::string a = NodeText("a");
  std::string b = NodeText("b");
  EXPECT_EQ("no fault", Fault(kManager + a + b));
  for (std::string* text : {&a, &b}) text->replace(text->find(":0\""), 3, ":4444\"");
  EXPECT_EQ("node.listen=\"127.0.0.1:4444\" is used twice", Fault(kManager + a + b));
}

TEST(Config, AFileIsNamedInItsFaults) {
  EXPECT_EQ("/nowhere/sim.toml cannot be read", LoadConfig("/nowhere/sim.toml").status().message());
  const std::string path = testing::TempDir() + "config_test.toml";
  std::ofstream(path) << "colour = 1\n";
  EXPECT_EQ(path + ": colour: there is no such key", LoadConfig(path).status().message());
  std::remove(path.c_str());
}

}  // namespace
}  // namespace ssn::qkdn::sim
