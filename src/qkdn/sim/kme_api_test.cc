// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/kme_api.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "qkdn/sim/network.h"
#include "qkdn/sim/test_util.h"

namespace ssn::qkdn::sim {
namespace {

class KmeApiTest : public testing::Test {
 protected:
  KmeApiTest()
      : network_(Network::Make(TestConfig(NetworkToml("abc", {{"a", "b"}, {"b", "c"}},
                                                      "max_key_per_request = 10\nmax_sae_id_count = 1\n")),
                               "", [] { return 0.0; })
                     .value()),
        a_(*network_->FindNode("a")),
        b_(*network_->FindNode("b")),
        c_(*network_->FindNode("c")) {}

  static void ExpectError(int status, const std::string& message, const KmeAnswer& answer) {
    EXPECT_EQ(status, answer.status);
    EXPECT_EQ(message, etsi014::ParseError(answer.body.text()).message);
  }

  static etsi014::Keys KeysOf(const KmeAnswer& answer) {
    EXPECT_EQ(200, answer.status) << answer.body.text();
    Result<etsi014::Keys> keys = etsi014::ParseKeys(answer.body.text());
    EXPECT_TRUE(keys.ok());
    return std::move(keys).value();
  }

  KmeAnswer Enc(const std::string& body) { return a_.PostGetKey("sae-a", "sae-b", body); }
  KmeAnswer Dec(const std::vector<std::string>& ids) {
    return b_.PostGetKeyWithIds("sae-b", "sae-a", etsi014::FormatKeyIds(ids));
  }

