// SPDX-License-Identifier: LGPL-2.1-or-later
// The records of a session, byte by byte, as SESSION.md has them.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "provider/first_record.h"
#include "provider/record_mac.h"
#include "provider/session_id.h"
#include "provider/test_frames.h"

namespace ssn::provider {
namespace {

// Pad whose byte i is i + 1, at position 4096 + i.
class CountingPad final : public PadStream {
 public:
  Status Reserve(std::size_t bytes, std::chrono::milliseconds) override {
    return bytes <= available() ? Status() : Status::Unavailable("");
  }
  std::size_t available() const noexcept override { return left; }
  Piece Next(std::size_t) noexcept override { return {{}, 4096 + used_}; }
  void Use(std::size_t bytes) noexcept override { used_ += bytes; }
  void Xor(ByteSpan in, MutableByteSpan out) noexcept override {
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = static_cast<std::uint8_t>(in[i] ^ (++used_ & 0xFF));
    left -= in.size();
  }
  void Account() noexcept override {}
  const PadEpoch& epoch() const noexcept override { return epoch_; }

  std::size_t left = 1000;

 private:
  std::uint64_t used_ = 0;
  const PadEpoch epoch_{0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7,
                        0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef};
};

Bytes Counting(std::uint8_t first, std::size_t size) {
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = first++;
  return bytes;
}

const Bytes kKey = Counting(0, 16), kIv = Counting(0xa0, 12), kSignature = FrameRecords({32})[0];
const StreamLabel kLabel{{0xd0, 1, 2, 3}, 1, 2};

// The block marked `session` of SESSION.md: a name, then bytes.
std::map<std::string, Bytes> DocumentedExample() {
  std::ifstream document(SSN_SESSION_DOCUMENT);
  std::map<std::string, Bytes> example;
  std::string name;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line == "```session")
      inside = true;
    else if (line == "```")
      inside = false;
    else if (inside) {
      std::istringstream words(line);
      if (line[0] != ' ') words >> name;
      for (std::string hex; words >> hex;)
        for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
          example[name].push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
    }
  }
  return example;
}

template <typename Span>
Bytes ToBytes(const Span& span) {
  return Bytes(span.begin(), span.end());
}

struct Sealed {
  Bytes ciphertext;
  Bytes tag;
};

Sealed Seal(RecordMac& mac, PadStream& pad, const Bytes& plaintext) {
  Sealed sealed{plaintext, {}};
  EXPECT_TRUE(mac.Start(pad));
  pad.Xor(sealed.ciphertext, sealed.ciphertext);
  EXPECT_TRUE(mac.Add(sealed.ciphertext));
  const auto tag = mac.Finish();
  EXPECT_TRUE(tag.has_value());
  if (tag) sealed.tag = ToBytes(*tag);
  return sealed;
}

class RecordTest : public testing::Test {
 protected:
  AesGcmLibrary library{OSSL_LIB_CTX_new()};
};

TEST_F(RecordTest, TheExampleOfTheDocumentIsExact) {
  std::map<std::string, Bytes> expected{{"key", kKey}, {"first_iv", kIv}, {"plaintext0", kSignature}};
  StreamId stream;
  ASSERT_TRUE(MakeStreamId(library, kKey, kIv, stream));
  expected["stream"] = ToBytes(stream);
  std::array<std::uint8_t, 16> field;
  ASSERT_TRUE(SealFirstRecord(library, kKey, kIv, kSignature, 1, field));
  expected["tag_field0"] = ToBytes(field);
  CountingPad pad;
  RecordMac mac({stream, 1, 2});
  const Sealed one = Seal(mac, pad, Counting(0x30, 20)), two = Seal(mac, pad, Counting(0x30, 20));
  expected["plaintext1"] = Counting(0x30, 20);
  expected["ciphertext1"] = one.ciphertext;
  expected["tag1"] = one.tag;
  expected["ciphertext2"] = two.ciphertext;
  expected["tag2"] = two.tag;
  EXPECT_EQ(expected, DocumentedExample());
}

