// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/protocol/north.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>
#include <string>

namespace ssn::qkdn::north {
namespace {

using Bytes = std::vector<std::uint8_t>;

StreamId Stream(std::uint8_t first) {
  StreamId id;
  for (std::uint8_t& byte : id) byte = first++;
  return id;
}

// One of each, with a different value in every byte that can have one.
const std::vector<FromProgram> kFromProgram = {
    Hello{0x1122334455667788, "osd.3"},
    Open{0x01020304, Stream(0x20), 0x05060708, PadDirection::kTransmit, StreamKind::kEnvelope,
         0x1112131415161718, 0x2122232425262728, 0x1234},
    Open{7, Stream(0x40), 2, PadDirection::kReceive, StreamKind::kSession, 0, 0, kMaxWaitMs},
    More{0x01020304, 0x05060708, 0x1112131415161718, 0x2122232425262728, 250},
    Release{0x01020304, 0x1112131415161718},
    Close{0x01020304},
    GetStatus{0x01020304},
    Attach{0x01020304, Stream(0x20)},
    Detach{Stream(0x20)},
    Find{0x01020304, Stream(0x40)},
};
const std::vector<FromProxy> kFromProxy = {
    Welcome{0x01020304, 0x1112131415161718, "alpha"},
    Opened{0x01020304, 0x05060708, Stream(0x60)},
    Grant{0x01020304, 0x1112131415161718, 0x2122232425262728, 0x3132333435363738, 0x4142434445464748},
    Done{0x01020304},
    Refused{0x01020304, Refusal::kDry, "no pad in time"},
    Refused{9, Refusal::kNoSuchStream, ""},
    Ended{0x01020304, Refusal::kLinkDown},
    StatusText{0x01020304, R"({"links":[]})"},
};

// Decodes as whichever side; empty if it is refused, else what is encoded anew.
template <typename Side>
Bytes Again(ByteSpan datagram);
template <>
Bytes Again<FromProgram>(ByteSpan datagram) {
  const auto message = DecodeFromProgram(datagram);
  if (message.ok()) return Encode(message.value());
  EXPECT_EQ(Status::Code::kInvalidArgument, message.status().code());
  EXPECT_FALSE(message.status().message().empty());
  return {};
}
template <>
Bytes Again<FromProxy>(ByteSpan datagram) {
  const auto message = DecodeFromProxy(datagram);
  if (message.ok()) return Encode(message.value());
  EXPECT_EQ(Status::Code::kInvalidArgument, message.status().code());
  EXPECT_FALSE(message.status().message().empty());
  return {};
}

template <typename Side>
void EveryMessageSurvives(const std::vector<Side>& messages) {
  for (const Side& message : messages) {
    const Bytes datagram = Encode(message);
    EXPECT_EQ(datagram, Again<Side>(datagram)) << "message " << &message - messages.data();
  }
}

TEST(North, EveryMessageSurvivesTheWire) {
  EveryMessageSurvives(kFromProgram);
  EveryMessageSurvives(kFromProxy);
}

TEST(North, EveryFieldArrivesAsItWasSent) {
  const auto open = std::get<Open>(DecodeFromProgram(Encode(kFromProgram[1])).value());
  const auto& sent = std::get<Open>(kFromProgram[1]);
  EXPECT_EQ(sent.request, open.request);
  EXPECT_EQ(sent.stream, open.stream);
  EXPECT_EQ(sent.peer, open.peer);
  EXPECT_EQ(sent.direction, open.direction);
  EXPECT_EQ(sent.kind, open.kind);
  EXPECT_EQ(sent.need, open.need);
  EXPECT_EQ(sent.want, open.want);
  EXPECT_EQ(sent.wait_ms, open.wait_ms);
  const auto grant = std::get<Grant>(DecodeFromProxy(Encode(kFromProxy[2])).value());
  EXPECT_EQ(0x01020304u, grant.handle);
  EXPECT_EQ(0x1112131415161718u, grant.offset);
  EXPECT_EQ(0x2122232425262728u, grant.position);
  EXPECT_EQ(0x3132333435363738u, grant.window_offset);
  EXPECT_EQ(0x4142434445464748u, grant.length);
  const auto refused = std::get<Refused>(DecodeFromProxy(Encode(kFromProxy[4])).value());
  EXPECT_EQ(Refusal::kDry, refused.reason);
  EXPECT_EQ("no pad in time", refused.message);
}

template <typename Side>
void NothingShorterOrLongerDecodes(const std::vector<Side>& messages) {
  for (const Side& message : messages) {
    Bytes datagram = Encode(message);
    for (std::size_t size = 0; size < datagram.size(); ++size)
      EXPECT_EQ(Bytes(), Again<Side>(ByteSpan(datagram).first(size))) << "cut to " << size;
    datagram.push_back(0);
    EXPECT_EQ(Bytes(), Again<Side>(datagram)) << "one byte more";
  }
}

TEST(North, EveryTruncationIsRefused) {
  NothingShorterOrLongerDecodes(kFromProgram);
  NothingShorterOrLongerDecodes(kFromProxy);
}

// A message has one encoding only: what decodes at all encodes to the same bytes.
template <typename Side>
void NoSecondEncoding(const std::vector<Side>& messages) {
  for (const Side& message : messages) {
    const Bytes datagram = Encode(message);
    for (std::size_t at = 0; at < datagram.size(); ++at)
      for (unsigned value = 0; value < 256; ++value) {
        Bytes changed = datagram;
        changed[at] = static_cast<std::uint8_t>(value);
        const Bytes again = Again<Side>(changed);
        EXPECT_TRUE(again.empty() || again == changed) << "byte " << at << " = " << value;
      }
  }
}

TEST(North, EveryChangeOfAByteIsRefusedOrAnotherMessage) {
  NoSecondEncoding(kFromProgram);
  NoSecondEncoding(kFromProxy);
}

TEST(North, GarbageIsSafe) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (int i = 0; i < 200000; ++i) {
    Bytes garbage(generator() % 80);
    for (std::uint8_t& byte : garbage) byte = static_cast<std::uint8_t>(generator());
    if (garbage.size() > 4 && i % 4 != 0) {  // three of four get as far as the fields
      garbage[0] = kVersion;
      garbage[1] = static_cast<std::uint8_t>(generator() % 2 * 128 + 1 + generator() % 9);
      garbage[2] = garbage[3] = 0;
    }
    const Bytes as_program = Again<FromProgram>(garbage), as_proxy = Again<FromProxy>(garbage);
    EXPECT_TRUE(as_program.empty() || as_program == garbage);
    EXPECT_TRUE(as_proxy.empty() || as_proxy == garbage);
  }
}

std::string Failure(const FromProgram& message) {
  return DecodeFromProgram(Encode(message)).status().message();
}
std::string Failure(const FromProxy& message) { return DecodeFromProxy(Encode(message)).status().message(); }

TEST(North, AnErrorNamesMessageFieldAndValue) {
  const StreamId id = Stream(1);
  const auto transmit = PadDirection::kTransmit;
  EXPECT_EQ("Hello: program: 0 bytes are outside 1..32", Failure(Hello{1, ""}));
  EXPECT_EQ("Open: wait_ms: 10001 is more than 10000",
            Failure(Open{1, id, 2, transmit, StreamKind::kSession, 1, 1, 10001}));
  EXPECT_EQ("Open: want: 4 is less than need=5",
            Failure(Open{1, id, 2, transmit, StreamKind::kSession, 5, 4, 0}));
  EXPECT_EQ("Open: want: 4 on a stream to receive, which takes no amounts",
            Failure(Open{1, id, 2, PadDirection::kReceive, StreamKind::kSession, 0, 4, 0}));
  EXPECT_EQ("Open: direction: no such value: 3",
            Failure(Open{1, id, 2, static_cast<PadDirection>(3), StreamKind::kSession, 0, 0, 0}));
  EXPECT_EQ("Open: kind: no such value: 0",
            Failure(Open{1, id, 2, transmit, static_cast<StreamKind>(0), 0, 0, 0}));
  EXPECT_EQ("More: want: 1 is less than need=2", Failure(More{1, 1, 2, 1, 0}));
  EXPECT_EQ("Grant: length: 0 bytes are no grant", Failure(Grant{1, 0, 0, 0, 0}));
  EXPECT_EQ("Grant: length: 2 goes beyond 2^64", Failure(Grant{1, 0, UINT64_MAX - 1, 0, 2}));
  EXPECT_EQ("Refused: reason: no such value: 11", Failure(Refused{1, static_cast<Refusal>(11), ""}));
  EXPECT_EQ("Ended: reason: no such value: 0", Failure(Ended{1, static_cast<Refusal>(0)}));
  EXPECT_EQ("version: 2, only 1 is spoken here", DecodeFromProgram(Bytes{2, 1, 0, 0}).status().message());
  EXPECT_EQ("zero: 256 where 0 is reserved", DecodeFromProgram(Bytes{1, 1, 0, 1}).status().message());
  EXPECT_EQ("type: 129 is not sent by this side", DecodeFromProgram(Bytes{1, 129, 0, 0}).status().message());
  EXPECT_EQ("type: 1 is not sent by this side", DecodeFromProxy(Bytes{1, 1, 0, 0}).status().message());
  EXPECT_EQ("type: needs 1 bytes, 0 are left", DecodeFromProxy(Bytes{1}).status().message());
}

TEST(North, TextThatDoesNotFitIsCut) {
  const Bytes status = Encode(FromProxy(StatusText{1, std::string(1 << 17, 'j')}));
  EXPECT_EQ(kMaxMessageBytes, status.size());
  EXPECT_EQ(status, Again<FromProxy>(status));
  const Bytes refused = Encode(FromProxy(Refused{1, Refusal::kDry, std::string(1000, 'm')}));
  EXPECT_EQ(refused, Again<FromProxy>(refused));
  EXPECT_EQ(Bytes(), Again<FromProxy>(Bytes(kMaxMessageBytes + 1, 1)));
}

// The block marked `north` of NORTH.md: a direction, the name of the message, its bytes.
std::vector<std::pair<std::string, Bytes>> DocumentedExample() {
  std::ifstream document(SSN_NORTH_DOCUMENT);
  std::vector<std::pair<std::string, Bytes>> messages;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line == "```north")
      inside = true;
    else if (line == "```")
      inside = false;
    else if (inside) {
      std::istringstream words(line);
      std::string direction, name, hex, all;
      words >> direction >> name;
      while (words >> hex) all += hex;
      Bytes bytes;
      for (std::size_t i = 0; i + 1 < all.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(all.substr(i, 2), nullptr, 16)));
      messages.emplace_back(direction + " " + name, bytes);
    }
  }
  return messages;
}

