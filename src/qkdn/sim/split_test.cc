// SPDX-License-Identifier: LGPL-2.1-or-later
// One simulation for each node, joined by HTTPS only, as the processes of `qkdn-sim --node` are.
#include "qkdn/sim/https_test_util.h"

namespace ssn::qkdn::sim {
namespace {

class SplitTest : public HttpsTest {
 protected:
  void Begin(const LinkNames& links, const std::string& link_more = "rate = \"unlimited\"\n") {
    toml_ = NetworkToml("abc", links, "crl = \"ca.crl\"\n", link_more);
    for (const std::string node : {"a", "b", "c"}) {
      const std::uint16_t port = FreePort();
      ports_[node] = port;
      toml_.insert(toml_.find("kme_id = \"kme-" + node),
                   "kx_listen = \"127.0.0.1:" + std::to_string(port) + "\"\n");
    }
    for (const std::string node : {"a", "b", "c"}) Restart(node);
  }

  void Restart(const std::string& node) {
    nodes_[node].reset();
    nodes_[node] = Start(toml_, node);
  }

  bool Pass(const std::string& from, const std::string& to) {
    return KeysPass(*nodes_.at(from), from, *nodes_.at(to), to);
  }

  std::string toml_;
  std::map<std::string, std::uint16_t> ports_;
  std::map<std::string, std::unique_ptr<Simulation>> nodes_;
};

TEST_F(SplitTest, NeighboursAndNodesBehindThemGetEqualKeysInBothDirections) {
  Begin({{"a", "b"}, {"b", "c"}});
  for (const std::string pair : {"ab", "ba", "bc", "cb", "ac", "ca"})
    EXPECT_TRUE(Pass(pair.substr(0, 1), pair.substr(1))) << pair;
  EXPECT_EQ(2u, nodes_["b"]->network().FindNode("b")->relayed_messages());
}

TEST_F(SplitTest, LinksWithARateFillBothProcesses) {
  Begin({{"a", "b"}, {"b", "c"}}, "rate = \"1Mbit/s\"\n");
  for (const std::string pair : {"ab", "ba", "ac", "ca"})
    EXPECT_TRUE(Eventually([&] { return Pass(pair.substr(0, 1), pair.substr(1)); })) << pair;
}

TEST_F(SplitTest, ALinkThatIsDownElsewhereIsGoneAround) {
  Begin({{"a", "b"}, {"b", "c"}, {"c", "a"}});
  EXPECT_TRUE(Pass("a", "c"));
  nodes_["c"]->network().FindLink("c-a")->ForceUp(false);
  EXPECT_TRUE(Eventually([&] { return Pass("a", "c"); }));
  EXPECT_GE(nodes_["b"]->network().FindNode("b")->relayed_messages(), 1u);
}

TEST_F(SplitTest, WhoeverRestartsIsFoundAgain) {
  Begin({{"a", "b"}, {"b", "c"}}, "rate = \"10Mbit/s\"\n");
  const auto all_pass = [&] { return Pass("a", "b") && Pass("b", "a") && Pass("a", "c") && Pass("c", "a"); };
  EXPECT_TRUE(Eventually(all_pass));
  for (const std::string node : {"b", "a", "c"}) {
    Restart(node);
    EXPECT_TRUE(Eventually(all_pass)) << "after a restart of " << node;
  }
}

TEST_F(SplitTest, ANodeThatIsGoneGives503AndTheOthersGoOn) {
  Begin({{"a", "b"}, {"a", "c"}});
  nodes_["c"].reset();
  const auto client = Client(nodes_["a"]->kme_port("a"), "sae-a");
  const httplib::Result answer = client->Get(EncUrl("c"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(503, answer->status);
  EXPECT_NE(std::string::npos, etsi014::ParseError(answer->body).message.find("c at 127.0.0.1:"))
      << answer->body;
  EXPECT_TRUE(Pass("a", "b"));
}

TEST_F(SplitTest, OnlyNeighboursAreHeardOnKx) {
  Begin({{"a", "b"}, {"b", "c"}});
  // b's neighbours are a and c; an SAE and a node that is no neighbour are strangers.
  EXPECT_EQ(200, Client(ports_["b"], "kme-a")->Get("/kx/v1/links")->status);
  EXPECT_EQ(401, Client(ports_["b"], "sae-a")->Get("/kx/v1/links")->status);
  EXPECT_EQ(401, Client(ports_["a"], "kme-c")->Get("/kx/v1/links")->status);
  EXPECT_EQ(401, Client(ports_["a"], "kme-c")->Post("/kx/v1/relay", "x", "application/octet-stream")->status);
  for (const char* path : {"/kx/v1/relay", "/kx/v1/deliver", "/kx/v1/want"}) {
    EXPECT_EQ(400, Client(ports_["b"], "kme-a")->Post(path, "", "application/octet-stream")->status) << path;
    EXPECT_EQ(400, Client(ports_["b"], "kme-a")->Post(path, "garbage", "application/octet-stream")->status)
        << path;
  }
  EXPECT_TRUE(Pass("a", "c"));
}

TEST_F(SplitTest, AMessageInTheNameOfAnotherNeighbourIsRefused) {
  Begin({{"a", "b"}, {"b", "c"}});
  RelayMessage message;
  message.link = "b-c";
  message.from = "c";
  const PooledSecret frame = FormatRelay(message);
  const std::string body(frame.span().begin(), frame.span().end());
  EXPECT_EQ(400,
            Client(ports_["b"], "kme-a")->Post("/kx/v1/relay", body, "application/octet-stream")->status);
}

}  // namespace
}  // namespace ssn::qkdn::sim
