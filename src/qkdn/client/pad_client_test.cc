// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/pad_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "qkdn/client/fake_proxy.h"

namespace ssn::qkdn::client {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;
using Program = FakeProxy::Program;

constexpr auto kWait = 5s;
constexpr StreamId kId = {1, 2, 3};
constexpr auto kTransmit = PadDirection::kTransmit;
constexpr auto kReceive = PadDirection::kReceive;

std::shared_ptr<PadClient> ClientOf(const FakeProxy& proxy, std::size_t window_bytes = 8 << 20) {
  auto client = PadClient::Make({.socket_path = proxy.path(),
                                 .program = "osd.3",
                                 .window_bytes = window_bytes,
                                 .connect_timeout = 5000ms});
  EXPECT_TRUE(client.ok()) << client.status().message();
  return std::move(client).value();
}

std::unique_ptr<PadStream> Open(PadClient& client, PadDirection direction, std::size_t reserve) {
  auto stream = client.Open(kId, 2, direction, reserve, kWait);
  EXPECT_TRUE(stream.ok()) << stream.status().message();
  return stream.ok() ? std::move(stream).value() : nullptr;
}

Bytes Pad(const StreamId& id, std::uint64_t offset, std::size_t size) {
  Bytes pad(size);
  for (std::uint8_t& byte : pad) byte = FakeProxy::PadByte(id, offset++);
  return pad;
}

// Takes pad by Xor with zeros.
Bytes Take(PadStream& stream, std::size_t size) {
  Bytes pad(size);
  stream.Xor(pad, pad);
  return pad;
}

TEST(PadClientOptions, WhatCannotWorkIsRefusedByNameAndValue) {
  const auto failure = [](const PadClient::Options& options) {
    const auto client = PadClient::Make(options);
    EXPECT_FALSE(client.ok());
    EXPECT_EQ(Status::Code::kInvalidArgument, client.status().code());
    return client.status().message();
  };
  EXPECT_EQ("pad client: socket_path=pad.sock is not an absolute path of at most 107 bytes",
            failure({.socket_path = "pad.sock", .program = "x"}));
  failure({.socket_path = "", .program = "x"});
  failure({.socket_path = "/" + std::string(107, 'p'), .program = "x"});
  EXPECT_EQ("pad client: program= is not 1 to 32 bytes of printable ASCII", failure({.program = ""}));
  failure({.program = std::string(33, 'x')});
  failure({.program = "osd\n3"});
  EXPECT_EQ("pad client: window_bytes=4096 is outside 65536..1099511627776",
            failure({.program = "x", .window_bytes = 4096}));
  EXPECT_EQ("pad client: connect_timeout=0 ms is outside 1..60000",
            failure({.program = "x", .connect_timeout = 0ms}));
}

TEST(PadClient, SaysWhichNodeItRunsOn) {
  const FakeProxy proxy({.name = "self", .node = 9});
  const auto client = ClientOf(proxy);
  EXPECT_EQ(0u, proxy.connected());  // not before it is needed
  const auto self = client->Self();
  ASSERT_TRUE(self.ok()) << self.status().message();
  EXPECT_EQ(9u, self.value().id);
  EXPECT_EQ("alpha", self.value().name);
  EXPECT_EQ(R"({"node":1})", client->ProxyStatus(kWait).value());
  EXPECT_EQ(1u, proxy.connected());
}

TEST(PadClient, BothEndsHoldTheSamePadAtTheSamePositions) {
  const FakeProxy here({.name = "here", .node = 1}),
      there({.name = "there", .node = 2, .receive_bytes = 20000});
  const auto sender = ClientOf(here), receiver = ClientOf(there);
  const auto out = Open(*sender, kTransmit, 20000);
  const auto in = receiver->Open(kId, 1, kReceive, 0, kWait).value();
  ASSERT_TRUE(in->Reserve(20000, kWait).ok());
  EXPECT_EQ(out->epoch(), in->epoch());
  Bytes message(9999);
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i);
  Bytes wire(message.size()), back(message.size());
  EXPECT_EQ(out->Next(1).position, in->Next(1).position);
  out->Xor(message, wire);
  EXPECT_NE(message, wire);
  in->Xor(wire, back);
  EXPECT_EQ(message, back);
  EXPECT_EQ(FakeProxy::Position(9999), out->Next(1).position);
  EXPECT_EQ(out->Next(1).position, in->Next(1).position);
  EXPECT_EQ(20000u - 9999, in->available());
}