TEST(North, TheExampleOfTheDocumentIsExact) {
  const StreamId id = Stream(0xa0);
  const PadEpoch epoch = Stream(0xe0);
  const std::vector<std::pair<std::string, Bytes>> expected = {
      {"> Hello", Encode(FromProgram(Hello{1 << 20, "osd.3"}))},
      {"< Welcome", Encode(FromProxy(Welcome{1, 1 << 20, "alpha"}))},
      {"> Open",
       Encode(FromProgram(Open{1, id, 2, PadDirection::kTransmit, StreamKind::kSession, 64, 4096, 500}))},
      {"< Opened", Encode(FromProxy(Opened{1, 7, epoch}))},
      {"< Grant", Encode(FromProxy(Grant{7, 0, 81920, 0, 4096}))},
      {"< Done", Encode(FromProxy(Done{1}))},
      {"> More", Encode(FromProgram(More{2, 7, 0, 8192, 0}))},
      {"> Release", Encode(FromProgram(Release{7, 4096}))},
      {"< Grant", Encode(FromProxy(Grant{7, 4096, 90112, 4096, 8192}))},
      {"< Done", Encode(FromProxy(Done{2}))},
      {"> More", Encode(FromProgram(More{3, 7, 1 << 20, 1 << 20, 5}))},
      {"< Refused", Encode(FromProxy(Refused{3, Refusal::kDry, "no pad in time"}))},
      {"< Ended", Encode(FromProxy(Ended{7, Refusal::kStreamEnded}))},
      {"> Close", Encode(FromProgram(Close{7}))},
      {"> GetStatus", Encode(FromProgram(GetStatus{4}))},
      {"< StatusText", Encode(FromProxy(StatusText{4, R"({"node":1})"}))},
      {"> Attach", Encode(FromProgram(Attach{5, Stream(0xb0)}))},
      {"< Done", Encode(FromProxy(Done{5}))},
      {"> Find", Encode(FromProgram(Find{6, Stream(0xc0)}))},
      {"< Refused", Encode(FromProxy(Refused{6, Refusal::kNoSuchStream, ""}))},
      {"> Detach", Encode(FromProgram(Detach{Stream(0xb0)}))},
  };
  EXPECT_EQ(expected, DocumentedExample());
}

}  // namespace
}  // namespace ssn::qkdn::north
