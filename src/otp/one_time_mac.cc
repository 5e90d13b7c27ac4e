// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/one_time_mac.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <string>

namespace ssn {
namespace {

EVP_MAC_CTX* MakeContext() {
  EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "POLY1305", nullptr);
  if (algorithm == nullptr) return nullptr;
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(algorithm);
  EVP_MAC_free(algorithm);  // the context holds a reference
  return context;
}

EVP_MAC_CTX* Get(void* context) { return static_cast<EVP_MAC_CTX*>(context); }

Status Failure(const char* step) {
  char text[256] = "no reason given";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return Status::Unavailable(std::string("POLY1305: ") + step + ": " + text);
}

}  // namespace

OneTimeMacContext::OneTimeMacContext() noexcept = default;
OneTimeMacContext::OneTimeMacContext(OneTimeMacContext&&) noexcept = default;
OneTimeMacContext& OneTimeMacContext::operator=(OneTimeMacContext&&) noexcept = default;
OneTimeMacContext::~OneTimeMacContext() = default;

void OneTimeMacContext::Deleter::operator()(void* context) const noexcept { EVP_MAC_CTX_free(Get(context)); }

Status OneTimeMacContext::Start(ByteSpan key) {
  if (key.size() != kOneTimeMacKeyBytes)
    return Status::InvalidArgument("one-time MAC: key of " + std::to_string(key.size()) + " bytes, needs 32");
  if (context_ == nullptr) context_.reset(MakeContext());
  if (context_ == nullptr) return Failure("fetch");
  if (EVP_MAC_init(Get(context_.get()), key.data(), key.size(), nullptr) == 1) return {};
  context_.reset();
  return Failure("init");
}

Status OneTimeMacContext::Add(ByteSpan part) {
  if (part.empty()) return {};
  if (context_ != nullptr && EVP_MAC_update(Get(context_.get()), part.data(), part.size()) == 1) return {};
  context_.reset();
  return Failure("update");
}

Result<OneTimeMacTag> OneTimeMacContext::Finish() {
  OneTimeMacTag tag;
  std::size_t written = 0;
  // Its last step wipes the key; after a failure freeing does.
  if (context_ != nullptr && EVP_MAC_final(Get(context_.get()), tag.data(), &written, tag.size()) == 1 &&
      written == tag.size())
    return tag;
  context_.reset();
  return Failure("final");
}

Result<OneTimeMacTag> OneTimeMac(ByteSpan key, std::initializer_list<ByteSpan> parts) {
  // One context for each thread: fetching costs more than a short message does.
  thread_local OneTimeMacContext context;
  if (Status status = context.Start(key); !status.ok()) return status;
  for (const ByteSpan part : parts)
    if (Status status = context.Add(part); !status.ok()) return status;
  return context.Finish();
}

bool VerifyOneTimeMac(ByteSpan key, std::initializer_list<ByteSpan> parts, ByteSpan tag) {
  if (tag.size() != kOneTimeMacTagBytes) return false;
  const Result<OneTimeMacTag> expected = OneTimeMac(key, parts);
  return expected.ok() && CRYPTO_memcmp(expected.value().data(), tag.data(), tag.size()) == 0;
}

}  // namespace ssn