TEST(PadClient, UsedPadIsZeroInTheMemoryOfTheProxy) {
  FakeProxy proxy({.name = "wipe"});
  const auto client = ClientOf(proxy);
  auto stream = Open(*client, kTransmit, 4096);
  EXPECT_EQ(Pad(kId, 0, 100), Take(*stream, 100));
  stream->Use(1000);
  const auto window = [&proxy](std::size_t begin, std::size_t end) {
    Bytes bytes;
    proxy.With([&](Program& program) { bytes.assign(program.window + begin, program.window + end); });
    return bytes;
  };
  EXPECT_EQ(Bytes(1100), window(0, 1100));
  EXPECT_EQ(Pad(kId, 1100, 2996), window(1100, 4096));
  stream.reset();
  EXPECT_EQ(Bytes(4096), window(0, 4096));
  EXPECT_TRUE(proxy.WaitUntil([](const Program& program) { return Count<north::Close>(program) == 1; }));
  EXPECT_EQ(0u, proxy.not_wiped_at_close());
}

TEST(PadClient, PadComesInOrderHoweverItIsTaken) {
  FakeProxy proxy({.name = "order"});
  const auto client = ClientOf(proxy);
  const auto stream = Open(*client, kTransmit, 1);
  std::uint64_t offset = 0;
  for (const std::size_t size : {1u, 4095u, 1u, 5000u, 100000u, 70000u, 3u}) {
    const Status status = stream->Reserve(size, kWait);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_GE(stream->available(), size);
    const PadStream::Piece piece = stream->Next(size);
    EXPECT_EQ(FakeProxy::Position(offset), piece.position);
    EXPECT_EQ(Pad(kId, offset, piece.pad.size()), Bytes(piece.pad.begin(), piece.pad.end()));
    EXPECT_EQ(Pad(kId, offset, size), Take(*stream, size));
    offset += size;
  }
  EXPECT_EQ(0u, proxy.not_wiped());
}

TEST(PadClient, TheProxyLearnsWhatWasUsed) {
  FakeProxy proxy({.name = "release"});
  const auto client = ClientOf(proxy);
  const auto stream = Open(*client, kTransmit, 200000);
  const auto released = [&proxy](std::uint64_t offset) {
    return proxy.WaitUntil([offset](const Program& program) {
      for (const auto& message : program.received)
        if (const auto* release = std::get_if<north::Release>(&message); release && release->offset == offset)
          return true;
      return false;
    });
  };
  stream->Use(65535);
  stream->Account();  // too little
  stream->Use(1);
  stream->Account();
  EXPECT_TRUE(released(65536));
  stream->Use(131072);
  EXPECT_TRUE(released(196608));  // a 64th of this window
  stream->Use(200000 - 196608);
  EXPECT_TRUE(released(200000));  // the end of the grant
  proxy.With([](Program& program) { EXPECT_EQ(3u, Count<north::Release>(program)); });
  EXPECT_EQ(0u, proxy.not_wiped());
}

TEST(PadClient, ChunksDoubleAndAreFetchedAheadOneAtATime) {
  FakeProxy proxy({.name = "chunks"});
  const auto client = ClientOf(proxy);
  const auto stream = Open(*client, kTransmit, 64);
  EXPECT_TRUE(proxy.WaitUntil([](const Program& program) { return Count<north::Open>(program) == 1; }));
  std::size_t chunk = 4096;
  for (std::size_t asked = 1; asked <= 10; ++asked) {
    ASSERT_TRUE(stream->Reserve(chunk, kWait).ok());
    EXPECT_EQ(chunk, stream->available());
    stream->Use(chunk / 2);
    proxy.With([asked](Program& program) { EXPECT_EQ(asked - 1, Count<north::More>(program)); });
    stream->Use(1);  // less than half is left
    EXPECT_TRUE(
        proxy.WaitUntil([asked](const Program& program) { return Count<north::More>(program) == asked; }));
    while (stream->available() > 0) stream->Use(std::min<std::size_t>(stream->available(), 999));
    chunk = std::min<std::size_t>(2 * chunk, 4 << 20);
  }
  std::vector<std::uint64_t> wants;
  proxy.With([&wants](Program& program) {
    for (const auto& message : program.received) {
      if (const auto* open = std::get_if<north::Open>(&message)) {
        EXPECT_EQ(64u, open->need);
        wants.push_back(open->want);
      } else if (const auto* more = std::get_if<north::More>(&message)) {
        EXPECT_EQ(0u, more->need);  // ahead of need
        EXPECT_EQ(0u, more->wait_ms);
        wants.push_back(more->want);
      }
    }
  });
  ASSERT_EQ(11u, wants.size());
  for (std::size_t i = 0; i < wants.size(); ++i)
    EXPECT_EQ(std::min<std::uint64_t>(std::uint64_t{4096} << i, 4 << 20), wants[i]);
}

