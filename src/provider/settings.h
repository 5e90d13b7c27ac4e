// SPDX-License-Identifier: LGPL-2.1-or-later
// settings.h - the provider's section of openssl.cnf.
//
// Errors:    a value that is none is as if it were left out: OpenSSL passes over a provider that refuses to
//            load in silence, and the daemon would run on without any pad.
// Spec:      ossl-ssnotp(7).

#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ssn/pad_client.h"

namespace ssn::provider {

struct Settings {
  PadClient::Options client;
  std::chrono::milliseconds wait{2000};
};

// ReadSettings asks `value` for each key of the section. `arguments` are those of the process: they tell its
// name.
Settings ReadSettings(const std::function<std::optional<std::string>(const char* key)>& value,
                      const std::vector<std::string>& arguments);

}  // namespace ssn::provider
