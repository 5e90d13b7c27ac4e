// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/protocol/sideways.h"

#include <gtest/gtest.h>

#include <random>

namespace ssn::qkdn::sideways {
namespace {

StreamId SomeId() {
  StreamId id{};
  for (std::uint8_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::uint8_t>(0xA0 + i);
  return id;
}

std::vector<Message> OneOfEach() {
  return {
      Hello{kVersion, 7, {1, 2, 3, 4, 5, 6, 7, 8}, {9}, 1 << 24, 100, 200, 300},
      Keys{5, 32, {"0a1b", "0a1c"}},
      KeysCheck{5, true, {0xEE, 1, 2}},
      KeysVerdict{5, true, 4096},
      DiscardKeys{{"0a1b"}},
      Grant{SomeId(), north::StreamKind::kEnvelope, 0, 4096, 100},
      GrantAck{4096, true, false},
      StreamOpened{SomeId()},
      StreamClosed{SomeId(), true},
      Ping{77},
      Pong{77},
  };
}

ByteSpan Body(const std::vector<std::uint8_t>& frame) { return ByteSpan(frame).subspan(kFrameHeaderBytes); }

TEST(Sideways, EveryMessageSurvivesARoundTrip) {
  const auto messages = OneOfEach();
  ASSERT_EQ(std::variant_size_v<Message>, messages.size());
  for (const Message& message : messages) {
    const auto frame = Encode(message);
    const auto decoded = Decode(Body(frame));
    ASSERT_TRUE(decoded.ok()) << message.index() << decoded.status().message();
    EXPECT_EQ(message.index(), decoded.value().index());
    EXPECT_EQ(frame, Encode(decoded.value()));
  }
}

TEST(Sideways, NoTruncationIsTakenForAMessage) {
  for (const Message& message : OneOfEach()) {
    const auto frame = Encode(message);
    for (std::size_t size = 0; size < Body(frame).size(); ++size)
      EXPECT_FALSE(Decode(Body(frame).first(size)).ok()) << message.index() << " cut to " << size;
  }
}

TEST(Sideways, BytesAfterAMessageAreAnError) {
  for (const Message& message : OneOfEach()) {
    auto frame = Encode(message);
    frame.push_back(0);
    EXPECT_FALSE(Decode(Body(frame)).ok()) << message.index();
  }
}

TEST(Sideways, AHelloOfAnotherVersionGivesVersionAndNode) {
  auto frame = Encode(Hello{kVersion, 7, {}, {}, 0, 0, 0, 0});
  frame[kFrameHeaderBytes + 1] = kVersion + 1;
  frame.push_back(99);  // a field of the future
  const auto decoded = Decode(Body(frame));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(kVersion + 1, std::get<Hello>(decoded.value()).version);
  EXPECT_EQ(7u, std::get<Hello>(decoded.value()).node);
}

TEST(Sideways, ErrorsNameTheField) {
  const auto error = [](std::vector<std::uint8_t> body) { return Decode(body).status().message(); };
  EXPECT_EQ("type: no such message: 99", error({99}));
  EXPECT_EQ("number of key ids: 0 is outside 1..1024", error({5, 0, 0}));
  EXPECT_EQ("number of key ids: 65535 is outside 1..1024", error({5, 0xFF, 0xFF}));
  EXPECT_EQ("opened: neither 0 nor 1", error({7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2}));
}

TEST(Sideways, WhatDecodesFromMutatedFramesEncodesToTheSameBytes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto messages = OneOfEach();
  unsigned decoded_count = 0;
  for (int i = 0; i < 100000; ++i) {
    auto frame = Encode(messages[random() % messages.size()]);
    for (auto edits = 1 + random() % 3; edits > 0; --edits)
      frame[kFrameHeaderBytes + random() % (frame.size() - kFrameHeaderBytes)] =
          static_cast<std::uint8_t>(random());
    const auto decoded = Decode(Body(frame));
    if (!decoded.ok()) continue;
    const auto* hello = std::get_if<Hello>(&decoded.value());
    if (hello != nullptr && hello->version != kVersion) continue;
    ASSERT_EQ(frame, Encode(decoded.value()));
    ++decoded_count;
  }
  EXPECT_GT(decoded_count, 1000u);
}

TEST(Sideways, GarbageNeverDecodesToMoreThanItHolds) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 100000; ++i) {
    std::vector<std::uint8_t> garbage(random() % 80);
    for (auto& byte : garbage) byte = static_cast<std::uint8_t>(random());
    const auto decoded = Decode(garbage);
    if (decoded.ok() && std::holds_alternative<Keys>(decoded.value())) {
      EXPECT_LE(std::get<Keys>(decoded.value()).ids.size(), garbage.size());
    }
  }
}

// The example of SIDEWAYS.md.
TEST(Sideways, TheWorkedExampleOfTheDocumentHolds) {
  const std::vector<std::uint8_t> expected = {
      0x2a, 0,    0,    0,  // length: 42
      6,                    // Grant
      0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
      0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,  // stream
      1,                                               // session
      0,    0,    0,    0,    0,    0,    0,    0,     // offset
      0,    0x10, 0,    0,    0,    0,    0,    0,     // position 4096
      0,    0x08, 0,    0,    0,    0,    0,    0,     // length 2048
  };
  EXPECT_EQ(expected, Encode(Grant{SomeId(), north::StreamKind::kSession, 0, 4096, 2048}));
}

}  // namespace
}  // namespace ssn::qkdn::sideways
