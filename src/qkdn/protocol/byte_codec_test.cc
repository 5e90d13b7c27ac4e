// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/protocol/byte_codec.h"

#include <gtest/gtest.h>

#include <array>

namespace ssn::qkdn {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(ByteCodec, IntegersAreLittleEndian) {
  Writer writer;
  writer.U8(0x01);
  writer.U16(0x0302);
  writer.U32(0x07060504);
  writer.U64(0x0f0e0d0c0b0a0908);
  const Bytes bytes = std::move(writer).Take();
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(i + 1, bytes[i]);
  Reader reader(bytes);
  EXPECT_EQ(0x01, reader.U8("a"));
  EXPECT_EQ(0x0302, reader.U16("b"));
  EXPECT_EQ(0x07060504u, reader.U32("c"));
  EXPECT_EQ(0x0f0e0d0c0b0a0908u, reader.U64("d"));
  reader.End();
  EXPECT_TRUE(reader.ok()) << reader.status().message();
}

TEST(ByteCodec, TheFirstFailureStaysAndReadsAfterItAreZero) {
  const Bytes bytes{1, 2, 3, 4, 5};
  Reader reader(bytes);
  EXPECT_EQ(0x0201, reader.U16("first"));
  EXPECT_EQ(0u, reader.U32("second"));
  std::array<std::uint8_t, 2> rest{9, 9};
  reader.Bytes("third", rest);
  EXPECT_EQ((std::array<std::uint8_t, 2>{}), rest);
  EXPECT_EQ("", reader.ShortText("fourth"));
  reader.End();
  EXPECT_EQ(Status::Code::kInvalidArgument, reader.status().code());
  EXPECT_EQ("second: needs 4 bytes, 3 are left", reader.status().message());
}

TEST(ByteCodec, BytesLeftOverAreAFailure) {
  const Bytes bytes{1, 2, 3};
  Reader reader(bytes);
  reader.U8("a");
  reader.End();
  EXPECT_EQ("end: 2 bytes too many", reader.status().message());
}

TEST(ByteCodec, TextIsCutCleanedAndChecked) {
  Writer writer;
  writer.ShortText("caf\xC3\xA9\n", 5);
  writer.ShortText(std::string(300, 'x'));
  writer.LongText(std::string("a\0b", 3));
  writer.LongText(std::string(70000, 'y'), 10);
  const Bytes bytes = std::move(writer).Take();
  Reader reader(bytes);
  EXPECT_EQ("caf??", reader.ShortText("name", 1, 5));
  EXPECT_EQ(std::string(255, 'x'), reader.ShortText("message"));
  EXPECT_EQ(std::string("a\0b", 3), reader.LongText("raw"));
  EXPECT_EQ(std::string(10, 'y'), reader.LongText("cut"));
  reader.End();
  EXPECT_TRUE(reader.ok()) << reader.status().message();
}

TEST(ByteCodec, TextOfTheWrongLengthOrAlphabetNamesItsField) {
  const auto failure = [](const Bytes& bytes) {
    Reader reader(bytes);
    EXPECT_EQ("", reader.ShortText("program", 1, 3));
    return reader.status().message();
  };
  EXPECT_EQ("program: 0 bytes are outside 1..3", failure({0}));
  EXPECT_EQ("program: 4 bytes are outside 1..3", failure({4, 'a', 'b', 'c', 'd'}));
  EXPECT_EQ("program: not printable ASCII", failure({2, 'a', '\n'}));
  EXPECT_EQ("program: not printable ASCII", failure({1, 0x80}));
  EXPECT_EQ("program: needs 2 bytes, 1 are left", failure({2, 'a'}));
}

TEST(ByteCodec, AChoiceOutsideItsRangeIsAFailure) {
  enum class Kind : std::uint16_t { kA = 1, kB = 2 };
  const Bytes good{2, 0}, low{0, 0}, high{3, 0};
  EXPECT_EQ(Kind::kB, Reader(good).Choice("kind", Kind::kA, Kind::kB));
  for (const Bytes& bad : {low, high}) {
    Reader reader(bad);
    EXPECT_EQ(Kind::kA, reader.Choice("kind", Kind::kA, Kind::kB));
    EXPECT_EQ("kind: no such value: " + std::to_string(bad[0]), reader.status().message());
  }
}

}  // namespace
}  // namespace ssn::qkdn
