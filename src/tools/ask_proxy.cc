// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ask_proxy.h"

#include "ssn/pad_client.h"

namespace ssn::tools {

Result<std::string> AskProxy(const std::string& socket_path, const std::string& program) {
  constexpr std::chrono::milliseconds kWait{5000};
  PadClient::Options options;
  options.socket_path = socket_path;
  options.program = program;
  options.window_bytes = std::size_t{1} << 16;
  const auto client = PadClient::Make(options);
  if (!client.ok()) return client.status();
  return client.value()->ProxyStatus(kWait);
}

}  // namespace ssn::tools
