// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/simulation.h"

#include "qkdn/sim/https_test_util.h"

namespace ssn::qkdn::sim {
namespace {

class SimulationTest : public HttpsTest {
 protected:
  void Begin(const std::string& node_more = "", const LinkNames& links = {{"a", "b"}, {"b", "c"}}) {
    simulation_ = Start(NetworkToml("abc", links, "crl = \"ca.crl\"\nmax_sae_id_count = 2\n" + node_more));
    a_ = Client(simulation_->kme_port("a"), "sae-a");
    b_ = Client(simulation_->kme_port("b"), "sae-b");
    c_ = Client(simulation_->kme_port("c"), "sae-c");
  }

  httplib::Result Enc(const std::string& body = "", const std::string& slave = "b") {
    return a_->Post(EncUrl(slave), body, "application/json");
  }
  static httplib::Result Dec(httplib::SSLClient& client, const std::vector<std::string>& ids) {
    return client.Post(DecUrl("a"), etsi014::FormatKeyIds(ids), "application/json");
  }
  httplib::Result Manager(const std::string& fault) {
    return httplib::Client("127.0.0.1", simulation_->manager_port())
        .Post("/faults", fault, "application/json");
  }

  std::unique_ptr<Simulation> simulation_;
  std::unique_ptr<httplib::SSLClient> a_, b_, c_;
};

TEST_F(SimulationTest, ForeignClientsGetEqualKeysAtBothKmesByGetAndPost) {
  Begin();
  const etsi014::Keys keys = KeysOf(a_->Get(EncUrl("b") + "?number=3&size=512"));
  ASSERT_EQ(3u, keys.ids.size());
  EXPECT_EQ(64u, keys.key_bytes);
  const etsi014::Keys one = KeysOf(b_->Get(DecUrl("a") + "?key_ID=" + keys.ids[0]));
  EXPECT_TRUE(std::ranges::equal(keys.material.span().first(64), one.material.span()));
  const etsi014::Keys two = KeysOf(Dec(*b_, {keys.ids[1], keys.ids[2]}));
  EXPECT_TRUE(std::ranges::equal(keys.material.span().subspan(64), two.material.span()));
}

TEST_F(SimulationTest, KeysOfNodesWithoutALinkAreRelayedAndSeveralSlavesGetCopies) {
  Begin();
  const etsi014::Keys keys = KeysOf(Enc(R"({"number": 2, "additional_slave_SAE_IDs": ["sae-c"]})"));
  for (httplib::SSLClient* slave : {b_.get(), c_.get()}) {
    EXPECT_TRUE(std::ranges::equal(keys.material.span(), KeysOf(Dec(*slave, keys.ids)).material.span()));
    ExpectError(400, "one or more keys specified are not found on KME", Dec(*slave, keys.ids));
  }
}

TEST_F(SimulationTest, EveryMandatedMessageHasItsExactText) {
  Begin();
  ExpectError(400, "size shall be a multiple of 8", Enc(R"({"size": 257})"));
  ExpectError(400, "size shall be a multiple of 8", a_->Get(EncUrl("b") + "?size=257"));
  ExpectError(
      400, "not all extension_mandatory parameters are supported",
      Enc(R"({"extension_mandatory": [{"abc_route_type": "direct"}, {"abc_transfer_method": "qkd"}]})"));
  ExpectError(400, "one or more keys specified are not found on KME",
              Dec(*b_, {"bc490419-7d60-487f-adc1-4ddcc177c139"}));
  ExpectError(400, "one or more keys specified are not found on KME",
              b_->Get(DecUrl("a") + "?key_ID=bc490419-7d60-487f-adc1-4ddcc177c139"));
}

TEST_F(SimulationTest, AnotherSaesCertificateGets401WithoutABody) {
  Begin();
  const auto wrong = Client(simulation_->kme_port("a"), "sae-b");
  for (const httplib::Result& answer : {wrong->Get("/api/v1/keys/sae-b/status"), wrong->Get(EncUrl("b")),
                                        wrong->Post(DecUrl("b"), "{}", "application/json")}) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(401, answer->status);
    EXPECT_EQ("", answer->body);
  }
}

TEST_F(SimulationTest, ASlaveThatWasNotNamedGets401AndTheKeysStay) {
  Begin();
  const etsi014::Keys keys = KeysOf(Enc());
  const httplib::Result other =
      b_->Post("/api/v1/keys/sae-c/dec_keys", etsi014::FormatKeyIds(keys.ids), "application/json");
  ASSERT_TRUE(other);
  EXPECT_EQ(401, other->status);
  EXPECT_EQ("", other->body);
  KeysOf(Dec(*b_, keys.ids));
}

TEST_F(SimulationTest, WithoutACertificateOfTheAuthorityThereIsNoConnection) {
  Issue(*authority_, "sae-revoked");
  ASSERT_TRUE(authority_->Revoke(In("sae-revoked.crt")).ok() && authority_->Save(folder_).ok());
  const auto other = pki::CertificateAuthority::Make("another root", 2).value();
  Issue(*other, "foreign");
  Begin();
  for (const char* certificate : {"sae-revoked", "foreign"})
    EXPECT_FALSE(Client(simulation_->kme_port("a"), certificate)->Get("/api/v1/keys/sae-b/status"))
        << certificate;
  httplib::SSLClient none("127.0.0.1", simulation_->kme_port("a"));
  none.set_ca_cert_path(In("ca.crt"));
  EXPECT_FALSE(none.Get("/api/v1/keys/sae-b/status"));
  EXPECT_TRUE(a_->Get("/api/v1/keys/sae-b/status"));
}

TEST_F(SimulationTest, TlsBelow12IsRefused) {
  Begin();
  for (const auto& [version, accepted] :
       std::vector<std::pair<int, bool>>{{TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}}) {
    const auto client = Client(simulation_->kme_port("a"), "sae-a");
    SSL_CTX_set_security_level(client->ssl_context(), 0);
    SSL_CTX_set_min_proto_version(client->ssl_context(), version);
    SSL_CTX_set_max_proto_version(client->ssl_context(), version);
    EXPECT_EQ(accepted, static_cast<bool>(client->Get("/api/v1/keys/sae-b/status"))) << version;
  }
}

TEST_F(SimulationTest, KeysExpire) {
  Begin("key_lifetime = \"1ms\"\n");
  const etsi014::Keys keys = KeysOf(Enc());
  KeyStore& store = simulation_->network().FindNode("b")->store();
  ASSERT_TRUE(Eventually([&] { return store.Counts().front().expired_keys == 1; }));
  ExpectError(400, "one or more keys specified are not found on KME", Dec(*b_, keys.ids));
}

TEST_F(SimulationTest, AnOutageIsReroutedAndWithoutARouteItIs503) {
  Begin("", {{"a", "b"}, {"b", "c"}, {"a", "c"}});
  EXPECT_EQ(200, Manager(R"({"link": "a-c", "up": false})")->status);
  const etsi014::Keys keys = KeysOf(Enc("", "c"));
  EXPECT_TRUE(std::ranges::equal(keys.material.span(), KeysOf(Dec(*c_, keys.ids)).material.span()));
  EXPECT_EQ(1u, simulation_->network().FindNode("b")->relayed_messages());
  EXPECT_EQ(200, Manager(R"({"link": "a-b", "up": false})")->status);
  ExpectError(503, "no route from a to c: links are down", Enc("", "c"));
  EXPECT_EQ(200, Manager(R"({"link": "a-c", "up": true})")->status);
  KeysOf(Enc("", "c"));
}

TEST_F(SimulationTest, LargeKeysPassWhole) {
  Begin("max_key_size = 1048576\nmax_key_per_request = 8\n");
  const etsi014::Keys keys = KeysOf(Enc(R"({"number": 8, "size": 1048576})"));
  ASSERT_EQ(std::size_t{1} << 20, keys.material.size());
  EXPECT_TRUE(std::ranges::equal(keys.material.span(), KeysOf(Dec(*b_, keys.ids)).material.span()));
}

TEST_F(SimulationTest, ManyClientsAtOnceGetTheirOwnKeys) {
  Begin();
  std::vector<std::thread> clients;
  std::atomic<int> passed{0};
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      const std::string to = i % 2 == 0 ? "b" : "c";
      const auto master = Client(simulation_->kme_port("a"), "sae-a");
      const auto slave = Client(simulation_->kme_port(to), "sae-" + to);
      for (int k = 0; k < 20; ++k) {
        const etsi014::Keys keys = KeysOf(master->Get(EncUrl(to) + "?number=5"));
        passed += std::ranges::equal(keys.material.span(), KeysOf(Dec(*slave, keys.ids)).material.span());
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(120, passed);
}

TEST_F(SimulationTest, BodiesUrlsAndMethodsThatAreNoneEndOneRequestOnly) {
  Begin();
  EXPECT_EQ(413, Enc(std::string(200000, ' '))->status);
  a_ = Client(simulation_->kme_port("a"), "sae-a");
  EXPECT_EQ(404, a_->Get("/api/v1/keys/sae-b/other")->status);
  EXPECT_EQ(404, a_->Get("/")->status);
  EXPECT_EQ(404, a_->Put(EncUrl("b"), "", "application/json")->status);
  EXPECT_EQ(400, Enc("\xff\xfe{")->status);
  EXPECT_EQ(400, a_->Get("/api/v1/keys/" + std::string(3000, 'x') + "/status")->status);
  KeysOf(Enc());
}

TEST_F(SimulationTest, TheManagerShowsAndSaysThatItIsASimulation) {
  Begin();
  KeysOf(Enc());
  httplib::Client manager("127.0.0.1", simulation_->manager_port());
  EXPECT_NE(std::string::npos, manager.Get("/metrics")->body.find("qkdn_sim_info{simulation=\"true\""));
  EXPECT_NE(std::string::npos, manager.Get("/status")->body.find("SIMULATION"));
  EXPECT_EQ(400, Manager("{}")->status);
  EXPECT_EQ(200, Manager(R"({"node": "a", "answer": "503"})")->status);
  ExpectError(503, "the simulator was told to fail", Enc());
  EXPECT_EQ(200, Manager(R"({"node": "a", "answer": null})")->status);
  KeysOf(Enc());
}

TEST_F(SimulationTest, StopEndsIdleConnectionsAndSlowAnswersAtOnce) {
  Begin();
  KeysOf(Enc());
  ASSERT_EQ(200, Manager(R"({"node": "b", "answer": "slow"})")->status);
  std::thread waiting([&] { (void)b_->Get("/api/v1/keys/sae-a/status"); });
  const auto begin = std::chrono::steady_clock::now();
  simulation_->Stop();
  waiting.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_FALSE(a_->Get("/api/v1/keys/sae-b/status"));
}

TEST_F(SimulationTest, AnAddressInUseAndFilesThatAreNoneAreNamed) {
  Begin();
  std::string toml = NetworkToml("a", {});
  const std::string port = std::to_string(simulation_->kme_port("a"));
  toml.replace(toml.rfind("127.0.0.1:0"), 11, "127.0.0.1:" + port);
  auto second = Simulation::Make(TestConfig(toml, folder_), "", std::nullopt);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ("listen=\"127.0.0.1:" + port + "\": Address already in use", second.value()->Start().message());
  std::filesystem::remove(In("kme-a.key"));
  const Status status = Simulation::Make(TestConfig(toml, folder_), "", std::nullopt).status();
  EXPECT_EQ(Status::Code::kInvalidArgument, status.code());
  EXPECT_EQ(0u, status.message().find("node \"a\": key=\"" + In("kme-a.key") + "\": ")) << status.message();
}

}  // namespace
}  // namespace ssn::qkdn::sim
