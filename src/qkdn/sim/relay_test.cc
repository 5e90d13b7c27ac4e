// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/relay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "qkdn/sim/units.h"

namespace ssn::qkdn::sim {
namespace {

class RelayTest : public testing::Test {
 protected:
  RelayTest()
      : random_(OpenRandomSource("kernel").value()),
        link_(Config(), {true, true}, nullptr, *random_, [] { return 0.0; }) {}

  static LinkConfig Config() {
    LinkConfig config;
    config.name = "a-b";
    config.ends = {"a", "b"};
    config.rate_bits_per_s = kUnlimited;
    return config;
  }

  static RelayMessage Message() {
    RelayMessage message;
    message.link = "a-b";
    message.from = "a";
    message.route = {"c"};
    message.supply = {"sae-a", {"sae-c"}, {"id-1", "id-2"}, 16};
    message.payload = Payload();
    return message;
  }

  static PooledSecret Payload() {
    PooledSecret payload(32);
    std::fill_n(payload.data(), 32, std::uint8_t{0x5A});
    return payload;
  }

  static bool IsPayload(const PooledSecret& bytes) {
    return std::ranges::equal(bytes.span(), Payload().span());
  }

  std::shared_ptr<RandomSource> random_;
  QkdLink link_;
};

TEST_F(RelayTest, APayloadIsPaddedOnTheLinkAndWholeAtTheOtherEnd) {
  RelayMessage message = Message();
  ASSERT_TRUE(SealHop(link_, 0, message, nullptr).ok());
  EXPECT_FALSE(IsPayload(message.payload));
  ASSERT_TRUE(OpenHop(link_, 1, message).ok());
  EXPECT_TRUE(IsPayload(message.payload));
}

TEST_F(RelayTest, AHopCostsThePayloadAndTheKeyOfItsMac) {
  RelayMessage message = Message();
  ASSERT_TRUE(SealHop(link_, 0, message, nullptr).ok());
  EXPECT_EQ(32u + 32u, link_.counters().consumed_bytes);
}

TEST_F(RelayTest, EqualPayloadsLookDifferentEachTime) {
  RelayMessage first = Message();
  RelayMessage second = Message();
  ASSERT_TRUE(SealHop(link_, 0, first, nullptr).ok() && SealHop(link_, 0, second, nullptr).ok());
  EXPECT_FALSE(std::ranges::equal(first.payload.span(), second.payload.span()));
}

TEST_F(RelayTest, KeysCutFromLinkKeyTravelAsNothing) {
  RelayMessage message = Message();
  message.cut_from_link_key = true;
  message.payload = PooledSecret();
  PooledSecret cut;
  ASSERT_TRUE(SealHop(link_, 0, message, &cut).ok());
  EXPECT_EQ(0u, message.payload.size());
  ASSERT_TRUE(OpenHop(link_, 1, message).ok());
  EXPECT_EQ(32u, cut.size());
  EXPECT_TRUE(std::ranges::equal(cut.span(), message.payload.span()));
}

TEST_F(RelayTest, WhateverIsChangedOnTheWayIsNoticed) {
  const std::vector<std::function<void(RelayMessage&)>> changes = {
      [](RelayMessage& m) { m.payload.data()[31] ^= 1; },
      [](RelayMessage& m) { m.tag[0] ^= 0x80; },
      [](RelayMessage& m) { m.route = {"d"}; },
      [](RelayMessage& m) { m.route.clear(); },
      [](RelayMessage& m) { m.from = "b"; },
      [](RelayMessage& m) { std::swap(m.supply.key_ids[0], m.supply.key_ids[1]); },
      [](RelayMessage& m) { m.supply.slave_sae_ids = {"sae-x"}; },
      [](RelayMessage& m) { m.supply.master_sae_id = "sae-x"; },
      [](RelayMessage& m) {
        m.supply = {"sae-a", {"sae-c"}, {"id-1"}, 32};
      },
      [](RelayMessage& m) { m.cut_from_link_key = true; },
      [](RelayMessage& m) { m.payload = PooledSecret(31); },
      [](RelayMessage& m) { m.payload = PooledSecret(); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    RelayMessage message = Message();
    ASSERT_TRUE(SealHop(link_, 0, message, nullptr).ok());
    changes[i](message);
    const Outcome outcome = OpenHop(link_, 1, message);
    EXPECT_EQ(Outcome::Kind::kUnavailable, outcome.kind) << "change " << i;
    EXPECT_EQ("link a-b: a message was not authentic", outcome.message);
  }
  EXPECT_EQ(changes.size(), link_.counters().rejected_messages);
}

TEST_F(RelayTest, AMessageOpensOnceAndOtherKeyOpensNothing) {
  RelayMessage message = Message();
  ASSERT_TRUE(SealHop(link_, 0, message, nullptr).ok());
  RelayMessage copy = Message();
  copy.epoch = message.epoch;
  copy.start = message.start;
  copy.tag = message.tag;
  ASSERT_TRUE(OpenHop(link_, 1, message).ok());
  EXPECT_EQ(Outcome::Kind::kLostStep, OpenHop(link_, 1, copy).kind);
  copy.start = 1 << 20;
  EXPECT_EQ(Outcome::Kind::kLostStep, OpenHop(link_, 1, copy).kind);
}

TEST_F(RelayTest, AHeaderReadsBackAsItWasWritten) {
  RelayMessage message = Message();
  message.epoch = UINT64_MAX;
  message.start = 77;
  const std::string header = FormatHeader(message);
  Result<RelayMessage> parsed = ParseHeader(header);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(header, FormatHeader(parsed.value()));
}

TEST_F(RelayTest, HeadersThatAreNoneAreRefused) {
  const std::string good = FormatHeader(Message());
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(ParseHeader(good.substr(0, length)).ok());
  for (const char* bad : {"", "[]", "1", "{}", "null", "{\"link\":1}"})
    EXPECT_FALSE(ParseHeader(bad).ok()) << bad;
  RelayMessage huge = Message();
  huge.supply.key_bytes = UINT64_MAX / 2;
  EXPECT_FALSE(ParseHeader(FormatHeader(huge)).ok());
}

}  // namespace
}  // namespace ssn::qkdn::sim
