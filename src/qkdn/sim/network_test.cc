// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "qkdn/sim/test_util.h"

namespace ssn::qkdn::sim {
namespace {

using Supplied = std::variant<etsi014::Keys, Node::Refusal>;

class NetworkTest : public testing::Test {
 protected:
  void Begin(const std::string& toml) {
    Result<std::unique_ptr<Network>> made =
        Network::Make(TestConfig(toml), "", [this] { return now_.load(); });
    ASSERT_TRUE(made.ok()) << made.status().message();
    network_ = std::move(made).value();
  }

  Supplied Supply(const std::string& from, const std::vector<std::string>& to, std::uint64_t number = 3,
                  std::uint64_t key_bytes = 32) {
    std::vector<std::string> slaves;
    for (const std::string& node : to) slaves.push_back("sae-" + node);
    return network_->FindNode(from)->Supply("sae-" + from, slaves, number, key_bytes);
  }

  // The keys of the master are those that wait at the slave's node, and then no longer do.
  void ExpectAt(const std::string& to, const std::string& from, const Supplied& supplied) {
    const auto* keys = std::get_if<etsi014::Keys>(&supplied);
    ASSERT_NE(nullptr, keys) << std::get<Node::Refusal>(supplied).message;
    KeyStore& store = network_->FindNode(to)->store();
    const auto taken = store.Take("sae-" + from, "sae-" + to, keys->ids);
    const auto* copy = std::get_if<etsi014::Keys>(&taken);
    ASSERT_NE(nullptr, copy);
    EXPECT_TRUE(std::ranges::equal(keys->material.span(), copy->material.span()));
    EXPECT_TRUE(std::holds_alternative<KeyStore::Refusal>(store.Take("sae-" + from, "sae-" + to, keys->ids)));
  }

  static std::string MessageOf(const Supplied& supplied) {
    const auto* refusal = std::get_if<Node::Refusal>(&supplied);
    return refusal == nullptr ? "no refusal" : refusal->message;
  }

  std::uint64_t Consumed(const std::string& link) {
    return network_->FindLink(link)->counters().consumed_bytes;
  }