TEST_F(RecordTest, RecordZeroIsOfOneKeyIvNodeAndText) {
  std::array<std::uint8_t, 16> field;
  ASSERT_TRUE(SealFirstRecord(library, kKey, kIv, kSignature, 0x01020304, field));
  EXPECT_EQ(0x01020304u, OpenFirstRecord(library, kKey, kIv, kSignature, field));
  EXPECT_FALSE(OpenFirstRecord(library, Counting(1, 16), kIv, kSignature, field).has_value());
  EXPECT_FALSE(OpenFirstRecord(library, kKey, Counting(1, 12), kSignature, field).has_value());
  EXPECT_FALSE(OpenFirstRecord(library, kKey, kIv, FrameRecords({31})[0], field).has_value());
  field[12] ^= 1;
  EXPECT_FALSE(OpenFirstRecord(library, kKey, kIv, kSignature, field).has_value());
}

TEST_F(RecordTest, OnlyAWholeFirstRecordIsMsgr2) {
  FirstRecord record;
  EXPECT_FALSE(record.IsMsgr2());
  record.Add(ByteSpan(kSignature).first(79));
  EXPECT_FALSE(record.IsMsgr2());
  record.Add(ByteSpan(kSignature).subspan(79));
  EXPECT_TRUE(record.IsMsgr2());
  EXPECT_EQ(kSignature, ToBytes(record.plaintext()));
  record.Add(Bytes{0});
  EXPECT_FALSE(record.IsMsgr2());
  record.Clear();
  record.Add(Counting(1, 80));
  EXPECT_FALSE(record.IsMsgr2());
}

TEST(RecordMac, TakesRAndThenOneKeyForEachRecord) {
  CountingPad pad;
  RecordMac mac(kLabel);
  EXPECT_EQ(32u, mac.KeyBytes());
  ASSERT_TRUE(mac.Start(pad));
  EXPECT_EQ(1000u - 32, pad.left);
  EXPECT_EQ(16u, mac.KeyBytes());
  ASSERT_TRUE(mac.Start(pad));
  EXPECT_EQ(1000u - 48, pad.left);
  pad.left = 15;
  EXPECT_FALSE(mac.Start(pad));
}

TEST(RecordMac, TheTagDependsOnEverythingARecordIs) {
  const auto tag = [](const StreamLabel& label, const Bytes& text, int records = 1) {
    CountingPad pad;
    RecordMac mac(label);
    Sealed sealed;
    for (int i = 0; i < records; ++i) sealed = Seal(mac, pad, text);
    return sealed.tag;
  };
  const Bytes text = Counting(1, 33), same = tag(kLabel, text);
  EXPECT_EQ(same, tag(kLabel, text));
  EXPECT_NE(same, tag({{0xd1, 1, 2, 3}, 1, 2}, text));
  EXPECT_NE(same, tag({kLabel.stream, 2, 1}, text));
  EXPECT_NE(same, tag({kLabel.stream, 1, 3}, text));
  EXPECT_NE(same, tag(kLabel, Counting(1, 34)));
  EXPECT_NE(same, tag(kLabel, text, 2));
}

// With no data, the tag covers the trailer alone: the same keys at another place give another tag.
TEST(RecordMac, ThePlaceOfThePadIsPartOfTheRecord) {
  class Elsewhere : public PadStream {
   public:
    explicit Elsewhere(std::uint64_t position) : position_(position) {}
    Status Reserve(std::size_t, std::chrono::milliseconds) override { return {}; }
    std::size_t available() const noexcept override { return 100; }
    Piece Next(std::size_t) noexcept override { return {{}, position_}; }
    void Use(std::size_t) noexcept override {}
    void Xor(ByteSpan, MutableByteSpan out) noexcept override {
      std::fill(out.begin(), out.end(), std::uint8_t{7});
    }
    void Account() noexcept override {}
    const PadEpoch& epoch() const noexcept override { return epoch_; }

   private:
    std::uint64_t position_;
    PadEpoch epoch_{};
  };
  std::vector<OneTimeMacTag> tags;
  for (const std::uint64_t position : {0u, 0u, 1u}) {
    Elsewhere pad(position);
    RecordMac mac(kLabel);
    ASSERT_TRUE(mac.Start(pad));
    tags.push_back(mac.Finish().value());
  }
  EXPECT_EQ(tags[0], tags[1]);
  EXPECT_NE(tags[0], tags[2]);
}

}  // namespace
}  // namespace ssn::provider
