// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/one_time_mac.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace ssn {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes Hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

ByteSpan Text(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Bytes Tag(ByteSpan key, std::initializer_list<ByteSpan> parts) {
  const auto tag = OneTimeMac(key, parts);
  EXPECT_TRUE(tag.ok()) << tag.status().message();
  return tag.ok() ? Bytes(tag.value().begin(), tag.value().end()) : Bytes();
}

struct Vector {
  const char* name;
  const char* key;
  const char* message;
  const char* tag;
};

// RFC 8439, appendix A.3, the vectors that try the arithmetic at its edges.
constexpr Vector kVectors[] = {
    {"1", "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000"
     "00000000000000000000",
     "00000000000000000000000000000000"},
    {"7", "0200000000000000000000000000000000000000000000000000000000000000",
     "ffffffffffffffffffffffffffffffff", "03000000000000000000000000000000"},
    {"8", "02000000000000000000000000000000ffffffffffffffffffffffffffffffff",
     "02000000000000000000000000000000", "03000000000000000000000000000000"},
    {"9", "0100000000000000000000000000000000000000000000000000000000000000",
     "fffffffffffffffffffffffffffffffff0ffffffffffffffffffffffffffffff11000000000000000000000000000000",
     "05000000000000000000000000000000"},
    {"10", "0100000000000000000000000000000000000000000000000000000000000000",
     "fffffffffffffffffffffffffffffffffbfefefefefefefefefefefefefefefe01010101010101010101010101010101",
     "00000000000000000000000000000000"},
    {"11", "0200000000000000000000000000000000000000000000000000000000000000",
     "fdffffffffffffffffffffffffffffff", "faffffffffffffffffffffffffffffff"},
    {"12", "0100000000000000040000000000000000000000000000000000000000000000",
     "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000000000000000000000000000000000000100000"
     "0000000"
     "000000000000000000",
     "14000000000000005500000000000000"},
    {"13", "0100000000000000040000000000000000000000000000000000000000000000",
     "e33594d7505e43b900000000000000003394d7505e4379cd010000000000000000000000000000000000000000000000",
     "13000000000000000000000000000000"},
};

TEST(OneTimeMac, GivesTheTagsOfTheSpecification) {
  EXPECT_EQ(Hex("a8061dc1305136c6c22b8baf0c0127a9"),
            Tag(Hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"),
                {Text("Cryptographic Forum Research Group")}));
  for (const Vector& vector : kVectors)
    EXPECT_EQ(Hex(vector.tag), Tag(Hex(vector.key), {Hex(vector.message)})) << "vector " << vector.name;
}

TEST(OneTimeMac, UsesTheKeyAsItIs) {
  // r = 0 leaves s alone, whatever the message: nothing is derived from the key.
  Bytes key(32);
  for (std::size_t i = 16; i < 32; ++i) key[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(Bytes(key.begin() + 16, key.end()), Tag(key, {Text("whatever")}));
  // The same key twice gives the same tag: a context is not changed by its use.
  EXPECT_EQ(Tag(key, {Text("again")}), Tag(key, {Text("again")}));
}

TEST(OneTimeMac, PartsAreConcatenated) {
  const Bytes key(32, 0x5A);
  const Bytes whole = Tag(key, {Text("one message in parts")});
  EXPECT_EQ(whole, Tag(key, {Text("one message"), Text(""), Text(" in"), Text(" parts")}));
  EXPECT_NE(whole, Tag(key, {Text("one message in part")}));
  EXPECT_EQ(Tag(key, {}), Tag(key, {Text("")}));
}

TEST(OneTimeMac, RefusesAKeyOfAnotherSize) {
  for (const std::size_t size : {0u, 16u, 31u, 33u, 64u}) {
    const auto tag = OneTimeMac(Bytes(size), {Text("x")});
    ASSERT_FALSE(tag.ok()) << size;
    EXPECT_EQ(Status::Code::kInvalidArgument, tag.status().code());
    EXPECT_EQ("one-time MAC: key of " + std::to_string(size) + " bytes, needs 32", tag.status().message());
    EXPECT_FALSE(VerifyOneTimeMac(Bytes(size), {Text("x")}, Bytes(16)));
  }
}

TEST(OneTimeMac, VerifyTakesTheTagAndNoOther) {
  const Bytes key(32, 0x77);
  Bytes tag = Tag(key, {Text("a"), Text("b")});
  EXPECT_TRUE(VerifyOneTimeMac(key, {Text("ab")}, tag));
  for (std::size_t bit = 0; bit < 128; ++bit) {
    tag[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(VerifyOneTimeMac(key, {Text("ab")}, tag)) << "bit " << bit;
    tag[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
  EXPECT_FALSE(VerifyOneTimeMac(key, {Text("ab")}, ByteSpan(tag).first(15)));
  EXPECT_FALSE(VerifyOneTimeMac(key, {Text("ab")}, {}));
}

TEST(OneTimeMac, ThreadsDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&wrong, t] {
      const Bytes key(32, static_cast<std::uint8_t>(t + 1));
      const Bytes first = Tag(key, {Text("message")});
      for (int i = 0; i < 1000; ++i) wrong[t] += Tag(key, {Text("mess"), Text("age")}) != first;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::vector<int>(4), wrong);
}

TEST(OneTimeMacContext, GivesTheSameTagsPieceByPiece) {
  Bytes key(kOneTimeMacKeyBytes), message(1000);
  OneTimeMacContext context;
  for (std::uint8_t round = 1; round < 4; ++round) {
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(round * 50 + i);
    for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(round * i);
    const ByteSpan all(message);
    ASSERT_TRUE(context.Start(key).ok());
    for (const ByteSpan piece : {all.first(1), all.subspan(1, 0), all.subspan(1, 700), all.subspan(701)})
      ASSERT_TRUE(context.Add(piece).ok());
    const auto tag = context.Finish();
    ASSERT_TRUE(tag.ok()) << tag.status().message();
    EXPECT_EQ(Tag(key, {message}), Bytes(tag.value().begin(), tag.value().end()));
  }
}

TEST(OneTimeMacContext, IsOfUseAfterAFailure) {
  const Bytes key(kOneTimeMacKeyBytes, 7), message(33, 1);
  OneTimeMacContext context;
  EXPECT_FALSE(context.Add(message).ok());
  EXPECT_FALSE(context.Finish().ok());
  EXPECT_FALSE(context.Start(ByteSpan(key).first(31)).ok());
  ASSERT_TRUE(context.Start(key).ok());
  ASSERT_TRUE(context.Add(message).ok());
  const auto tag = context.Finish();
  ASSERT_TRUE(tag.ok());
  EXPECT_EQ(Tag(key, {message}), Bytes(tag.value().begin(), tag.value().end()));
}

}  // namespace
}  // namespace ssn