  std::atomic<double> now_{0};
  std::unique_ptr<Network> network_;
};

TEST_F(NetworkTest, NeighboursShareKeysCutFromLinkKey) {
  Begin(NetworkToml("ab", {{"a", "b"}}));
  ExpectAt("b", "a", Supply("a", {"b"}));
  EXPECT_EQ(96u + 32u, Consumed("a-b")) << "the keys, and one MAC";
  ExpectAt("a", "b", Supply("b", {"a"}));
}

TEST_F(NetworkTest, KeysAreRelayedHopByHop) {
  Begin(NetworkToml("abcd", {{"a", "b"}, {"b", "c"}, {"c", "d"}}));
  ExpectAt("d", "a", Supply("a", {"d"}));
  for (const char* link : {"a-b", "b-c", "c-d"}) EXPECT_EQ(96u + 32u, Consumed(link)) << link;
  EXPECT_EQ(1u, network_->FindNode("b")->relayed_messages());
  EXPECT_EQ(96u, network_->FindNode("c")->relayed_bytes());
  EXPECT_EQ(0u, network_->FindNode("d")->relayed_messages());
  ExpectAt("a", "d", Supply("d", {"a"}));
}

TEST_F(NetworkTest, LargeAndOddSizesPass) {
  Begin(NetworkToml("abc", {{"a", "b"}, {"b", "c"}}));
  for (const auto& [number, bytes] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{8, 131072}, {1, 1}, {7, 13}, {1000, 33}}) {
    ExpectAt("b", "a", Supply("a", {"b"}, number, bytes));
    ExpectAt("c", "a", Supply("a", {"c"}, number, bytes));
  }
}

TEST_F(NetworkTest, KeysAndIdsAreNewEachTime) {
  Begin(NetworkToml("ab", {{"a", "b"}}));
  std::set<std::string> ids;
  std::set<std::vector<std::uint8_t>> keys;
  for (int i = 0; i < 50; ++i) {
    const Supplied supplied = Supply("a", {"b"}, 4);
    const auto& made = std::get<etsi014::Keys>(supplied);
    ids.insert(made.ids.begin(), made.ids.end());
    for (std::size_t k = 0; k < 4; ++k)
      keys.emplace(made.material.data() + k * 32, made.material.data() + (k + 1) * 32);
  }
  EXPECT_EQ(200u, ids.size());
  EXPECT_EQ(200u, keys.size());
  for (const std::string& id : ids) EXPECT_EQ('4', id[14]) << id;
}

TEST_F(NetworkTest, AdditionalSlavesAtOneOrMoreNodesGetCopies) {
  Begin(NetworkToml("abcd", {{"a", "b"}, {"b", "c"}, {"a", "d"}}));
  const Supplied supplied = Supply("a", {"c", "b", "d"});
  for (const char* node : {"b", "c", "d"}) ExpectAt(node, "a", supplied);
}

TEST_F(NetworkTest, TwoSaesOfOneNodeNeedNoLink) {
  std::string toml = NetworkToml("a", {});
  toml.replace(toml.find("[\"sae-a\"]"), 9, "[\"sae-a\", \"sae-x\"]");
  Begin(toml);
  Node& node = *network_->FindNode("a");
  const Supplied supplied = node.Supply("sae-a", {"sae-x"}, 2, 32);
  const auto& keys = std::get<etsi014::Keys>(supplied);
  EXPECT_TRUE(std::holds_alternative<etsi014::Keys>(node.store().Take("sae-a", "sae-x", keys.ids)));
}

TEST_F(NetworkTest, ALinkThatIsDownIsGoneAround) {
  Begin(NetworkToml("abc", {{"a", "b"}, {"b", "c"}, {"a", "c"}}));
  ExpectAt("c", "a", Supply("a", {"c"}));
  EXPECT_EQ(0u, Consumed("a-b"));
  network_->FindLink("a-c")->ForceUp(false);
  ExpectAt("c", "a", Supply("a", {"c"}));
  EXPECT_EQ(128u, Consumed("a-b"));
  EXPECT_EQ(1u, network_->controller().reroutes());
  network_->FindLink("b-c")->ForceUp(false);
  EXPECT_EQ("no route from a to c: links are down", MessageOf(Supply("a", {"c"})));
  network_->FindLink("a-c")->ForceUp(true);
  ExpectAt("c", "a", Supply("a", {"c"}));
  EXPECT_EQ(2u, network_->controller().reroutes());
}

TEST_F(NetworkTest, OutagesOfTheScheduleAreGoneAroundToo) {
  Begin(NetworkToml("abc", {{"b", "c"}, {"a", "b"}}) +
        "[[link]]\nends = [\"a\", \"c\"]\nrate = \"unlimited\"\n"
        "outages = [[10, 20]]\n");
  ExpectAt("c", "a", Supply("a", {"c"}));
  now_ = 15;
  ExpectAt("c", "a", Supply("a", {"c"}));
  EXPECT_EQ(1u, network_->FindNode("b")->relayed_messages());
  now_ = 25;
  ExpectAt("c", "a", Supply("a", {"c"}));
  EXPECT_EQ(1u, network_->FindNode("b")->relayed_messages());
}

TEST_F(NetworkTest, ALinkThatFailsOnlyInUseIsGoneAround) {
  Begin(NetworkToml("abc", {{"a", "b"}, {"b", "c"}}) +
        "[[link]]\nends = [\"a\", \"c\"]\nrate = \"unlimited\"\nerror_probability = 1\n");
  ExpectAt("c", "a", Supply("a", {"c"}));
  EXPECT_EQ(1u, network_->FindNode("b")->relayed_messages());
}

TEST_F(NetworkTest, AnEmptyStoreRefusesTheWholeRequest) {
  Begin(NetworkToml("ab", {{"a", "b"}}, "", "rate = \"8kbit/s\"\nbuffer = \"64KiB\"\n"));
  now_ = 2;
  network_->Tick();
  EXPECT_EQ("not enough key material: 1056 bytes from a to b are more than the links hold",
            MessageOf(Supply("a", {"b"}, 32)));
  EXPECT_EQ(0u, Consumed("a-b"));
  EXPECT_EQ(31u, network_->FindNode("a")->Pool("sae-a", "sae-b").stored_key_count);
  ExpectAt("b", "a", Supply("a", {"b"}, 30));
}

TEST_F(NetworkTest, AFullStoreRefusesUntilKeysAreFetchedOrExpire) {
  Begin(NetworkToml("ab", {{"a", "b"}}, "store = \"128KiB\"\nkey_lifetime = \"30s\"\n"));
  const Supplied first = Supply("a", {"b"}, 128, 1024);
  EXPECT_EQ("the key store of sae-a for sae-b is full: 131072 of 131072 bytes",
            MessageOf(Supply("a", {"b"}, 1, 8)));
  ExpectAt("b", "a", first);
  ASSERT_TRUE(std::holds_alternative<etsi014::Keys>(Supply("a", {"b"}, 128, 1024)));
  now_ = 31;
  network_->Tick();
  EXPECT_EQ(128u, network_->FindNode("b")->store().Counts().front().expired_keys);
  ExpectAt("b", "a", Supply("a", {"b"}, 128, 1024));
}

TEST_F(NetworkTest, PoolSaysWhatThereIsInTheUnitsOfTheStandard) {
  Begin(NetworkToml("ab", {{"a", "b"}}, "key_size = 512\nstore = \"1MiB\"\nmax_sae_id_count = 2\n"));
  const etsi014::PoolStatus pool = network_->FindNode("a")->Pool("sae-a", "sae-b");
  EXPECT_EQ("kme-a", pool.source_kme_id);
  EXPECT_EQ("kme-b", pool.target_kme_id);
  EXPECT_EQ(512u, pool.key_size_bits);
  EXPECT_EQ(16384u, pool.max_key_count);
  EXPECT_EQ(16384u, pool.stored_key_count);
  EXPECT_EQ(8192u, pool.max_key_size_bits);
  EXPECT_EQ(2u, pool.max_sae_id_count);
  network_->FindLink("a-b")->ForceUp(false);
  EXPECT_EQ(0u, network_->FindNode("a")->Pool("sae-a", "sae-b").stored_key_count);
}

TEST_F(NetworkTest, MessagesThatDoNotBelongHereAreRefused) {
  Begin(NetworkToml("abc", {{"a", "b"}, {"b", "c"}}));
  RelayMessage message;
  message.link = "a-b";
  message.from = "c";
  EXPECT_EQ(Outcome::Kind::kRefused, network_->FindNode("b")->Relay(std::move(message)).kind);
  RelayMessage unknown;
  unknown.link = "x";
  unknown.from = "x";
  EXPECT_EQ(Outcome::Kind::kRefused, network_->FindNode("b")->Relay(std::move(unknown)).kind);
}

TEST_F(NetworkTest, ManyThreadsInARingNeitherStopEachOtherNorMixKeys) {
  Begin(NetworkToml("abcd", {{"a", "b"}, {"b", "c"}, {"c", "d"}, {"d", "a"}}));
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (const std::string pair : {"ac", "bd", "ca", "db", "ab", "ba"}) {
    threads.emplace_back([this, pair, &failures] {
      const std::string from(1, pair[0]);
      const std::string to(1, pair[1]);
      for (int i = 0; i < 200; ++i) {
        const Supplied supplied = Supply(from, {to}, 5, 100);
        const auto* keys = std::get_if<etsi014::Keys>(&supplied);
        if (keys == nullptr) {
          ++failures;
          continue;
        }
        const auto taken = network_->FindNode(to)->store().Take("sae-" + from, "sae-" + to, keys->ids);
        const auto* copy = std::get_if<etsi014::Keys>(&taken);
        if (copy == nullptr || !std::ranges::equal(keys->material.span(), copy->material.span())) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(0, failures);
}

TEST_F(NetworkTest, AnUnknownNodeOrOneWithoutAnAddressIsNamed) {
  const auto clock = [] { return 0.0; };
  EXPECT_EQ("node=\"z\" is not in the configuration",
            Network::Make(TestConfig(NetworkToml("ab", {{"a", "b"}})), "z", clock).status().message());
  EXPECT_EQ("kx_listen of node \"a\" must be a fixed address when nodes run in processes of their own",
            Network::Make(TestConfig(NetworkToml("ab", {{"a", "b"}})), "a", clock).status().message());
}

}  // namespace
}  // namespace ssn::qkdn::sim
