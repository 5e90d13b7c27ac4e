// SPDX-License-Identifier: LGPL-2.1-or-later
// The client against a KME that speaks TLS and says what each test wants. Handshakes: kme_client_tls_test.cc.
#include "qkdn/etsi014/kme_client.h"

#include <atomic>
#include <chrono>
#include <future>
#include <set>
#include <thread>

#include "qkdn/etsi014/kme_client_fixture.h"

namespace ssn::qkdn::etsi014 {
namespace {

constexpr char kDepleted[] =
    R"({"message":"Not enough key material available","details":[{"key_stream_ID":"x","key_bits_requested":800,"key_bits_available":3}]})";

std::string Material(const Keys& keys) {
  return {reinterpret_cast<const char*>(keys.material.data()), keys.material.size()};
}

TEST_F(KmeClientTest, AsksForStatusByGet) {
  Serve(200, FormatPoolStatus({"KME_A", "KME_B", "SAE_A", "SAE_B", 256, 17, 1000, 128, 100000, 1, 0}));
  const auto status = client_->GetStatus("SAE_B");
  ASSERT_TRUE(std::holds_alternative<PoolStatus>(status)) << WordsOf(status);
  EXPECT_EQ(17u, std::get<PoolStatus>(status).stored_key_count);
  const TestRequest request = kme_server_->requests().at(0);
  EXPECT_EQ("GET", request.method);
  EXPECT_EQ("/api/v1/keys/SAE_B/status", request.path);
  EXPECT_EQ(kSaeId, request.client_name);
}

TEST_F(KmeClientTest, AsksForKeysByPostWithTheSizeInBits) {
  Serve(200, FormatKeys(TestKeys({"a", "b"}, 64)));
  const auto keys = client_->GetKeys("SAE_B", 3, 64);
  ASSERT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
  EXPECT_EQ((std::vector<std::string>{"a", "b"}), std::get<Keys>(keys).ids);
  EXPECT_EQ(64u, std::get<Keys>(keys).key_bytes);
  EXPECT_EQ(std::string(64, 'a') + std::string(64, 'b'), Material(std::get<Keys>(keys)));
  const TestRequest request = kme_server_->requests().at(0);
  EXPECT_EQ("POST", request.method);
  EXPECT_EQ("/api/v1/keys/SAE_B/enc_keys", request.path);
  EXPECT_EQ("application/json", request.content_type);
  EXPECT_EQ(R"({"number":3,"size":512})", request.body);
}

TEST_F(KmeClientTest, LeavesTheSizeToTheKmeWhenNoneIsGiven) {
  Serve(200, FormatKeys(TestKeys({"a"}, 44)));
  const auto keys = client_->GetKeys("SAE_B", 1, 0);
  ASSERT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
  EXPECT_EQ(44u, std::get<Keys>(keys).key_bytes);
  EXPECT_EQ("{}", kme_server_->requests().at(0).body);
}

TEST_F(KmeClientTest, AsksForKeysWithIdsByPostAndSortsTheAnswer) {
  Serve(200, FormatKeys(TestKeys({"b", "c", "a"}, 5)));
  const auto keys = client_->GetKeysWithIds("SAE_M", {"a", "b", "c"});
  ASSERT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
  EXPECT_EQ((std::vector<std::string>{"a", "b", "c"}), std::get<Keys>(keys).ids);
  EXPECT_EQ("aaaaabbbbbccccc", Material(std::get<Keys>(keys)));
  const TestRequest request = kme_server_->requests().at(0);
  EXPECT_EQ("POST", request.method);
  EXPECT_EQ("/api/v1/keys/SAE_M/dec_keys", request.path);
  EXPECT_EQ(R"({"key_IDs":[{"key_ID":"a"},{"key_ID":"b"},{"key_ID":"c"}]})", request.body);
}

TEST_F(KmeClientTest, EscapesSaeIdsInThePath) {
  Serve(503, "");
  client_->GetStatus("urn:sae/a?b#c%d");
  EXPECT_EQ("/api/v1/keys/urn%3Asae%2Fa%3Fb%23c%25d/status", kme_server_->requests().at(0).path);
}

TEST_F(KmeClientTest, RequestsThatCannotBeRightAreNotSent) {
  Serve(200, "{}");
  EXPECT_EQ("number=0 asks for nothing", ErrorOf(client_->GetKeys("B", 0, 32)).message);
  EXPECT_TRUE(Has(ErrorOf(client_->GetKeys("B", 1, std::uint64_t{1} << 62)).message,
                  "key_bytes=4611686018427387904"));
  for (const char* const sae : {"", ".", "..", "a b", "a\n"})
    EXPECT_TRUE(Has(ErrorOf(client_->GetStatus(sae)).message, "slave_sae_id="));
  EXPECT_EQ("no key ids to ask for", ErrorOf(client_->GetKeysWithIds("M", {})).message);
  EXPECT_EQ("key_ID=a is asked for twice", ErrorOf(client_->GetKeysWithIds("M", {"a", "b", "a"})).message);
  EXPECT_TRUE(Has(ErrorOf(client_->GetKeysWithIds("M", {std::string(129, 'x')})).message, "key_ID=xxx"));
  EXPECT_EQ(Action::kRefused, ErrorOf(client_->GetKeysWithIds("", {"a"})).action);
  EXPECT_EQ(0u, kme_server_->requests().size());
}

TEST_F(KmeClientTest, OneConnectionServesManyRequestsOfEveryKind) {
  Serve([](const TestRequest& request) {
    if (request.method == "GET") return Reply(200, FormatPoolStatus({}));
    if (request.path.ends_with("dec_keys")) return Reply(404, "<html></html>");
    return Reply(200, FormatKeys(TestKeys({"a"}, 100000)));
  });
  for (int i = 0; i < 10; ++i) {
    const auto status = client_->GetStatus("B");
    EXPECT_TRUE(std::holds_alternative<PoolStatus>(status)) << WordsOf(status);
    const auto keys = client_->GetKeys("B", 1, 100000);
    EXPECT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
    EXPECT_EQ(Action::kDiscard, ErrorOf(client_->GetKeysWithIds("B", {"a"})).action);
  }
  std::set<int> ports;
  for (const TestRequest& request : kme_server_->requests()) ports.insert(request.client_port);
  EXPECT_EQ(30u, kme_server_->requests().size());
  EXPECT_EQ(1u, ports.size());
}

TEST_F(KmeClientTest, AServerThatClosesEveryConnectionIsAskedOverNewOnes) {
  Serve([](const TestRequest&) {
    TestReply reply = Reply(200, FormatKeys(TestKeys({"a"}, 32)));
    reply.close = true;
    return reply;
  });
  std::set<int> ports;
  for (int i = 0; i < 5; ++i) {
    const auto keys = client_->GetKeys("B", 1, 32);
    EXPECT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
  }
  for (const TestRequest& request : kme_server_->requests()) ports.insert(request.client_port);
  EXPECT_EQ(5u, ports.size());
}

TEST_F(KmeClientTest, AServerThatWasStartedAnewIsFoundAgain) {
  const auto answer = [](const TestRequest&) { return Reply(200, FormatKeys(TestKeys({"a"}, 32))); };
  TestKme::Options options = ServerOptions();
  options.keep_alive_seconds = 1;
  kme_server_ = std::make_unique<TestKme>(options, answer);
  options.port = kme_server_->port();
  client_ = Connect(ClientOptions(kme_server_->url()));
  ASSERT_TRUE(std::holds_alternative<Keys>(client_->GetKeys("B", 1, 32)));
  kme_server_.reset();
  EXPECT_EQ(Action::kRetryLater, ErrorOf(client_->GetKeys("B", 1, 32)).action);
  kme_server_ = std::make_unique<TestKme>(options, answer);
  const auto keys = client_->GetKeys("B", 1, 32);
  EXPECT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
}

TEST_F(KmeClientTest, TheWordsOfTheKmeDecide) {
  struct Case {
    int status;
    const char* body;
    Action enc;
    Action dec;
  };
  const Case cases[] = {
      {400, kDepleted, Action::kRetryLater, Action::kRetryLater},
      {503, R"({"message":"try again"})", Action::kRetryLater, Action::kRetryLater},
      {503, "<html><h1>503 Service Unavailable</h1></html>", Action::kRetryLater, Action::kRetryLater},
      {504, "", Action::kRetryLater, Action::kRetryLater},
      {401, "", Action::kRefused, Action::kRefused},
      {403, R"({"message":"Key expired"})", Action::kRefused, Action::kDiscard},
      {404, "<html>Not Found</html>", Action::kRefused, Action::kDiscard},
      {404, "", Action::kRefused, Action::kDiscard},
      {400, R"({"message":"one or more keys specified are not found on KME"})", Action::kRefused,
       Action::kDiscard},
      {400, R"({"message":"size shall be a multiple of 8"})", Action::kRefused, Action::kRefused},
  };
  std::atomic<const Case*> now = nullptr;
  Serve([&](const TestRequest&) { return Reply(now.load()->status, now.load()->body); });
  for (const Case& one : cases) {
    now = &one;
    const KmeError enc = ErrorOf(client_->GetKeys("B", 1, 32));
    EXPECT_EQ(one.enc, enc.action) << enc.message;
    EXPECT_EQ(one.status, enc.http_status);
    const KmeError dec = ErrorOf(client_->GetKeysWithIds("B", {"a"}));
    EXPECT_EQ(one.dec, dec.action) << dec.message;
    EXPECT_EQ(one.enc, ErrorOf(client_->GetStatus("B")).action) << one.status << one.body;
  }
}

TEST_F(KmeClientTest, TruncatedJsonIsWorthAnotherTry) {
  const std::string whole = FormatKeys(TestKeys({"a"}, 32));
  std::atomic<std::size_t> size = 0;
  Serve([&](const TestRequest&) { return Reply(200, whole.substr(0, size)); });
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
    size = cut;
    EXPECT_EQ(Action::kRetryLater, ErrorOf(client_->GetKeys("B", 1, 32)).action) << cut;
    EXPECT_EQ(Action::kRetryLater, ErrorOf(client_->GetKeysWithIds("B", {"a"})).action) << cut;
    EXPECT_EQ(Action::kRetryLater, ErrorOf(client_->GetStatus("B")).action) << cut;
  }
}

TEST_F(KmeClientTest, AConnectionLostInTheMiddleOfAnAnswerIsWorthAnotherTry) {
  Serve([](const TestRequest&) {
    TestReply reply = Reply(200, FormatKeys(TestKeys({"a"}, 3000)));
    reply.lose_at_the_end = 100;
    return reply;
  });
  const KmeError error = ErrorOf(client_->GetKeys("B", 1, 3000));
  EXPECT_EQ(Action::kRetryLater, error.action) << error.message;
  EXPECT_EQ(0, error.http_status);
}

TEST_F(KmeClientTest, SizesThatDifferAreRefusedWithBothSizes) {
  std::atomic<std::size_t> size = 0;
  Serve([&](const TestRequest&) { return Reply(200, FormatKeys(TestKeys({"a"}, size))); });
  const std::pair<std::size_t, const char*> cases[] = {
      {4,
       "asked for keys of 32 bytes (256 bits), the KME sent keys of 4 bytes (32 bits); it takes bits for "
       "bytes"},
      {256,
       "asked for keys of 32 bytes (256 bits), the KME sent keys of 256 bytes (2048 bits); it takes bits for "
       "bytes"},
      {33, "asked for keys of 32 bytes (256 bits), the KME sent keys of 33 bytes (264 bits)"},
  };
  for (const auto& [sent, words] : cases) {
    size = sent;
    const KmeError error = ErrorOf(client_->GetKeys("B", 1, 32));
    EXPECT_EQ(Action::kRefused, error.action);
    EXPECT_EQ("POST /api/v1/keys/B/enc_keys: status 200: " + std::string(words), error.message);
  }
}

TEST_F(KmeClientTest, WrongIdsMeanThatTheseKeysAreGone) {
  std::string body;
  Serve([&](const TestRequest&) { return Reply(200, body); });
  const std::string twice = R"({"keys":[{"key_ID":"a","key":"Zm9v"},{"key_ID":"a","key":"Zm9v"}]})";
  const std::string long_id = R"({"keys":[{"key_ID":")" + std::string(129, 'x') + R"(","key":"Zm9v"}]})";
  const std::string control = R"({"keys":[{"key_ID":"a\n","key":"Zm9v"}]})";
  const std::pair<std::string, const char*> cases[] = {
      {FormatKeys(TestKeys({"a"}, 3)), "key_ID=b is missing among the 1 keys sent"},
      {FormatKeys(TestKeys({"a", "c"}, 3)), "key_ID=b is missing among the 2 keys sent"},
      {FormatKeys(TestKeys({"c", "b", "a"}, 3)), "key_ID=c was not asked for"},
      {R"({"keys":[]})", "key_ID=a is missing among the 0 keys sent"},
      {twice, "key_ID=a is there twice"},
      {long_id, "key_ID of 129 characters"},
      {control, "key_ID of 2 characters"},
      {R"({"keys":[{"key_ID":"a","key":"Zm9"}]})", "key of key_ID=a"},
  };
  for (const auto& [text, words] : cases) {
    body = text;
    const KmeError dec = ErrorOf(client_->GetKeysWithIds("B", {"a", "b"}));
    EXPECT_EQ(Action::kDiscard, dec.action) << dec.message;
    EXPECT_TRUE(Has(dec.message, words));
  }
  for (const std::string& text : {twice, long_id, control}) {
    body = text;
    EXPECT_EQ(Action::kRefused, ErrorOf(client_->GetKeys("B", 2, 3)).action) << text;
  }
}

TEST_F(KmeClientTest, MoreKeysThanAskedForAreRefusedAndNoneIsARetry) {
  std::string body = FormatKeys(TestKeys({"a", "b", "c"}, 32));
  Serve([&](const TestRequest&) { return Reply(200, body); });
  const KmeError more = ErrorOf(client_->GetKeys("B", 2, 32));
  EXPECT_EQ(Action::kRefused, more.action);
  EXPECT_TRUE(Has(more.message, "3 keys, asked for 2"));
  body = R"({"keys":[]})";
  const KmeError none = ErrorOf(client_->GetKeys("B", 2, 32));
  EXPECT_EQ(Action::kRetryLater, none.action);
  EXPECT_TRUE(Has(none.message, "no key, of 2 asked for"));
  EXPECT_TRUE(none.no_keys);
}

TEST_F(KmeClientTest, AnAnswerLongerThanTheLimitIsRefused) {
  Serve([](const TestRequest&) { return Reply(200, FormatKeys(TestKeys({"a"}, 3000))); });
  KmeClient::Options options = ClientOptions(kme_server_->url());
  options.max_body_bytes = FormatKeys(TestKeys({"a"}, 3000)).size();
  EXPECT_TRUE(std::holds_alternative<Keys>(Connect(options)->GetKeys("B", 1, 3000)));
  --options.max_body_bytes;
  const KmeError error = ErrorOf(Connect(options)->GetKeys("B", 1, 3000));
  EXPECT_EQ(Action::kRefused, error.action);
  EXPECT_TRUE(Has(error.message, "longer than " + std::to_string(options.max_body_bytes) + " bytes"));
}

TEST_F(KmeClientTest, RedirectionsAreNotFollowed) {
  Serve([this](const TestRequest&) {
    TestReply reply = Reply(307, "");
    reply.location = kme_server_->url() + "/elsewhere";
    return reply;
  });
  EXPECT_EQ(Action::kRefused, ErrorOf(client_->GetKeys("B", 1, 32)).action);
  EXPECT_EQ(1u, kme_server_->requests().size());
}

TEST_F(KmeClientTest, AProxyOfTheEnvironmentIsNotUsed) {
  ASSERT_EQ(0, setenv("https_proxy", "http://127.0.0.1:1", 1));
  ASSERT_EQ(0, setenv("ALL_PROXY", "http://127.0.0.1:1", 1));
  Serve(200, FormatKeys(TestKeys({"a"}, 32)));
  const auto keys = client_->GetKeys("B", 1, 32);
  EXPECT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
  unsetenv("https_proxy");
  unsetenv("ALL_PROXY");
}

TEST_F(KmeClientTest, ASlowAnswerTimesOutAndTheNextOneIsTaken) {
  std::promise<void> late;
  const auto waits = std::make_shared<std::atomic<bool>>(true);
  Serve([waits, go_on = late.get_future().share()](const TestRequest&) {
    if (waits->exchange(false)) go_on.wait();
    return Reply(200, FormatKeys(TestKeys({"a"}, 32)));
  });
  KmeClient::Options options = ClientOptions(kme_server_->url());
  options.timeout = std::chrono::milliseconds(300);
  const auto client = Connect(options);
  const auto start = std::chrono::steady_clock::now();
  const KmeError error = ErrorOf(client->GetKeys("B", 1, 32));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  EXPECT_EQ(Action::kRetryLater, error.action) << error.message;
  const auto keys = client_->GetKeys("B", 1, 32);
  EXPECT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
  late.set_value();
}

TEST_F(KmeClientTest, InterruptEndsARunningCallAtOnceAndEveryLaterOne) {
  const auto arrived = std::make_shared<std::promise<void>>();
  std::promise<void> late;
  // The handler outlives the test's variables by a little: it holds its own.
  Serve([arrived, go_on = late.get_future().share()](const TestRequest&) {
    arrived->set_value();
    go_on.wait();
    return Reply(200, FormatKeys(TestKeys({"a"}, 32)));
  });
  auto running = std::async(std::launch::async, [&] { return client_->GetKeys("B", 1, 32); });
  arrived->get_future().wait();
  const auto start = std::chrono::steady_clock::now();
  client_->Interrupt();
  const KmeError error = ErrorOf(running.get());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500));
  EXPECT_EQ(Action::kRetryLater, error.action);
  EXPECT_TRUE(Has(error.message, "interrupted"));
  EXPECT_TRUE(Has(ErrorOf(client_->GetStatus("B")).message, "interrupted"));
  EXPECT_EQ(1u, kme_server_->requests().size());
  late.set_value();
}

}  // namespace
}  // namespace ssn::qkdn::etsi014
