// SPDX-License-Identifier: LGPL-2.1-or-later
// metrics_server.h - serves /metrics by HTTP on a loopback port.
//
// Errors:    Start answers kUnavailable with address and reason.
// Threads:   one of its own, and few workers; `take` is called from them. Stop is quick.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "qkdn/proxy/config.h"

namespace httplib {
class Server;
}

namespace ssn::qkdn::proxy {

class MetricsServer {
 public:
  // `take` gives the text; nothing: 503.
  explicit MetricsServer(std::function<std::optional<std::string>()> take);
  ~MetricsServer();

  Status Start(const HostPort& address);
  std::uint16_t port() const noexcept { return port_; }
  void Stop();

 private:
  const std::function<std::optional<std::string>()> take_;
  std::unique_ptr<httplib::Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace ssn::qkdn::proxy
