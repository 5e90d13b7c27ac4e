// SPDX-License-Identifier: LGPL-2.1-or-later
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>

#include "random/sources.h"

namespace ssn::random {
namespace {

constexpr unsigned kStrengthBits = 256;
constexpr std::size_t kMaxRequest = 1 << 16;  // SP 800-90A, table 3: 2^19 bits a request

struct ContextDeleter {
  void operator()(EVP_RAND_CTX* context) const noexcept { EVP_RAND_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_RAND_CTX, ContextDeleter>;

std::string OpenSslReason() {
  char text[256] = "no reason given";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

// A generator without a parent takes its seed, and every later one, from the operating system.
Context Instantiate() {
  EVP_RAND* algorithm = EVP_RAND_fetch(nullptr, "CTR-DRBG", nullptr);
  if (algorithm == nullptr) return nullptr;
  Context context(EVP_RAND_CTX_new(algorithm, nullptr));
  EVP_RAND_free(algorithm);  // the context holds a reference
  if (context == nullptr) return nullptr;
  char cipher[] = "AES-256-CTR";
  int derivation_function = 1;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_CIPHER, cipher, 0),
      OSSL_PARAM_construct_int(OSSL_DRBG_PARAM_USE_DF, &derivation_function),
      OSSL_PARAM_construct_end(),
  };
  if (EVP_RAND_instantiate(context.get(), kStrengthBits, 0, nullptr, 0, params) != 1) return nullptr;
  return context;
}

class Drbg final : public RandomSource {
 public:
  // OpenSSL reseeds by itself: after its number of requests, its hour, and in the child of a fork.
  Status Fill(MutableByteSpan out) override {
    thread_local Context context;
    if (context == nullptr) context = Instantiate();
    if (context == nullptr) return Status::Unavailable("CTR-DRBG: " + OpenSslReason());
    while (!out.empty()) {
      const std::size_t request = std::min(out.size(), kMaxRequest);
      if (EVP_RAND_generate(context.get(), out.data(), request, kStrengthBits, 0, nullptr, 0) != 1) {
        context.reset();
        return Status::Unavailable("CTR-DRBG: " + OpenSslReason());
      }
      out = out.subspan(request);
    }
    return {};
  }
};

}  // namespace

std::shared_ptr<RandomSource> MakeDrbg() { return std::make_shared<Drbg>(); }

}  // namespace ssn::random
