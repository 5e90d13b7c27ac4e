// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/aes_gcm.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <climits>

namespace ssn::provider {

AesGcmLibrary::~AesGcmLibrary() {
  EVP_CIPHER_free(cipher_.load());
  OSSL_LIB_CTX_free(context_);
}

// At first use: while the configuration is being read the default provider may not be there yet.
const EVP_CIPHER* AesGcmLibrary::cipher() {
  EVP_CIPHER* known = cipher_.load(std::memory_order_acquire);
  if (known != nullptr || context_ == nullptr) return known;
  EVP_CIPHER* const fetched = EVP_CIPHER_fetch(context_, "AES-128-GCM", "provider=default");
  if (fetched == nullptr || cipher_.compare_exchange_strong(known, fetched)) return fetched;
  EVP_CIPHER_free(fetched);
  return known;
}

AesGcm::AesGcm(AesGcmLibrary& library) : context_(EVP_CIPHER_CTX_new()) {
  const EVP_CIPHER* const cipher = library.cipher();
  if (context_ == nullptr || cipher == nullptr ||
      EVP_CipherInit_ex2(context_.get(), cipher, nullptr, nullptr, 1, nullptr) != 1)
    context_.reset();
}

int AesGcm::Init(bool encrypt, const std::uint8_t* key, const std::uint8_t* iv, const OSSL_PARAM* params) {
  return EVP_CipherInit_ex2(context_.get(), nullptr, key, iv, encrypt ? 1 : 0, params);
}

int AesGcm::Update(std::uint8_t* out, std::size_t* written, const std::uint8_t* in, std::size_t bytes) {
  int count = 0;
  if (bytes > INT_MAX || EVP_CipherUpdate(context_.get(), out, &count, in, static_cast<int>(bytes)) != 1)
    return 0;
  *written = static_cast<std::size_t>(count);
  return 1;
}

int AesGcm::Final(std::uint8_t* out, std::size_t* written, std::size_t room) {
  std::uint8_t nowhere[EVP_MAX_BLOCK_LENGTH];
  int count = 0;
  const bool fits = out != nullptr && room >= sizeof nowhere;  // GCM writes nothing here
  if (EVP_CipherFinal_ex(context_.get(), fits ? out : nowhere, &count) != 1) return 0;
  *written = static_cast<std::size_t>(count);
  return 1;
}

int AesGcm::OneShot(std::uint8_t* out, std::size_t* written, const std::uint8_t* in, std::size_t bytes) {
  if (bytes > INT_MAX) return 0;
  const int count = EVP_Cipher(context_.get(), out, in, static_cast<unsigned>(bytes));
  if (count < 0) return 0;
  *written = static_cast<std::size_t>(count);
  return 1;
}

int AesGcm::GetTag(MutableByteSpan tag) {
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()), OSSL_PARAM_END};
  return GetParams(params);
}

int AesGcm::SetTag(ByteSpan tag) {
  OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
                                                           const_cast<std::uint8_t*>(tag.data()), tag.size()),
                         OSSL_PARAM_END};
  return SetParams(params);
}

std::unique_ptr<AesGcm> AesGcm::Copy() const {
  std::unique_ptr<AesGcm> copy(new AesGcm);
  copy->context_.reset(EVP_CIPHER_CTX_new());
  if (copy->context_ == nullptr || EVP_CIPHER_CTX_copy(copy->context_.get(), context_.get()) != 1)
    return nullptr;
  return copy;
}

}  // namespace ssn::provider
