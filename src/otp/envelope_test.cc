// SPDX-License-Identifier: LGPL-2.1-or-later
#include "otp/envelope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

namespace ssn::otp {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes Text(std::string_view text) { return {text.begin(), text.end()}; }

Bytes CountedUp(std::size_t size, std::uint8_t first) {
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = first++;
  return bytes;
}

EnvelopeHeader Header(std::uint64_t length) {
  EnvelopeHeader header{.from = 1, .to = 2, .stream = {}, .epoch = {}, .position = 0x10203, .length = length};
  std::ranges::copy(CountedUp(16, 0xa0), header.stream.begin());
  std::ranges::copy(CountedUp(16, 0xe0), header.epoch.begin());
  return header;
}

Bytes Seal(std::string_view context, std::string_view plaintext) {
  Bytes pad = CountedUp(plaintext.size() + kOneTimeMacKeyBytes, 0x40);
  auto envelope = SealEnvelope(Header(plaintext.size()), Text(context), Text(plaintext), pad);
  EXPECT_TRUE(envelope.ok()) << envelope.status().message();
  EXPECT_EQ(Bytes(pad.size()), pad);
  return std::move(envelope).value();
}

// The plaintext, or the code and message of the failure. The pad is wiped in either case.
std::string Unseal(const Bytes& envelope, std::string_view context, std::size_t pad_bytes) {
  Bytes pad = CountedUp(pad_bytes, 0x40);
  const auto plaintext = UnsealEnvelope(envelope, Text(context), pad);
  EXPECT_EQ(Bytes(pad.size()), pad);
  if (plaintext.ok()) return {plaintext.value().span().begin(), plaintext.value().span().end()};
  EXPECT_EQ(Status::Code::kCorrupt, plaintext.status().code());
  return "!" + plaintext.status().message();
}

constexpr std::string_view kContext = "object 7, share 2", kPlaintext = "the share";
constexpr std::size_t kPadBytes = kPlaintext.size() + kOneTimeMacKeyBytes;
constexpr const char* kWrongTag = "!envelope: the tag is wrong";

TEST(Envelope, OpensToWhatWasSealed) {
  EXPECT_EQ(kPlaintext, Unseal(Seal(kContext, kPlaintext), kContext, kPadBytes));
  EXPECT_EQ("", Unseal(Seal("", ""), "", kOneTimeMacKeyBytes));
  const std::string large(kMaxEnvelopeBytes, 'x');
  EXPECT_EQ(large, Unseal(Seal(kContext, large), kContext, large.size() + kOneTimeMacKeyBytes));
}

TEST(Envelope, TheHeaderSaysWhoseItIsAndWhereItsPadLies) {
  const auto header = ParseEnvelopeHeader(Seal(kContext, kPlaintext));
  ASSERT_TRUE(header.ok()) << header.status().message();
  const EnvelopeHeader expected = Header(kPlaintext.size());
  EXPECT_EQ(expected.from, header.value().from);
  EXPECT_EQ(expected.to, header.value().to);
  EXPECT_EQ(expected.stream, header.value().stream);
  EXPECT_EQ(expected.epoch, header.value().epoch);
  EXPECT_EQ(expected.position, header.value().position);
  EXPECT_EQ(expected.length, header.value().length);
}

TEST(Envelope, EveryAlteredBitIsRefused) {
  const Bytes sealed = Seal(kContext, kPlaintext);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes altered = sealed;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_EQ('!', Unseal(altered, kContext, kPadBytes)[0]) << "bit " << bit;
  }
}

TEST(Envelope, AnotherContextIsRefused) {
  const Bytes sealed = Seal(kContext, kPlaintext);
  for (const std::string_view context : {"", "object 7, share 3", "object 7, share 2 ", "object 7, share"})
    EXPECT_EQ(kWrongTag, Unseal(sealed, context, kPadBytes)) << context;
}

TEST(Envelope, ContextAndCiphertextCannotTradeBytes) {
  // The same bytes under the MAC but for the lengths: the first of the ciphertext moves to the end of the
  // context.
  const Bytes sealed = Seal(kContext, kPlaintext);
  Bytes moved = sealed;
  moved.erase(moved.begin() + kEnvelopeHeaderBytes);
  moved[56] = static_cast<std::uint8_t>(kPlaintext.size() - 1);
  const std::string context = std::string(kContext) + static_cast<char>(sealed[kEnvelopeHeaderBytes]);
  EXPECT_EQ(kWrongTag, Unseal(moved, context, kPadBytes - 1));
}

