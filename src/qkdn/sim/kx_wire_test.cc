// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/kx_wire.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "qkdn/sim/units.h"

namespace ssn::qkdn::sim {
namespace {

PooledSecret Bytes(std::size_t size) {
  PooledSecret bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes.data()[i] = static_cast<std::uint8_t>(i * 7);
  return bytes;
}

RelayMessage Message() {
  RelayMessage message;
  message.link = "a-b";
  message.from = "a";
  message.route = {"c", "d"};
  message.supply = {"sae-a", {"sae-d"}, {"id"}, 5};
  message.epoch = UINT64_MAX;
  message.start = 12;
  message.tag.fill(0xEE);
  message.payload = Bytes(5);
  return message;
}

TEST(KxWire, WhatIsWrittenReadsBack) {
  const QkdKey block{"a-b", 1, {UINT64_MAX, 1 << 30, Bytes(1000)}};
  const Result<QkdKey> delivered = ParseDeliver(FormatDeliver(block).span());
  ASSERT_TRUE(delivered.ok());
  EXPECT_EQ("a-b", delivered.value().link);
  EXPECT_EQ(1, delivered.value().from_end);
  EXPECT_EQ(UINT64_MAX, delivered.value().key.epoch);
  EXPECT_TRUE(std::ranges::equal(block.key.bytes.span(), delivered.value().key.bytes.span()));

  const RelayMessage message = Message();
  const Result<RelayMessage> relayed = ParseRelay(FormatRelay(message).span());
  ASSERT_TRUE(relayed.ok());
  EXPECT_EQ(FormatHeader(message), FormatHeader(relayed.value()));
  EXPECT_EQ(message.tag, relayed.value().tag);
  EXPECT_TRUE(std::ranges::equal(message.payload.span(), relayed.value().payload.span()));

  const Result<WantRequest> want = ParseWant(FormatWant({"a-b", 3, 4}));
  ASSERT_TRUE(want.ok());
  EXPECT_EQ(4u, want.value().size);

  const Result<Outcome> outcome = ParseOutcome(FormatOutcome({Outcome::Kind::kLostStep, "why", "a-b"}));
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(Outcome::Kind::kLostStep, outcome.value().kind);
  EXPECT_EQ("why", outcome.value().message);

  const Result<std::vector<LinkState>> links = ParseLinks(FormatLinks({{"a-b", false, {7, kUnlimited}, 9}}));
  ASSERT_TRUE(links.ok());
  EXPECT_FALSE(links.value().front().up);
  EXPECT_EQ(kUnlimited, links.value().front().sendable_bytes[1]);
}

TEST(KxWire, FramesThatBreakOffAreRefused) {
  const PooledSecret deliver = FormatDeliver({"a-b", 0, {1, 0, PooledSecret()}});
  for (std::size_t size = 0; size < deliver.size(); ++size)
    EXPECT_FALSE(ParseDeliver(deliver.span().first(size)).ok());
  RelayMessage message = Message();
  message.payload = PooledSecret();
  const PooledSecret relay = FormatRelay(message);
  for (std::size_t size = 0; size < relay.size(); ++size)
    EXPECT_FALSE(ParseRelay(relay.span().first(size)).ok());
}

TEST(KxWire, ChangedFramesAreReadOrRefusedAndNeverMore) {
  const PooledSecret frame = FormatRelay(Message());
  for (std::size_t i = 0; i < frame.size(); ++i) {
    for (const int change : {0x01, 0x80, 0xFF}) {
      PooledSecret changed(frame.span());
      changed.data()[i] = static_cast<std::uint8_t>(changed.data()[i] ^ change);
      const Result<RelayMessage> relay = ParseRelay(changed.span());
      EXPECT_TRUE(!relay.ok() || relay.value().payload.size() < frame.size());
      (void)ParseDeliver(changed.span());
    }
  }
}

TEST(KxWire, AnswersThatAreNoneAreRefused) {
  for (const char* text : {"", "{}", "[1]", "null", "{\"kind\":\"x\"}"}) {
    EXPECT_FALSE(ParseOutcome(text).ok()) << text;
    EXPECT_FALSE(ParseWant(text).ok()) << text;
  }
  EXPECT_FALSE(ParseLinks("[{}]").ok());
  EXPECT_FALSE(ParseDeliver(FormatDeliver({"a-b", 2, {1, 0, PooledSecret()}}).span()).ok());
  EXPECT_EQ(Outcome::Kind::kRefused, ParseOutcome(R"({"kind":9,"message":"","link":""})").value().kind);
}

}  // namespace
}  // namespace ssn::qkdn::sim
