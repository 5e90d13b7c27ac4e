// SPDX-License-Identifier: LGPL-2.1-or-later
// The built provider as everybody but msgr2 uses AES-128-GCM: what comes out is what the default provider
// gives.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <functional>
#include <numeric>

#include "provider/test_openssl.h"

namespace ssn::provider {
namespace {

class CipherTest : public testing::Test {
 protected:
  qkdn::client::FakeProxy pad{{.name = "cipher", .node = 1}};
  TestOpenssl ours{pad.path()}, plain{""};
  Key key{1, 2, 3};
  Iv iv{9, 8, 7};

  void TearDown() override { EXPECT_EQ(0u, pad.connected()) << "pad was asked for"; }
};

Bytes Text(std::size_t size) {
  Bytes text(size);
  std::iota(text.begin(), text.end(), std::uint8_t{1});
  return text;
}

ContextPtr Begin(const TestOpenssl& openssl, int encrypt) {
  ContextPtr context(EVP_CIPHER_CTX_new());
  EXPECT_EQ(1, EVP_CipherInit_ex(context.get(), openssl.aes_128_gcm(), nullptr, nullptr, nullptr, encrypt));
  return context;
}

Bytes Update(EVP_CIPHER_CTX* context, const Bytes& in) {
  Bytes out(in.size() + 16);
  int written = 0;
  EXPECT_EQ(1, EVP_CipherUpdate(context, out.data(), &written, in.data(), static_cast<int>(in.size())));
  out.resize(static_cast<std::size_t>(written));
  return out;
}

bool Finish(EVP_CIPHER_CTX* context) {
  std::uint8_t nowhere[16];
  int written = 0;
  return EVP_CipherFinal_ex(context, nowhere, &written) == 1 && written == 0;
}

Tag GetTag(EVP_CIPHER_CTX* context) {
  Tag tag{};
  EXPECT_EQ(1, EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.data()));
  return tag;
}

// Runs the same story on both and compares all that comes out of it.
using Story = std::function<std::vector<Bytes>(const TestOpenssl&)>;
void ExpectSame(const TestOpenssl& ours, const TestOpenssl& plain, const Story& story) {
  const std::vector<Bytes> expected = story(plain);
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(expected, story(ours));
}

TEST_F(CipherTest, IsDescribedAsTheDefaultIs) {
  for (const auto get : {EVP_CIPHER_get_nid, EVP_CIPHER_get_block_size, EVP_CIPHER_get_key_length,
                         EVP_CIPHER_get_iv_length, EVP_CIPHER_get_mode})
    EXPECT_EQ(get(plain.aes_128_gcm()), get(ours.aes_128_gcm()));
  EXPECT_EQ(EVP_CIPHER_get_flags(plain.aes_128_gcm()), EVP_CIPHER_get_flags(ours.aes_128_gcm()));
}

TEST_F(CipherTest, KeyAndIvTogetherIsPlainGcmBothWays) {
  ExpectSame(ours, plain, [&](const TestOpenssl& openssl) {
    const ContextPtr seal = Begin(openssl, 1);
    EXPECT_EQ(1, EVP_CipherInit_ex(seal.get(), nullptr, nullptr, key.data(), iv.data(), 1));
    std::vector<Bytes> all{Update(seal.get(), Text(80)), Update(seal.get(), Text(1000))};
    EXPECT_TRUE(Finish(seal.get()));
    Tag tag = GetTag(seal.get());
    all.emplace_back(tag.begin(), tag.end());
    const ContextPtr open = Begin(openssl, 0);
    EXPECT_EQ(1, EVP_CipherInit_ex(open.get(), nullptr, nullptr, key.data(), iv.data(), 0));
    EXPECT_EQ(1, EVP_CIPHER_CTX_ctrl(open.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data()));
    all.push_back(Update(open.get(), all[0]));
    all.push_back(Update(open.get(), all[1]));
    EXPECT_TRUE(Finish(open.get()));
    EXPECT_EQ(Text(80), all[3]);
    return all;
  });
}

TEST_F(CipherTest, AssociatedDataIsPlainGcm) {
  ExpectSame(ours, plain, [&](const TestOpenssl& openssl) {
    const ContextPtr seal = Begin(openssl, 1);
    const Bytes header = Text(5);
    std::vector<Bytes> all;
    EXPECT_EQ(1, EVP_CipherInit_ex(seal.get(), nullptr, nullptr, key.data(), nullptr, 1));
    for (std::uint8_t record = 0; record < 3; ++record) {
      iv[0] = record;
      EXPECT_EQ(1, EVP_CipherInit_ex(seal.get(), nullptr, nullptr, nullptr, iv.data(), 1));
      int written = 0;
      EXPECT_EQ(1, EVP_CipherUpdate(seal.get(), nullptr, &written, header.data(), 5));
      all.push_back(Update(seal.get(), FrameRecords({32})[0]));
      EXPECT_TRUE(Finish(seal.get()));
      const Tag tag = GetTag(seal.get());
      all.emplace_back(tag.begin(), tag.end());
    }
    return all;
  });
}

TEST_F(CipherTest, AnIvOfAnotherLengthIsPlainGcm) {
  ExpectSame(ours, plain, [&](const TestOpenssl& openssl) {
    const ContextPtr seal = Begin(openssl, 1);
    EXPECT_EQ(1, EVP_CIPHER_CTX_ctrl(seal.get(), EVP_CTRL_AEAD_SET_IVLEN, 16, nullptr));
    EXPECT_EQ(16, EVP_CIPHER_CTX_get_iv_length(seal.get()));
    EXPECT_EQ(1, EVP_CipherInit_ex(seal.get(), nullptr, nullptr, key.data(), nullptr, 1));
    EXPECT_EQ(1, EVP_CipherInit_ex(seal.get(), nullptr, nullptr, nullptr, Text(16).data(), 1));
    std::vector<Bytes> all{Update(seal.get(), FrameRecords({32})[0])};
    EXPECT_TRUE(Finish(seal.get()));
    const Tag tag = GetTag(seal.get());
    all.emplace_back(tag.begin(), tag.end());
    return all;
  });
}

// Called as msgr2 calls, but for other data.
TEST_F(CipherTest, WhatIsNoFrameIsPlainGcmBothWays) {
  for (const std::size_t size : {0u, 1u, 31u, 32u, 79u, 80u, 81u, 1000u}) {
    SCOPED_TRACE(size);
    ExpectSame(ours, plain, [&](const TestOpenssl& openssl) {
      CephHalf seal(openssl, true, key, iv), open(openssl, false, key, iv);
      std::vector<Bytes> all;
      for (int i = 0; i < 3; ++i) {
        const Record record = seal.Seal(Text(size), {1, 2});
        EXPECT_EQ(Text(size), open.Open(record, {2, 1}));
        all.push_back(record.ciphertext);
        all.emplace_back(record.tag.begin(), record.tag.end());
      }
      Record wrong = seal.Seal(Text(size));
      wrong.tag[15] ^= 1;
      EXPECT_FALSE(open.Open(wrong).has_value());
      return all;
    });
  }
}

TEST_F(CipherTest, OneShotIsPlainGcm) {
  ExpectSame(ours, plain, [&](const TestOpenssl& openssl) {
    const ContextPtr seal = Begin(openssl, 1);
    EXPECT_EQ(1, EVP_CipherInit_ex(seal.get(), nullptr, nullptr, key.data(), nullptr, 1));
    EXPECT_EQ(1, EVP_CipherInit_ex(seal.get(), nullptr, nullptr, nullptr, iv.data(), 1));
    const Bytes text = FrameRecords({32})[0];
    Bytes out(text.size());
    EXPECT_EQ(80, EVP_Cipher(seal.get(), out.data(), text.data(), 80));
    return std::vector<Bytes>{out};
  });
}

// Keys again and again in one context, as a program does that reuses it.
TEST_F(CipherTest, ContextsAreReusedWithOtherKeys) {
  ExpectSame(ours, plain, [&](const TestOpenssl& openssl) {
    const ContextPtr seal = Begin(openssl, 1);
    std::vector<Bytes> all;
    for (std::uint8_t i = 0; i < 3; ++i) {
      key[0] = i;
      EXPECT_EQ(1, EVP_CipherInit_ex(seal.get(), nullptr, nullptr, key.data(), nullptr, 1));
      EXPECT_EQ(1, EVP_CipherInit_ex(seal.get(), nullptr, nullptr, nullptr, iv.data(), 1));
      all.push_back(Update(seal.get(), Text(80)));
      EXPECT_TRUE(Finish(seal.get()));
      const Tag tag = GetTag(seal.get());
      all.emplace_back(tag.begin(), tag.end());
    }
    return all;
  });
}

TEST_F(CipherTest, ASessionIsNotCopied) {
  const ContextPtr half = Begin(ours, 1);
  EXPECT_EQ(1, EVP_CipherInit_ex(half.get(), nullptr, nullptr, key.data(), nullptr, 1));
  const ContextPtr copy(EVP_CIPHER_CTX_new());
  EXPECT_EQ(0, EVP_CIPHER_CTX_copy(copy.get(), half.get()));
}

}  // namespace
}  // namespace ssn::provider
