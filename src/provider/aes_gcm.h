// SPDX-License-Identifier: LGPL-2.1-or-later
// aes_gcm.h - the true AES-128-GCM of OpenSSL's default provider, for everything that is not one-time padded.
//
// Errors:    those of OpenSSL: 0, or -1 where its function has that.
// Ownership: a library context that is a child of the application's, so that no fetch of ours comes back to
//            us.
// Threads:   AesGcmLibrary: any number. AesGcm: one at a time.
// Spec:      NIST SP 800-38D; provider-cipher(7).

#pragma once

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "ssn/bytes.h"

namespace ssn::provider {

inline constexpr std::size_t kAesKeyBytes = 16;
inline constexpr std::size_t kIvBytes = 12;
inline constexpr std::size_t kTagBytes = 16;

class AesGcmLibrary {
 public:
  explicit AesGcmLibrary(OSSL_LIB_CTX* context) : context_(context) {}
  ~AesGcmLibrary();
  AesGcmLibrary(const AesGcmLibrary&) = delete;
  AesGcmLibrary& operator=(const AesGcmLibrary&) = delete;

  OSSL_LIB_CTX* context() const noexcept { return context_; }
  // Null if the configuration does not activate the default provider.
  const EVP_CIPHER* cipher();

 private:
  OSSL_LIB_CTX* context_;
  std::atomic<EVP_CIPHER*> cipher_{nullptr};
};

class AesGcm {
 public:
  // ok() is false when there is no such cipher, or no memory.
  explicit AesGcm(AesGcmLibrary& library);
  bool ok() const noexcept { return context_ != nullptr; }

  // As the functions of an OpenSSL cipher; null pointers mean what they mean there.
  int Init(bool encrypt, const std::uint8_t* key, const std::uint8_t* iv, const OSSL_PARAM* params = nullptr);
  int Update(std::uint8_t* out, std::size_t* written, const std::uint8_t* in, std::size_t bytes);
  int Final(std::uint8_t* out, std::size_t* written, std::size_t room);
  int OneShot(std::uint8_t* out, std::size_t* written, const std::uint8_t* in, std::size_t bytes);
  int GetParams(OSSL_PARAM* params) { return EVP_CIPHER_CTX_get_params(context_.get(), params); }
  int SetParams(const OSSL_PARAM* params) { return EVP_CIPHER_CTX_set_params(context_.get(), params); }
  int GetTag(MutableByteSpan tag);
  int SetTag(ByteSpan tag);
  // Copy is null if OpenSSL cannot copy such a context.
  std::unique_ptr<AesGcm> Copy() const;

 private:
  struct Deleter {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
  };
  AesGcm() = default;

  std::unique_ptr<EVP_CIPHER_CTX, Deleter> context_;
};

}  // namespace ssn::provider
