// SPDX-License-Identifier: LGPL-2.1-or-later
// Envelopes and shared pad between two nodes, each with a proxy of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <set>

#include "otp/envelope.h"
#include "qkdn/client/fake_proxy.h"
#include "ssn/pad_client.h"

namespace ssn::qkdn::client {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;
using Program = FakeProxy::Program;

constexpr auto kWait = 5s;

Bytes Text(std::string_view text) { return {text.begin(), text.end()}; }

std::shared_ptr<PadClient> ClientOf(const FakeProxy& proxy) {
  return PadClient::Make({.socket_path = proxy.path(), .program = "test", .window_bytes = 8 << 20}).value();
}

class Envelopes : public testing::Test {
 protected:
  static constexpr std::size_t kBytes = 1000;

  Envelopes() : plaintext_(kBytes, 0x77) {}

  Bytes Seal(NodeId to = 2) {
    auto envelope = sender_->Seal(to, context_, plaintext_, kWait);
    EXPECT_TRUE(envelope.ok()) << envelope.status().message();
    return std::move(envelope).value();
  }
  Status Unseal(const Bytes& envelope) {
    NodeId from = 99;
    const auto plaintext = receiver_->Unseal(envelope, context_, kWait, &from);
    if (!plaintext.ok()) {
      EXPECT_EQ(99u, from);
      return plaintext.status();
    }
    EXPECT_EQ(1u, from);
    const ByteSpan bytes = plaintext.value().span();
    EXPECT_EQ(plaintext_, Bytes(bytes.begin(), bytes.end()));
    return {};
  }

