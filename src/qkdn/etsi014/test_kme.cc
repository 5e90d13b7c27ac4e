// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/etsi014/test_kme.h"

#include <httplib.h>

#include <cstdio>
#include <mutex>
#include <thread>

namespace ssn::qkdn::etsi014 {
namespace {

constexpr std::size_t kThreads = 4;

// A server of TLS 1.1 needs the security level that still allows SHA-1 signatures.
bool LimitToTls11(SSL_CTX* context) {
  return SSL_CTX_set_min_proto_version(context, TLS1_1_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0") == 1;
}

std::string CommonName(const SSL* connection) {
  X509* const certificate = SSL_get1_peer_certificate(connection);
  if (certificate == nullptr) return {};
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  X509_free(certificate);
  return name;
}

}  // namespace

class TestKme::Server {
 public:
  Server(const Options& options, Handler handler)
      : handler_(std::move(handler)),
        server_(options.certificate_file.c_str(), options.key_file.c_str(), options.client_ca_file.c_str()) {
    if (!server_.is_valid() || (options.only_tls_1_1 && !LimitToTls11(server_.ssl_context())))
      Fail("the TLS context is not valid");
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_keep_alive_max_count(1000);
    server_.set_keep_alive_timeout(options.keep_alive_seconds);
    // Head and body are written one after the other: without this the body waits for the client's delayed
    // ACK.
    server_.set_tcp_nodelay(true);
    const auto answer = [this](const httplib::Request& request, httplib::Response& response) {
      Answer(request, response);
    };
    server_.Get(".*", answer);
    server_.Post(".*", answer);
    port_ = options.port;
    if (port_ == 0)
      port_ = server_.bind_to_any_port("127.0.0.1");
    else if (!server_.bind_to_port("127.0.0.1", port_))
      port_ = 0;
    if (port_ <= 0) Fail("no port to listen on");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() does nothing to a server that is not yet running.
    while (!server_.is_running()) std::this_thread::yield();
  }

  ~Server() {
    server_.stop();
    thread_.join();
  }

  int port() const { return port_; }

  std::vector<TestRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  [[noreturn]] static void Fail(const char* what) {
    std::fprintf(stderr, "test KME: %s\n", what);
    std::abort();
  }

  void Answer(const httplib::Request& request, httplib::Response& response) {
    const TestRequest seen{
        request.method,          request.target,     request.body, request.get_header_value("Content-Type"),
        CommonName(request.ssl), request.remote_port};
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(seen);
    }
    const TestReply reply = handler_(seen);
    response.status = reply.status;
    if (reply.close) response.set_header("Connection", "close");
    if (!reply.location.empty()) response.set_header("Location", reply.location);
    if (reply.lose_at_the_end == 0) {
      response.set_content(reply.body, reply.content_type.c_str());
      return;
    }
    const auto send = [reply](std::size_t offset, std::size_t, httplib::DataSink& sink) {
      const std::size_t sent = reply.body.size() - reply.lose_at_the_end;
      return offset == 0 && sink.write(reply.body.data(), sent) && false;
    };
    response.set_content_provider(reply.body.size(), reply.content_type.c_str(), send);
  }

  const Handler handler_;
  httplib::SSLServer server_;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<TestRequest> requests_;
};

TestKme::TestKme(const Options& options, Handler handler)
    : server_(std::make_unique<Server>(options, std::move(handler))) {}

TestKme::~TestKme() = default;

std::string TestKme::url() const { return "https://127.0.0.1:" + std::to_string(port()); }

int TestKme::port() const { return server_->port(); }

std::vector<TestRequest> TestKme::requests() const { return server_->requests(); }

}  // namespace ssn::qkdn::etsi014
