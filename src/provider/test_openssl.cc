// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/test_openssl.h"

#include <gtest/gtest.h>
#include <openssl/conf.h>
#include <openssl/provider.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace ssn::provider {
namespace {

std::string Configuration(const std::string& socket, const std::string& more_settings) {
  return "openssl_conf = init\n[init]\nproviders = providers\nalg_section = algorithms\n"
         "[providers]\ndefault = default_section\nssnotp = ssnotp_section\n"
         "[default_section]\nactivate = 1\n"
         "[ssnotp_section]\nmodule = " SSN_PROVIDER_MODULE "\nactivate = 1\nsocket = " +
         socket + "\n" + more_settings + "\n[algorithms]\ndefault_properties = ?provider=ssnotp\n";
}

Key KeyOf(std::uint8_t number) {
  Key key{};
  key[0] = number;
  key[15] = 0xCE;
  return key;
}

// A fixed part, and a counter that begins anywhere.
Iv IvOf(std::uint8_t number, std::uint8_t side) { return {side, number, 2, 3, 250, 255, 1}; }

}  // namespace

TestOpenssl::TestOpenssl(const std::string& socket, const std::string& more_settings)
    : library_(OSSL_LIB_CTX_new()) {
  if (!socket.empty()) {
    const std::string file = testing::TempDir() + "openssl-" + std::to_string(getpid()) + ".cnf";
    std::ofstream(file) << Configuration(socket, more_settings);
    EXPECT_EQ(1, OSSL_LIB_CTX_load_config(library_, file.c_str()));
    std::remove(file.c_str());
  }
  cipher_ = EVP_CIPHER_fetch(library_, "AES-128-GCM", nullptr);
  EXPECT_NE(nullptr, cipher_);
}

TestOpenssl::~TestOpenssl() {
  EVP_CIPHER_free(cipher_);
  OSSL_LIB_CTX_free(library_);
}

std::string TestOpenssl::provider_name() const {
  return OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(cipher_));
}

thread_local bool in_call_of_ceph = false;

namespace {

template <typename Call>
int InCall(Call call) {
  in_call_of_ceph = true;
  const int result = call();
  in_call_of_ceph = false;
  return result;
}

}  // namespace

CephHalf::CephHalf(const TestOpenssl& openssl, bool transmit, const Key& key, const Iv& first_iv)
    : context_(EVP_CIPHER_CTX_new()), iv_(first_iv) {
  EXPECT_EQ(1, EVP_CipherInit_ex(context_.get(), openssl.aes_128_gcm(), nullptr, nullptr, nullptr, transmit));
  EXPECT_EQ(16, EVP_CIPHER_CTX_get_key_length(context_.get()));
  EXPECT_EQ(1, EVP_CipherInit_ex(context_.get(), nullptr, nullptr, key.data(), nullptr, transmit));
}

// In place, as Ceph decrypts.
Bytes CephHalf::Run(Bytes data, const std::vector<std::size_t>& pieces) {
  EXPECT_EQ(12, EVP_CIPHER_CTX_get_iv_length(context_.get()));
  EXPECT_EQ(1, InCall([&] {
              return EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, iv_.data(), -1);
            }));
  for (std::size_t i = 4; i < iv_.size() && ++iv_[i] == 0; ++i) {
  }
  std::size_t done = 0;
  for (std::size_t i = 0; done < data.size(); ++i) {
    const std::size_t size = std::min(i < pieces.size() ? pieces[i] : data.size(), data.size() - done);
    int written = 0;
    EXPECT_EQ(1, InCall([&] {
                return EVP_CipherUpdate(context_.get(), data.data() + done, &written, data.data() + done,
                                        static_cast<int>(size));
              }));
    EXPECT_EQ(static_cast<int>(size), written);
    done += size;
  }
  return data;
}

Record CephHalf::Seal(const Bytes& plaintext, const std::vector<std::size_t>& pieces) {
  Record record{Run(plaintext, pieces), {}};
  std::uint8_t nowhere = 0;
  int written = 0;
  EXPECT_EQ(1, InCall([&] { return EVP_EncryptFinal_ex(context_.get(), &nowhere, &written); }));
  EXPECT_EQ(0, written);
  EXPECT_EQ(1, EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_GET_TAG, 16, record.tag.data()));
  return record;
}

std::optional<Bytes> CephHalf::Open(const Record& record, const std::vector<std::size_t>& pieces) {
  const Bytes plaintext = Run(record.ciphertext, pieces);
  Tag tag = record.tag;
  EXPECT_EQ(1, EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_SET_TAG, 16, tag.data()));
  int written = 0;
  if (InCall([&] { return EVP_DecryptFinal_ex(context_.get(), nullptr, &written); }) != 1)
    return std::nullopt;
  EXPECT_EQ(0, written);
  return plaintext;
}

CephSession::CephSession(const TestOpenssl& a, const TestOpenssl& b, std::uint8_t number)
    : key(KeyOf(number)),
      from_a(IvOf(number, 0xA)),
      from_b(IvOf(number, 0xB)),
      a_rx(a, false, key, from_b),
      a_tx(a, true, key, from_a),
      b_rx(b, false, key, from_a),
      b_tx(b, true, key, from_b) {}

bool CephSession::Greet() {
  const Bytes signature = FrameRecords({32})[0];
  const Record a = a_tx.Seal(signature), b = b_tx.Seal(signature);
  const bool at_b = b_rx.Open(a) == signature, at_a = a_rx.Open(b) == signature;
  return at_a && at_b;
}

bool CephSession::Talk(const std::vector<std::uint32_t>& segments) {
  for (const Bytes& record : FrameRecords(segments)) {
    if (b_rx.Open(a_tx.Seal(record)) != record) return false;
    if (a_rx.Open(b_tx.Seal(record)) != record) return false;
  }
  return true;
}

}  // namespace ssn::provider