  std::set<StreamId> opened_;
  FakeProxy here_{{.name = "here", .node = 1}};
  FakeProxy there_{{.name = "there", .node = 2, .receive_bytes = kBytes + kOneTimeMacKeyBytes},
                   [this](Program& program, const north::FromProgram& message) {
                     const auto* open = std::get_if<north::Open>(&message);
                     if (open == nullptr || opened_.insert(open->stream).second) return false;
                     program.Send(north::Refused{open->request, north::Refusal::kStreamExists, ""});
                     return true;
                   }};
  std::shared_ptr<PadClient> sender_ = ClientOf(here_), receiver_ = ClientOf(there_);
  const Bytes context_ = Text("object 7");
  const Bytes plaintext_;
};

TEST_F(Envelopes, OpenAtTheOtherNodeOnce) {
  const Bytes envelope = Seal();
  EXPECT_EQ(otp::kEnvelopeHeaderBytes + kBytes + kOneTimeMacTagBytes, envelope.size());
  EXPECT_TRUE(Unseal(envelope).ok());
  const Status again = Unseal(envelope);
  EXPECT_EQ(Status::Code::kUnavailable, again.code());
  EXPECT_EQ("envelope: it was opened before, its pad is gone", again.message());
  EXPECT_NE(envelope, Seal());
  for (FakeProxy* proxy : {&here_, &there_}) {
    EXPECT_TRUE(proxy->WaitUntil([](const Program& program) { return program.streams.empty(); }));
    EXPECT_EQ(0u, proxy->not_wiped() + proxy->not_wiped_at_close());
  }
}

TEST_F(Envelopes, TakeExactlyTheirPad) {
  Seal();
  here_.With([](Program& program) {
    for (const auto& message : program.received)
      if (const auto* open = std::get_if<north::Open>(&message)) {
        EXPECT_EQ(north::StreamKind::kEnvelope, open->kind);
        EXPECT_EQ(kBytes + 32, open->need);
        EXPECT_EQ(kBytes + 32, open->want);
      }
    EXPECT_EQ(0u, Count<north::More>(program));
  });
}

TEST_F(Envelopes, WhatWasAlteredIsCorruptAndBurnsItsPad) {
  // One bit of: epoch, position, ciphertext, tag.
  for (const std::size_t at : {32u, 48u, 64u, 1064u + 3}) {
    const Bytes envelope = Seal();
    Bytes altered = envelope;
    altered[at] ^= 4;
    EXPECT_EQ(Status::Code::kCorrupt, Unseal(altered).code()) << "byte " << at;
    EXPECT_EQ(Status::Code::kUnavailable, Unseal(envelope).code()) << "byte " << at;
  }
  EXPECT_TRUE(there_.WaitUntil([](const Program& program) { return program.streams.empty(); }));
  EXPECT_EQ(0u, there_.not_wiped() + there_.not_wiped_at_close());
}

TEST_F(Envelopes, AnotherContextIsCorrupt) {
  const Bytes envelope = Seal();
  EXPECT_EQ("envelope: the tag is wrong",
            receiver_->Unseal(envelope, Text("object 8"), kWait, nullptr).status().message());
}

TEST_F(Envelopes, ForAnotherNodeOrWithoutTheirFormAreRefusedBeforeAnyPadIsFetched) {
  const Status status = Unseal(Seal(3));
  EXPECT_EQ(Status::Code::kCorrupt, status.code());
  EXPECT_EQ("envelope: to node 3, and this is node 2", status.message());
  EXPECT_EQ(Status::Code::kCorrupt, Unseal({}).code());
  Bytes cut = Seal();
  cut.pop_back();
  EXPECT_EQ(Status::Code::kCorrupt, Unseal(cut).code());
  EXPECT_TRUE(opened_.empty());
}

TEST_F(Envelopes, ALengthThatIsNotThatOfThePadIsCorrupt) {
  Bytes shorter = Seal();
  shorter.pop_back();
  shorter[56] = static_cast<std::uint8_t>(shorter[56] - 1);
  const Status status = Unseal(shorter);
  EXPECT_EQ(Status::Code::kCorrupt, status.code());
  EXPECT_EQ("envelope: length, position or epoch in its header is not that of its pad", status.message());
}

TEST_F(Envelopes, MoreThanFitsIsRefused) {
  const auto status = sender_->Seal(2, {}, Bytes(kMaxEnvelopeBytes + 1), kWait).status();
  EXPECT_EQ(Status::Code::kInvalidArgument, status.code());
  EXPECT_EQ("envelope: 1048577 bytes of plaintext, at most 1048576", status.message());
  EXPECT_TRUE(sender_->Seal(2, {}, Bytes(kMaxEnvelopeBytes), kWait).ok());
}

class SharedPads : public testing::TestWithParam<std::size_t> {};

TEST_P(SharedPads, AreTheSameAtBothEnds) {
  const std::size_t bytes = GetParam();
  FakeProxy here({.name = "here", .node = 1});
  std::atomic<int> too_early = 2;  // the receiver comes first: nothing is kept for it yet
  FakeProxy there({.name = "there", .node = 2, .receive_bytes = bytes},
                  [&too_early](Program& program, const north::FromProgram& message) {
                    const auto* open = std::get_if<north::Open>(&message);
                    if (open == nullptr || too_early-- <= 0) return false;
                    program.Send(north::Refused{open->request, north::Refusal::kNoSuchStream, ""});
                    return true;
                  });
  if (bytes > kMaxEnvelopeBytes) too_early = 0;  // a session's receiver may always come first
  const StreamId label = {0x1a, 0xbe, 0x1};
  const auto transmitted = ClientOf(here)->SharedPad(2, label, bytes, kWait);
  const auto received = ClientOf(there)->SharedPad(1, label, bytes, kWait);
  ASSERT_TRUE(transmitted.ok()) << transmitted.status().message();
  ASSERT_TRUE(received.ok()) << received.status().message();
  const ByteSpan a = transmitted.value().span(), b = received.value().span();
  ASSERT_EQ(bytes, a.size());
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  for (std::size_t i = 0; i < bytes; i += 97) ASSERT_EQ(FakeProxy::PadByte(label, i), a[i]);
  for (FakeProxy* proxy : {&here, &there}) {
    EXPECT_TRUE(proxy->WaitUntil([](const Program& program) { return program.streams.empty(); }));
    EXPECT_EQ(0u, proxy->not_wiped() + proxy->not_wiped_at_close());
  }
  here.With([bytes](Program& program) {
    for (const auto& message : program.received)
      if (const auto* open = std::get_if<north::Open>(&message)) {
        EXPECT_EQ(bytes, open->want);
      }
    EXPECT_EQ(0u, Count<north::More>(program));  // nothing is burnt that nobody asked for
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes, SharedPads, testing::Values(1, 4096, 100000, (1 << 20) + 1, 3 << 20));

TEST(SharedPad, ThatNobodyElseAsksForIsUnavailableInTime) {
  FakeProxy proxy({.name = "alone", .node = 2}, [](Program& program, const north::FromProgram& message) {
    const auto* open = std::get_if<north::Open>(&message);
    if (open == nullptr) return false;
    program.Send(north::Refused{open->request, north::Refusal::kNoSuchStream, ""});
    return true;
  });
  const auto start = std::chrono::steady_clock::now();
  const auto pad = ClientOf(proxy)->SharedPad(1, {}, 10, 100ms);
  EXPECT_EQ(Status::Code::kUnavailable, pad.status().code());
  EXPECT_GE(std::chrono::steady_clock::now() - start, 100ms);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

}  // namespace
}  // namespace ssn::qkdn::client