  std::unique_ptr<Network> network_;
  KmeApi a_, b_, c_;
};

TEST_F(KmeApiTest, PostAndGetGiveTheSameKeysToBothSaes) {
  const etsi014::Keys keys = KeysOf(Enc(R"({"number": 3, "size": 128})"));
  EXPECT_EQ(3u, keys.ids.size());
  EXPECT_EQ(16u, keys.key_bytes) << "size is in bits";
  const etsi014::Keys first = KeysOf(b_.GetKeyWithIds("sae-b", "sae-a", {{"key_ID", keys.ids[0]}}));
  EXPECT_TRUE(std::ranges::equal(keys.material.span().first(16), first.material.span()));
  const etsi014::Keys rest = KeysOf(Dec({keys.ids[2], keys.ids[1]}));
  EXPECT_TRUE(std::ranges::equal(keys.material.span().subspan(32, 16), rest.material.span().first(16)));
}

TEST_F(KmeApiTest, DefaultsAreOneKeyOfTheDefaultSize) {
  for (const KmeAnswer& answer : {Enc(""), Enc("{}"), a_.GetKey("sae-a", "sae-b", {})}) {
    const etsi014::Keys keys = KeysOf(answer);
    EXPECT_EQ(1u, keys.ids.size());
    EXPECT_EQ(32u, keys.key_bytes);
  }
  EXPECT_EQ(8u, KeysOf(a_.GetKey("sae-a", "sae-b", {{"size", "64"}, {"number", "2"}})).key_bytes);
}

TEST_F(KmeApiTest, TheMessagesTheStandardGives) {
  ExpectError(400, "size shall be a multiple of 8", Enc(R"({"size": 129})"));
  ExpectError(400, "size shall be a multiple of 8", a_.GetKey("sae-a", "sae-b", {{"size", "7"}}));
  ExpectError(400, "not all extension_mandatory parameters are supported",
              Enc(R"({"extension_mandatory": [{"abc_route_type": "direct"}]})"));
  ExpectError(400, "one or more keys specified are not found on KME",
              Dec({"00000000-0000-4000-8000-000000000000"}));
  ExpectError(400, "one or more keys specified are not found on KME",
              b_.GetKeyWithIds("sae-b", "sae-a", {{"key_ID", "nonsense"}}));
}

TEST_F(KmeApiTest, OptionalExtensionsMayBeLeftUndone) {
  EXPECT_EQ(200, Enc(R"({"extension_optional": [{"abc_max_age": 30000}]})").status);
  EXPECT_EQ(200, Enc(R"({"extension_mandatory": []})").status);
}

TEST_F(KmeApiTest, LimitsAreKeptAndNamed) {
  ExpectError(400, "size=56 is outside 64..8192", Enc(R"({"size": 56})"));
  ExpectError(400, "size=8200 is outside 64..8192", Enc(R"({"size": 8200})"));
  EXPECT_EQ(400, Enc(R"({"number": 0})").status);
  ExpectError(400, "number=0 is outside 1..10", a_.GetKey("sae-a", "sae-b", {{"number", "0"}}));
  ExpectError(400, "number=11 is outside 1..10", Enc(R"({"number": 11})"));
  ExpectError(400, "number=18446744073709551615 is outside 1..10",
              a_.GetKey("sae-a", "sae-b", {{"number", "18446744073709551615"}}));
  ExpectError(400, "number=-1 is not a whole number", a_.GetKey("sae-a", "sae-b", {{"number", "-1"}}));
  ExpectError(400, "number=18446744073709551616 is not a whole number",
              a_.GetKey("sae-a", "sae-b", {{"number", "18446744073709551616"}}));
  ExpectError(400, "size=0 is no size", a_.GetKey("sae-a", "sae-b", {{"size", "0"}}));
  ExpectError(400, "number is given twice", a_.GetKey("sae-a", "sae-b", {{"number", "1"}, {"number", "2"}}));
  ExpectError(400, "only number and size can be given with GET; use POST",
              a_.GetKey("sae-a", "sae-b", {{"additional_slave_SAE_IDs", "sae-c"}}));
  ExpectError(400, "11 key_IDs are outside 1..10", Dec(std::vector<std::string>(11, "x")));
  ExpectError(400, "exactly one key_ID can be given with GET; use POST",
              b_.GetKeyWithIds("sae-b", "sae-a", {}));
}

TEST_F(KmeApiTest, BodiesThatAreNoRequestAreRefused) {
  for (const char* body :
       {"[", "[]", "7", "<html>", "{\"number\": \"one\"}", "{\"number\": -1}", "{\"size\": 1.5}"})
    EXPECT_EQ(400, Enc(body).status) << body;
  for (const char* body : {"", "{}", "[]", "{\"key_IDs\": 7}", "{\"key_IDs\": []}", "{\"key_IDs\": [{}]}"})
    EXPECT_EQ(400, b_.PostGetKeyWithIds("sae-b", "sae-a", body).status) << body;
}

TEST_F(KmeApiTest, SaesThatAreUnknownHereGet401AndNoWord) {
  for (const char* caller : {"", "sae-b", "kme-a", "sae-A"}) {
    for (const KmeAnswer& answer : {a_.GetStatus(caller, "sae-b"), a_.GetKey(caller, "sae-b", {}),
                                    a_.PostGetKeyWithIds(caller, "sae-b", "")}) {
      EXPECT_EQ(401, answer.status) << caller;
      EXPECT_EQ("", answer.body.text());
    }
  }
}

TEST_F(KmeApiTest, WhoWasNotNamedAsSlaveGets401AndTheKeysStay) {
  const etsi014::Keys keys = KeysOf(Enc(R"({"number": 2})"));
  // The right SAE, but asking for keys of another master.
  const KmeAnswer answer = b_.PostGetKeyWithIds("sae-b", "sae-c", etsi014::FormatKeyIds(keys.ids));
  EXPECT_EQ(401, answer.status);
  EXPECT_EQ("", answer.body.text());
  EXPECT_EQ(2u, KeysOf(Dec(keys.ids)).ids.size());
}

TEST_F(KmeApiTest, DeliveredKeysAreRemoved) {
  const etsi014::Keys keys = KeysOf(Enc(""));
  EXPECT_EQ(200, Dec(keys.ids).status);
  ExpectError(400, "one or more keys specified are not found on KME", Dec(keys.ids));
}

TEST_F(KmeApiTest, AdditionalSlavesAreLimitedKnownAndNamedOnce) {
  const etsi014::Keys keys = KeysOf(Enc(R"({"additional_slave_SAE_IDs": ["sae-c"]})"));
  EXPECT_EQ(200, Dec(keys.ids).status);
  EXPECT_EQ(200, c_.PostGetKeyWithIds("sae-c", "sae-a", etsi014::FormatKeyIds(keys.ids)).status);
  ExpectError(400, "additional_slave_SAE_IDs names 2 SAEs, max_SAE_ID_count is 1",
              Enc(R"({"additional_slave_SAE_IDs": ["sae-c", "sae-d"]})"));
  ExpectError(400, "slave_SAE_ID=sae-d is not known", Enc(R"({"additional_slave_SAE_IDs": ["sae-d"]})"));
  ExpectError(400, "slave_SAE_ID=sae-b is named twice", Enc(R"({"additional_slave_SAE_IDs": ["sae-b"]})"));
  ExpectError(400, "slave_SAE_ID=sae-d is not known", a_.GetStatus("sae-a", "sae-d"));
}

TEST_F(KmeApiTest, NoKeyIs503) {
  network_->FindLink("a-b")->ForceUp(false);
  ExpectError(503, "no route from a to b: links are down", Enc(""));
}

TEST_F(KmeApiTest, StatusIsThatOfTheStandard) {
  const Result<etsi014::PoolStatus> status =
      etsi014::ParsePoolStatus(a_.GetStatus("sae-a", "sae-b").body.text());
  ASSERT_TRUE(status.ok());
  EXPECT_EQ("sae-a", status.value().master_sae_id);
  EXPECT_EQ(10u, status.value().max_key_per_request);
  EXPECT_EQ(1u, status.value().max_sae_id_count);
}

TEST_F(KmeApiTest, FaultsSpoilAnswersAsTheyAreNamed) {
  FaultSwitch& a = network_->FindNode("a")->fault();
  FaultSwitch& b = network_->FindNode("b")->fault();
  a.Set(Fault::k503);
  EXPECT_EQ(503, Enc("").status);
  a.Set(Fault::kGarbage);
  EXPECT_EQ(200, Enc("").status);
  EXPECT_FALSE(etsi014::ParseKeys(Enc("").body.text()).ok());
  a.Set(Fault::kTruncated);
  EXPECT_EQ("{\"keys\"", Enc("").body.text().substr(0, 7));
  EXPECT_FALSE(etsi014::ParseKeys(Enc("").body.text()).ok());
  a.Set(Fault::kEqualKeysNewIds);
  const etsi014::Keys first = KeysOf(Enc(R"({"number": 2})"));
  const etsi014::Keys second = KeysOf(Enc(R"({"number": 2})"));
  EXPECT_TRUE(std::ranges::equal(first.material.span(), second.material.span()));
  EXPECT_NE(first.ids, second.ids);
  EXPECT_TRUE(std::ranges::equal(second.material.span(), KeysOf(Dec(second.ids)).material.span()));
  a.Set(Fault::kNone);
  EXPECT_FALSE(std::ranges::equal(first.material.span(), KeysOf(Enc(R"({"number": 2})")).material.span()));
  a.Set(Fault::kShortKeys);
  EXPECT_EQ(first.key_bytes / 2, KeysOf(Enc("")).key_bytes);
  a.Set(Fault::kBitsForBytes);
  EXPECT_EQ(first.key_bytes * 8, KeysOf(Enc("")).key_bytes);
  a.Set(Fault::kNone);
  b.Set(Fault::kDifferentKeys);
  EXPECT_FALSE(std::ranges::equal(first.material.span(), KeysOf(Dec(first.ids)).material.span()));
  const etsi014::Keys third = KeysOf(Enc(R"({"number": 2})"));
  b.Set(Fault::kMissingIds);
  EXPECT_EQ(std::vector<std::string>{third.ids[0]}, KeysOf(Dec(third.ids)).ids);
}

TEST_F(KmeApiTest, ASlowAnswerComesWhenTheFaultIsOver) {
  FaultSwitch& fault = network_->FindNode("a")->fault();
  fault.Set(Fault::kSlow);
  std::atomic<bool> answered{false};
  std::thread client([&] {
    EXPECT_EQ(200, Enc("").status);
    answered = true;
  });
  std::this_thread::yield();
  EXPECT_FALSE(answered);
  fault.Set(Fault::kNone);
  client.join();
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace ssn::qkdn::sim
