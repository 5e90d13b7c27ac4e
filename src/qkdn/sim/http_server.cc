// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/http_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <mutex>
#include <set>

#include "qkdn/sim/tls_files.h"

namespace ssn::qkdn::sim {
namespace {

constexpr std::size_t kRequestsOfAConnection = 1'000'000;
constexpr std::time_t kIdleSeconds = 15;
constexpr std::time_t kTransferSeconds = 5;

// The library's own choice is SO_REUSEPORT, with which two programs could share an address unnoticed.
void SetSocketOptions(int socket) {
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

// The TLS connections that are open. The library waits for idle ones to end by themselves; Stop must not.
// OpenSSL tells of the end of a connection before its socket is closed, so no number here is stale.
class HttpServer::Connections {
 public:
  void Watch(SSL_CTX* context) {
    SSL_CTX_set_ex_data(context, ContextIndex(), this);
    SSL_CTX_set_info_callback(context, [](const SSL* connection, int where, int) {
      if ((where & SSL_CB_HANDSHAKE_START) == 0 || SSL_get_ex_data(connection, ConnectionIndex()) != nullptr)
        return;
      auto* self =
          static_cast<Connections*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), ContextIndex()));
      self->Add(const_cast<SSL*>(connection));
    });
  }

  void ShutDownAll() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }

 private:
  struct Entry {
    Connections* owner;
    int socket;
  };

  static int ContextIndex() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
  }

  static int ConnectionIndex() {
    static const int index = SSL_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* entry, CRYPTO_EX_DATA*, int, long, void*) {
          const std::unique_ptr<Entry> owned(static_cast<Entry*>(entry));
          if (owned) owned->owner->Remove(owned->socket);
        });
    return index;
  }

  void Add(SSL* connection) {
    auto entry = std::make_unique<Entry>(Entry{this, SSL_get_fd(connection)});
    const std::lock_guard lock(mutex_);
    sockets_.insert(entry->socket);
    if (closed_) shutdown(entry->socket, SHUT_RDWR);
    SSL_set_ex_data(connection, ConnectionIndex(), entry.release());
  }

  void Remove(int socket) {
    const std::lock_guard lock(mutex_);
    sockets_.erase(socket);
  }

  std::mutex mutex_;
  std::set<int> sockets_;
  bool closed_ = false;
};

HttpServer::HttpServer() : connections_(std::make_unique<Connections>()) {}

HttpServer::~HttpServer() { Stop(); }

void HttpServer::SetUp(const Limits& limits) {
  server_->new_task_queue = [threads = limits.threads] { return new httplib::ThreadPool(threads); };
  server_->set_payload_max_length(limits.body_bytes);
  server_->set_keep_alive_max_count(kRequestsOfAConnection);
  server_->set_keep_alive_timeout(kIdleSeconds);
  server_->set_read_timeout(kTransferSeconds);
  server_->set_write_timeout(kTransferSeconds);
  server_->set_tcp_nodelay(true);
  server_->set_socket_options(SetSocketOptions);
  // Whatever a library throws ends one request, not the program.
  server_->set_exception_handler([](const httplib::Request&, httplib::Response& response,
                                    const std::exception_ptr&) { response.status = 500; });
}

Result<std::unique_ptr<HttpServer>> HttpServer::MakeTls(const TlsFiles& files, const Limits& limits) {
  std::unique_ptr<HttpServer> made(new HttpServer);
  Status status;
  made->server_ = std::make_unique<httplib::SSLServer>([&](SSL_CTX& context) {
    status = UseTlsFiles(&context, files);
    SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // No resumption: every connection shows its certificate, and the revocation list is asked about it.
    SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
    made->connections_->Watch(&context);
    return status.ok();
  });
  if (!status.ok()) return status;
  if (!made->server_->is_valid()) return Status::Unavailable("OpenSSL made no context");
  made->SetUp(limits);
  return made;
}

std::unique_ptr<HttpServer> HttpServer::MakePlain(const Limits& limits) {
  std::unique_ptr<HttpServer> made(new HttpServer);
  made->server_ = std::make_unique<httplib::Server>();
  made->SetUp(limits);
  made->server_->set_keep_alive_max_count(1);  // nobody knows these connections, so none is kept
  return made;
}

Status HttpServer::Bind(const Address& address) {
  errno = 0;
  int port = address.port;
  const bool bound = port == 0 ? (port = server_->bind_to_any_port(address.host)) > 0
                               : server_->bind_to_port(address.host, port);
  if (!bound)
    return Status::Unavailable(
        fmt::format("listen=\"{}:{}\": {}", address.host, address.port, std::strerror(errno)));
  port_ = static_cast<std::uint16_t>(port);
  return {};
}

void HttpServer::Start() {
  listener_ = std::thread([this] { server_->listen_after_bind(); });
  while (!server_->is_running()) std::this_thread::yield();  // Stop before that would be lost
}

void HttpServer::Stop() {
  if (!listener_.joinable()) return;
  server_->stop();
  connections_->ShutDownAll();
  listener_.join();
}

std::string HttpServer::ClientName(const httplib::Request& request) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(request.ssl),
                                                                X509_free);
  return certificate ? CommonName(certificate.get()) : std::string();
}

}  // namespace ssn::qkdn::sim
