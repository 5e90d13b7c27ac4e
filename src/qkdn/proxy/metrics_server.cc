// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/metrics_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <utility>

namespace ssn::qkdn::proxy {

MetricsServer::MetricsServer(std::function<std::optional<std::string>()> take) : take_(std::move(take)) {}

MetricsServer::~MetricsServer() { Stop(); }

Status MetricsServer::Start(const HostPort& address) {
  server_ = std::make_unique<httplib::Server>();
  server_->new_task_queue = [] { return new httplib::ThreadPool(2); };
  server_->set_keep_alive_max_count(1);
  server_->set_read_timeout(1);
  server_->set_write_timeout(1);
  server_->set_payload_max_length(1024);
  server_->Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    const std::optional<std::string> text = take_();
    if (!text) {
      response.status = 503;
      return;
    }
    response.set_content(*text, "text/plain; version=0.0.4");
  });
  int port = address.port;
  const bool bound = port == 0 ? (port = server_->bind_to_any_port(address.host.c_str())) > 0
                               : server_->bind_to_port(address.host.c_str(), port);
  if (!bound)
    return Status::Unavailable(fmt::format("metrics.listen={}: the address is in use", ToString(address)));
  port_ = static_cast<std::uint16_t>(port);
  thread_ = std::thread([this] { server_->listen_after_bind(); });
  // stop() does nothing to a server that does not run yet.
  while (!server_->is_running()) std::this_thread::yield();
  return {};
}

void MetricsServer::Stop() {
  if (!thread_.joinable()) return;
  server_->stop();
  thread_.join();
}

}  // namespace ssn::qkdn::proxy
