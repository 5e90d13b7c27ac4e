// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/etsi014/base64.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace ssn::qkdn::etsi014 {
namespace {

std::string Encode(const std::vector<std::uint8_t>& bytes) {
  std::string text(Base64Size(bytes.size()) + 1, '?');
  EncodeBase64(bytes, text.data());
  EXPECT_EQ('\0', text.back());
  text.pop_back();
  return text;
}

std::optional<std::vector<std::uint8_t>> Decode(std::string_view text) {
  const std::optional<std::size_t> size = DecodedSize(text);
  if (!size) return std::nullopt;
  // One byte behind the end shows whether padding is written there.
  std::vector<std::uint8_t> bytes(*size + 1, 0xA5);
  const bool right = DecodeBase64(text, MutableByteSpan(bytes).first(*size));
  EXPECT_EQ(0xA5, bytes.back());
  bytes.pop_back();
  return right ? std::optional(bytes) : std::nullopt;
}

std::vector<std::uint8_t> Bytes(std::string_view text) { return {text.begin(), text.end()}; }

TEST(Base64, AgreesWithTheVectorsOfTheRfc) {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(text, Encode(Bytes(bytes)));
    EXPECT_EQ(Bytes(bytes), Decode(text)) << text;
  }
  EXPECT_EQ((std::vector<std::uint8_t>{0xFB, 0xFF}), Decode("+/8="));
}

TEST(Base64, EveryLengthComesBack) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size <= 200; ++size) {
    std::vector<std::uint8_t> bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    EXPECT_EQ(bytes, Decode(Encode(bytes)));
  }
}

TEST(Base64, AnythingButTheOneRightTextIsRefused) {
  const char* const wrong[] = {
      "Z",        "Zg",       "Zg=",         "Zm9vYg",    // padding left out
      "Zg==Zg==", "Zm8=Zm9v",                             // padding in the middle
      "Z===",     "====",     "=m9v",        "Zg=A",      // padding in the wrong place
      "Zh==",     "Zm9=",     "Zm9vYn==",                 // trailing bits that are not zero
      "Zm9v\n",   "\nZm9",    "Zm9vZm9\n",   "    Zm9v",  // white space
      "Zm9v    ", "Zm9 ",     "Zm9vZ g=",                 //
      "Zm-_",     "Zm9.",     "Zm9v\x80m9v", "-m9v",      // other alphabets
  };
  for (const char* const text : wrong) EXPECT_FALSE(Decode(text)) << '"' << text << '"';
  EXPECT_FALSE(Decode(std::string_view("Zm9\0", 4)));
}

TEST(Base64, EveryCharacterOutsideTheAlphabetIsRefusedAtEveryPlace) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t place = 0; place < 12; ++place) {
    for (int value = 0; value < 256; ++value) {
      std::string text = "AAAABBBBEEEE";
      text[place] = static_cast<char>(value);
      const bool padding = value == '=' && place == 11;  // the trailing bits of E are zero
      EXPECT_EQ(alphabet.find(text[place]) != std::string_view::npos || padding, Decode(text).has_value())
          << "character " << value << " at " << place;
    }
  }
}

TEST(Base64, TextLongerThanOnePieceComesBack) {
  std::vector<std::uint8_t> bytes((std::size_t{3} << 24) + 5);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 2654435761u >> 11);
  const std::string text = Encode(bytes);
  EXPECT_EQ(Base64Size(bytes.size()), text.size());
  EXPECT_TRUE(bytes == Decode(text));
}

}  // namespace
}  // namespace ssn::qkdn::etsi014
