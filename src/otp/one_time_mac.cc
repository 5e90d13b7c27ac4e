// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/one_time_mac.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <string>

namespace ssn {
namespace {

struct ContextDeleter {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MAC_CTX, ContextDeleter>;

Context MakeContext() {
  EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "POLY1305", nullptr);
  if (algorithm == nullptr) return nullptr;
  Context context(EVP_MAC_CTX_new(algorithm));
  EVP_MAC_free(algorithm);  // the context holds a reference
  return context;
}

Status Failure(const char* step) {
  char text[256] = "no reason given";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return Status::Unavailable(std::string("POLY1305: ") + step + ": " + text);
}

}  // namespace

Result<OneTimeMacTag> OneTimeMac(ByteSpan key, std::initializer_list<ByteSpan> parts) {
  if (key.size() != kOneTimeMacKeyBytes)
    return Status::InvalidArgument("one-time MAC: key of " + std::to_string(key.size()) + " bytes, needs 32");
  // One context for each thread: fetching costs more than a short message does. The last step of Poly1305
  // wipes the key out of it; after a failure it is dropped, and freeing wipes it too.
  thread_local Context context;
  if (context == nullptr) context = MakeContext();
  if (context == nullptr) return Failure("fetch");
  Context used = std::move(context);
  if (EVP_MAC_init(used.get(), key.data(), key.size(), nullptr) != 1) return Failure("init");
  for (const ByteSpan part : parts)
    if (!part.empty() && EVP_MAC_update(used.get(), part.data(), part.size()) != 1) return Failure("update");
  OneTimeMacTag tag;
  std::size_t written = 0;
  if (EVP_MAC_final(used.get(), tag.data(), &written, tag.size()) != 1 || written != tag.size())
    return Failure("final");
  context = std::move(used);
  return tag;
}

bool VerifyOneTimeMac(ByteSpan key, std::initializer_list<ByteSpan> parts, ByteSpan tag) {
  if (tag.size() != kOneTimeMacTagBytes) return false;
  const Result<OneTimeMacTag> expected = OneTimeMac(key, parts);
  return expected.ok() && CRYPTO_memcmp(expected.value().data(), tag.data(), tag.size()) == 0;
}

}  // namespace ssn
