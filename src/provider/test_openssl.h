// SPDX-License-Identifier: LGPL-2.1-or-later
// test_openssl.h - the built ssnotp.so in library contexts of its own, each a trusted node, and the calls of
// OpenSSL that Ceph makes.
//
// Threads:   one.

#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "provider/test_frames.h"
#include "qkdn/client/fake_proxy.h"

namespace ssn::provider {

using Key = std::array<std::uint8_t, 16>;
using Iv = std::array<std::uint8_t, 12>;
using Tag = std::array<std::uint8_t, 16>;

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

// OpenSSL as a process configured for the provider has it; without a socket, as any other.
class TestOpenssl {
 public:
  explicit TestOpenssl(const std::string& socket, const std::string& more_settings = "");
  ~TestOpenssl();
  TestOpenssl(const TestOpenssl&) = delete;
  TestOpenssl& operator=(const TestOpenssl&) = delete;

  const EVP_CIPHER* aes_128_gcm() const { return cipher_; }
  std::string provider_name() const;

 private:
  OSSL_LIB_CTX* library_;
  EVP_CIPHER* cipher_ = nullptr;
};

// True while this thread is in a call that CephHalf makes.
extern thread_local bool in_call_of_ceph;

struct Record {
  Bytes ciphertext;
  Tag tag{};
};

// One direction at one end, by the calls of Ceph's crypto_onwire.cc; each call that must not fail is a
// failure of the test.
class CephHalf {
 public:
  CephHalf(const TestOpenssl& openssl, bool transmit, const Key& key, const Iv& first_iv);

  // `pieces`: sizes of the buffers it comes in; the rest is the last one.
  Record Seal(const Bytes& plaintext, const std::vector<std::size_t>& pieces = {});
  // Nothing: rejected.
  std::optional<Bytes> Open(const Record& record, const std::vector<std::size_t>& pieces = {});

 private:
  Bytes Run(Bytes data, const std::vector<std::size_t>& pieces);

  ContextPtr context_;
  Iv iv_;
};

// Both directions of a session between two ends, as far as record 0.
struct CephSession {
  CephSession(const TestOpenssl& a, const TestOpenssl& b, std::uint8_t number = 1);
  // Record 0 each way. True if both ends accept.
  bool Greet();
  // A frame each way, and what arrived is what was sent.
  bool Talk(const std::vector<std::uint32_t>& segments = {41, 100, 0, 5000});

  Key key;
  Iv from_a, from_b;
  CephHalf a_rx, a_tx, b_rx, b_tx;
};

}  // namespace ssn::provider