TEST(PadClient, AChunkThatLastedLongIsFollowedByASmallerOne) {
  FakeProxy proxy({.name = "slow"});
  const auto client = ClientOf(proxy);
  const auto stream = Open(*client, kTransmit, 65536);
  std::this_thread::sleep_for(1100ms);  // what counts is time
  stream->Use(40000);
  ASSERT_TRUE(proxy.WaitUntil([](const Program& program) { return Count<north::More>(program) == 1; }));
  proxy.With(
      [](Program& program) { EXPECT_EQ(32768u, std::get<north::More>(program.received.back()).want); });
}

TEST(PadClient, AnAnswerToFetchingAheadThatBringsNothingIsNoError) {
  std::atomic<int> ahead = 0;
  const auto client_of_one_grant = [&ahead](Program& program, const north::FromProgram& message) {
    const auto* more = std::get_if<north::More>(&message);
    if (more == nullptr || more->need > 0) return false;
    if (++ahead % 2 == 0)
      program.Send(north::Done{more->request});
    else
      program.Send(north::Refused{more->request, north::Refusal::kDry, ""});
    return true;
  };
  FakeProxy proxy({.name = "ahead"}, client_of_one_grant);
  const auto client = ClientOf(proxy);
  const auto stream = Open(*client, kTransmit, 4096);
  for (int i = 0; i < 8192; ++i) {
    const Status status = stream->Reserve(1, kWait);
    ASSERT_TRUE(status.ok()) << status.message();
    stream->Use(1);
  }
  EXPECT_TRUE(proxy.WaitUntil([&](const Program&) { return ahead >= 1; }));
  EXPECT_LT(ahead, 100);  // it is not asked again and again
}

TEST(PadClient, ARefusalSaysWhyAndKeepsWhatIsAtHand) {
  struct Case {
    north::Refusal reason;
    Status::Code code;
  };
  constexpr auto kInvalid = Status::Code::kInvalidArgument, kUnavailable = Status::Code::kUnavailable;
  for (const auto& [reason, code] : {Case{north::Refusal::kUnknownPeer, kInvalid},
                                     {north::Refusal::kStreamExists, kInvalid},
                                     {north::Refusal::kTooLarge, kInvalid},
                                     {north::Refusal::kDry, kUnavailable},
                                     {north::Refusal::kLinkDown, kUnavailable},
                                     {north::Refusal::kStreamEnded, kUnavailable},
                                     {north::Refusal::kWindowFull, kUnavailable},
                                     {north::Refusal::kNoSuchStream, kUnavailable}}) {
    std::atomic<bool> at_open = true;
    FakeProxy proxy({.name = "refusal"}, [&](Program& program, const north::FromProgram& message) {
      std::uint32_t request = 0;
      if (const auto* open = std::get_if<north::Open>(&message); open != nullptr && at_open)
        request = open->request;
      else if (const auto* more = std::get_if<north::More>(&message); more != nullptr && more->need > 0)
        request = more->request;
      if (request == 0) return false;
      program.Send(north::Refused{request, reason, "in words"});
      return true;
    });
    const auto client = ClientOf(proxy);
    const auto refused = client->Open(kId, 2, kTransmit, 64, kWait);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(code, refused.status().code()) << refused.status().message();
    EXPECT_EQ(0u, refused.status().message().find("pad stream with node 2: "));
    EXPECT_NE(std::string::npos, refused.status().message().find("(in words)"));
    at_open = false;
    const auto stream = Open(*client, kTransmit, 64);
    const std::size_t before = stream->available();
    const Status status = stream->Reserve(1 << 20, kWait);
    EXPECT_EQ(code, status.code()) << status.message();
    EXPECT_EQ(before, stream->available());
    EXPECT_EQ(Pad(kId, 0, before), Take(*stream, before));
  }
}

TEST(PadClient, AStreamThatEndedGivesWhatIsAtHandAndThenNoMore) {
  FakeProxy proxy({.name = "ended", .receive_bytes = 100});
  const auto client = ClientOf(proxy);
  const auto stream = Open(*client, kReceive, 0);
  proxy.With([](Program& program) {
    program.Send(north::Ended{program.streams.begin()->first, north::Refusal::kStreamEnded});
  });
  EXPECT_TRUE(stream->Reserve(100, kWait).ok());
  const Status status = stream->Reserve(101, kWait);
  EXPECT_EQ(Status::Code::kUnavailable, status.code());
  EXPECT_EQ("pad stream with node 2: the stream has ended", status.message());
  EXPECT_EQ(Pad(kId, 0, 100), Take(*stream, 100));
}

