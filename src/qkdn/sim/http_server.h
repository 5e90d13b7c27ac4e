// SPDX-License-Identifier: LGPL-2.1-or-later
// http_server.h - a listening HTTP or HTTPS server: mutual TLS 1.2 or newer, who the client is, a clean end.
//
// Errors:    kInvalidArgument for files, kUnavailable for an address that cannot be bound.
// Ownership: the server owns its threads; Stop (or the destructor) ends them and closes every connection.
// Threads:   Bind, Start and Stop from one thread; handlers run in threads of the server.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "qkdn/sim/config.h"
#include "ssn/status.h"

// httplib.h is included only where routes are set.
namespace httplib {
class Server;
struct Request;
}  // namespace httplib

namespace ssn::qkdn::sim {

struct TlsFiles {
  std::string ca;
  std::string crl;  // empty: none
  std::string certificate;
  std::string key;

  static TlsFiles Of(const NodeConfig& node) {
    return {node.ca_file, node.crl_file, node.certificate_file, node.key_file};
  }
};

class HttpServer {
 public:
  struct Limits {
    std::size_t threads = 4;  // a connection that is kept open holds one
    std::size_t body_bytes = 1 << 20;
  };

  static Result<std::unique_ptr<HttpServer>> MakeTls(const TlsFiles& files, const Limits& limits);
  static std::unique_ptr<HttpServer> MakePlain(const Limits& limits);
  ~HttpServer();

  httplib::Server& routes() { return *server_; }
  Status Bind(const Address& address);
  std::uint16_t port() const { return port_; }
  void Start();
  void Stop();

  // The common name of the client's certificate; empty if there is none, or none that is one clean text.
  static std::string ClientName(const httplib::Request& request);

 private:
  class Connections;

  HttpServer();
  void SetUp(const Limits& limits);

  std::unique_ptr<Connections> connections_;
  std::unique_ptr<httplib::Server> server_;
  std::thread listener_;
  std::uint16_t port_ = 0;
};

}  // namespace ssn::qkdn::sim
