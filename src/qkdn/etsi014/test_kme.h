// SPDX-License-Identifier: LGPL-2.1-or-later
// test_kme.h - an HTTPS server with mutual TLS on a loopback port, that answers as a test wants.
//
// Errors:    what cannot be set up ends the test program with a line on stderr.
// Ownership: the destructor stops the server and joins its threads; a handler that still waits holds it up.
// Threads:   the handler runs in the server's threads, several at once if there are several connections.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ssn::qkdn::etsi014 {

struct TestRequest {
  std::string method;
  std::string path;
  std::string body;
  std::string content_type;
  std::string client_name;  // CN of the client's certificate
  int client_port = 0;      // tells connections apart
};

struct TestReply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::string location;  // header Location, unless empty
  bool close = false;    // Connection: close
  std::size_t lose_at_the_end =
      0;  // as many bytes are announced and not sent before the connection is closed
};

class TestKme {
 public:
  struct Options {
    std::string certificate_file;
    std::string key_file;
    std::string client_ca_file;
    bool only_tls_1_1 = false;
    int port = 0;  // 0: the kernel chooses
    int keep_alive_seconds =
        5;  // how long an idle connection stays open, and so the destructor at most waits
  };
  using Handler = std::function<TestReply(const TestRequest&)>;

  TestKme(const Options& options, Handler handler);
  ~TestKme();

  std::string url() const;
  int port() const;
  std::vector<TestRequest> requests() const;  // so far

 private:
  class Server;
  const std::unique_ptr<Server> server_;
};

}  // namespace ssn::qkdn::etsi014
