// SPDX-License-Identifier: LGPL-2.1-or-later
// The provider's entry: ossl-ssnotp(7).
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "provider/cipher.h"
#include "provider/services.h"
#include "provider/settings.h"

namespace ssn::provider {
namespace {

OSSL_FUNC_core_get_params_fn* CoreGetParams(const OSSL_DISPATCH* upcalls) {
  for (; upcalls->function_id != 0; ++upcalls)
    if (upcalls->function_id == OSSL_FUNC_CORE_GET_PARAMS) return OSSL_FUNC_core_get_params(upcalls);
  return nullptr;
}

// The arguments this process was started with.
std::vector<std::string> Arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

Settings ReadSection(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* upcalls) {
  OSSL_FUNC_core_get_params_fn* const get = CoreGetParams(upcalls);
  return ReadSettings(
      [&](const char* key) -> std::optional<std::string> {
        char* text = nullptr;
        OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_ptr(key, &text, 0), OSSL_PARAM_END};
        if (get == nullptr || get(core, params) != 1 || text == nullptr) return std::nullopt;
        return text;
      },
      Arguments());
}

// A client in any case: without one no session of this process would work, or worse, all would be AES.
std::shared_ptr<PadClient> MakeClient(const PadClient::Options& options) {
  auto client = PadClient::Make(options);
  if (!client.ok()) {
    std::fprintf(stderr, "ssnotp: %s\n", client.status().message().c_str());
    client = PadClient::Make({.program = options.program});
  }
  return client.ok() ? client.value() : nullptr;
}

constexpr OSSL_ALGORITHM kCiphers[] = {
    {"AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6", "provider=ssnotp", kCipherFunctions,
     "one-time pad for msgr2 sessions, AES-128-GCM for all else"},
    {nullptr, nullptr, nullptr, nullptr}};

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) {
  *no_cache = 0;
  return operation == OSSL_OP_CIPHER ? kCiphers : nullptr;
}

void Teardown(void* services) { delete static_cast<Services*>(services); }

const OSSL_PARAM* GettableParams(void*) {
  static const OSSL_PARAM params[] = {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
                                      OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, nullptr, 0),
                                      OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr), OSSL_PARAM_END};
  return params;
}

int GetParams(void*, OSSL_PARAM params[]) {
  OSSL_PARAM* const name = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
  OSSL_PARAM* const version = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_VERSION);
  OSSL_PARAM* const status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  return (name == nullptr || OSSL_PARAM_set_utf8_ptr(name, "one-time pad from a QKDN for Ceph's msgr2")) &&
         (version == nullptr || OSSL_PARAM_set_utf8_ptr(version, SSN_VERSION)) &&
         (status == nullptr || OSSL_PARAM_set_int(status, 1));
}

using Function = void (*)();
template <typename F>
Function As(F* function) {
  return reinterpret_cast<Function>(function);
}

const OSSL_DISPATCH kProviderFunctions[] = {
    {OSSL_FUNC_PROVIDER_TEARDOWN, As(Teardown)},
    {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, As(GettableParams)},
    {OSSL_FUNC_PROVIDER_GET_PARAMS, As(GetParams)},
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, As(Query)},
    {0, nullptr},
};

}  // namespace
}  // namespace ssn::provider

extern "C" [[gnu::visibility("default")]] int OSSL_provider_init(const OSSL_CORE_HANDLE* core,
                                                                 const OSSL_DISPATCH* upcalls,
                                                                 const OSSL_DISPATCH** functions,
                                                                 void** provider_context) try {
  using namespace ssn::provider;
  const Settings settings = ReadSection(core, upcalls);
  auto client = MakeClient(settings.client);
  if (client == nullptr) return 0;
  *provider_context =
      std::make_unique<Services>(OSSL_LIB_CTX_new_child(core, upcalls), std::move(client), settings.wait)
          .release();
  *functions = kProviderFunctions;
  return 1;
} catch (...) {
  return 0;
}