TEST(Envelope, OtherPadIsRefused) {
  const Bytes sealed = Seal(kContext, kPlaintext);
  Bytes pad = CountedUp(kPadBytes, 0x41);
  EXPECT_EQ(Status::Code::kCorrupt, UnsealEnvelope(sealed, Text(kContext), pad).status().code());
  EXPECT_EQ("!envelope: 9 bytes of ciphertext do not go with 40 bytes of pad",
            Unseal(sealed, kContext, kPadBytes - 1));
  EXPECT_EQ("!envelope: 9 bytes of ciphertext do not go with 42 bytes of pad",
            Unseal(sealed, kContext, kPadBytes + 1));
  EXPECT_EQ('!', Unseal(sealed, kContext, 0)[0]);
}

TEST(Envelope, EveryTruncationAndExtensionIsRefused) {
  Bytes sealed = Seal(kContext, kPlaintext);
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_EQ('!', Unseal(Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size)), kContext,
                          kPadBytes)[0]);
  sealed.push_back(0);
  EXPECT_EQ('!', Unseal(sealed, kContext, kPadBytes)[0]);
}

TEST(Envelope, ALengthThatLiesIsRefused) {
  const Bytes sealed = Seal(kContext, kPlaintext);
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{8}, std::uint64_t{10}, UINT64_MAX - 63,
                                     UINT64_MAX - 15, UINT64_MAX, std::uint64_t{1} << 32 | 9}) {
    Bytes lying = sealed;
    for (std::size_t i = 0; i < 8; ++i) lying[56 + i] = static_cast<std::uint8_t>(length >> 8 * i);
    const auto header = ParseEnvelopeHeader(lying);
    ASSERT_FALSE(header.ok()) << length;
    EXPECT_EQ("envelope: length=" + std::to_string(length) +
                  " in the header, 9 bytes of ciphertext, at most 1048576",
              header.status().message());
  }
  Bytes too_long(kEnvelopeHeaderBytes + kMaxEnvelopeBytes + 1 + kOneTimeMacTagBytes);
  std::copy_n(sealed.begin(), kEnvelopeHeaderBytes, too_long.begin());
  too_long[56] = 1, too_long[58] = 0x10;
  EXPECT_EQ(Status::Code::kCorrupt, ParseEnvelopeHeader(too_long).status().code());
}

TEST(Envelope, SealRefusesSizesThatDoNotFitAndWipesThePadAllTheSame) {
  for (const std::size_t pad_bytes : {0u, 31u, 40u, 42u}) {
    Bytes pad = CountedUp(pad_bytes, 1);
    const auto sealed = SealEnvelope(Header(9), {}, Text(kPlaintext), pad);
    EXPECT_EQ(Status::Code::kInvalidArgument, sealed.status().code());
    EXPECT_EQ(Bytes(pad_bytes), pad);
  }
  Bytes pad = CountedUp(kPadBytes, 1);
  EXPECT_EQ("envelope: header.length=8, 9 bytes of plaintext and 41 of pad do not fit together",
            SealEnvelope(Header(8), {}, Text(kPlaintext), pad).status().message());
}

TEST(Envelope, GarbageIsSafe) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  const Bytes sealed = Seal(kContext, kPlaintext);
  for (int i = 0; i < 20000; ++i) {
    Bytes garbage(generator() % 128);
    for (std::uint8_t& byte : garbage) byte = static_cast<std::uint8_t>(generator());
    std::copy_n(sealed.begin(), std::min<std::size_t>(garbage.size(), generator() % 65), garbage.begin());
    EXPECT_EQ('!', Unseal(garbage, kContext, kPadBytes)[0]);
  }
}

// The block marked `envelope` of ENVELOPE.md: names and bytes.
std::map<std::string, std::string> DocumentedExample() {
  std::ifstream document(SSN_ENVELOPE_DOCUMENT);
  std::map<std::string, std::string> example;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line == "```envelope") {
      inside = true;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      std::istringstream words(line);
      std::string name, word;
      words >> name;
      while (words >> word) example[name] += word;
    }
  }
  return example;
}

std::string Hex(ByteSpan bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

TEST(Envelope, TheExampleOfTheDocumentIsExact) {
  const Bytes sealed = Seal(kContext, kPlaintext);
  const ByteSpan all(sealed);
  const std::map<std::string, std::string> expected = {
      {"pad", Hex(CountedUp(kPadBytes, 0x40))},
      {"context", Hex(Text(kContext))},
      {"plaintext", Hex(Text(kPlaintext))},
      {"header", Hex(all.first(kEnvelopeHeaderBytes))},
      {"ciphertext", Hex(all.subspan(kEnvelopeHeaderBytes, kPlaintext.size()))},
      {"tag", Hex(all.last(kOneTimeMacTagBytes))},
  };
  EXPECT_EQ(expected, DocumentedExample());
}

}  // namespace
}  // namespace ssn::otp