TEST(PadClient, MoreThanIsAtHandGivesZerosAndNeverTheData) {
  FakeProxy proxy({.name = "beyond", .receive_bytes = 10});
  const auto client = ClientOf(proxy);
  const auto stream = Open(*client, kReceive, 0);
  ASSERT_TRUE(stream->Reserve(10, kWait).ok());
  Bytes data(30, 0xDD);
  stream->Xor(data, data);
  EXPECT_EQ(Bytes(20), Bytes(data.begin() + 10, data.end()));
}

TEST(PadClient, OneThreadReadsForAll) {
  constexpr std::size_t kThreads = 8;
  FakeProxy proxy({.name = "threads"});
  const auto client = ClientOf(proxy, 64 << 20);
  std::vector<std::thread> threads;
  std::atomic<std::size_t> wrong = 0, failed = 0;
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (std::uint8_t round = 0; round < 20; ++round) {
        const StreamId id = {static_cast<std::uint8_t>(t), round};
        auto stream = client->Open(id, 2, kTransmit, 16, 30s);
        if (!stream.ok()) {
          ++failed;
          return;
        }
        std::uint64_t offset = 0;
        for (std::size_t size = 1; size < 6000; size += 97 + t) {
          if (!stream.value()->Reserve(size, 30s).ok()) ++failed;
          wrong += Take(*stream.value(), size) != Pad(id, offset, size);
          offset += size;
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(0u, wrong);
  EXPECT_EQ(0u, failed);
  EXPECT_EQ(1u, proxy.connected());
  EXPECT_TRUE(
      proxy.WaitUntil([](const Program& program) { return Count<north::Close>(program) == kThreads * 20; }));
  EXPECT_EQ(0u, proxy.not_wiped());
}

TEST(PadClient, StreamsKeepTheConnectionOfAClientThatIsGone) {
  FakeProxy proxy({.name = "keep"});
  auto client = ClientOf(proxy);
  auto stream = Open(*client, kTransmit, 64);
  client.reset();
  EXPECT_TRUE(stream->Reserve(100000, kWait).ok());
  stream.reset();
  EXPECT_TRUE(proxy.WaitUntilDisconnected(0));
}

TEST(PadClient, ADryWaitBoundsWhatTheProxyWaitsAndNotTheCall) {
  std::atomic<std::uint32_t> wait_ms = 0;
  FakeProxy proxy({.name = "dry-wait"}, [&](Program&, const north::FromProgram& message) {
    if (const auto* open = std::get_if<north::Open>(&message)) wait_ms = open->wait_ms;
    return false;
  });
  const auto client =
      PadClient::Make({.socket_path = proxy.path(), .program = "test", .dry_wait = 7ms}).value();
  EXPECT_TRUE(client->Open(kId, 2, kTransmit, 100, kWait).ok());
  EXPECT_EQ(7u, wait_ms);
}

TEST(PadClient, AStreamIsAttachedUntilItIsDetached) {
  FakeProxy proxy({.name = "attach"});
  const auto ours = ClientOf(proxy), other = ClientOf(proxy);
  EXPECT_FALSE(other->IsAttached(kId, kWait).value());
  ours->Detach(kId);
  ASSERT_TRUE(ours->Attach(kId, kWait).ok());
  EXPECT_TRUE(other->IsAttached(kId, kWait).value());
  ours->Detach(kId);
  EXPECT_TRUE(ours->ProxyStatus(kWait).ok());  // so that it has arrived
  EXPECT_FALSE(other->IsAttached(kId, kWait).value());
}

TEST(PadClient, AProxyThatIsSilentIsNoAnswer) {
  FakeProxy proxy({.name = "silent"}, [](Program&, const north::FromProgram& message) {
    return std::holds_alternative<north::Attach>(message) || std::holds_alternative<north::Find>(message);
  });
  const auto client = ClientOf(proxy);
  EXPECT_EQ(Status::Code::kUnavailable, client->Attach(kId, 50ms).code());
  EXPECT_EQ(Status::Code::kUnavailable, client->IsAttached(kId, 50ms).status().code());
}

}  // namespace
}  // namespace ssn::qkdn::client
