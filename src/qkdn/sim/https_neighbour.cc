// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/https_neighbour.h"

#include <fmt/format.h>
#include <httplib.h>

#include "qkdn/sim/tls_files.h"

namespace ssn::qkdn::sim {
namespace {

constexpr std::time_t kConnectSeconds = 2;
constexpr std::time_t kAnswerSeconds = 10;
constexpr const char* kFrameType = "application/octet-stream";

ByteSpan Bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

httplib::Result Post(httplib::SSLClient& client, const char* path, ByteSpan body) {
  return client.Post(
      path, body.size(),
      [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        return sink.write(reinterpret_cast<const char*>(body.data()) + offset, length);
      },
      kFrameType);
}

}  // namespace

HttpsNeighbour::HttpsNeighbour(const NodeConfig& self, const NodeConfig& other)
    : files_(TlsFiles::Of(self)),
      name_(other.name),
      kme_id_(other.kme_id),
      address_(other.kx_listen.value_or(Address{})) {}

HttpsNeighbour::~HttpsNeighbour() = default;

Result<HttpsNeighbour::Client> HttpsNeighbour::Connect() {
  auto client = std::make_unique<httplib::SSLClient>(address_.host, address_.port);
  SSL_CTX* context = client->ssl_context();
  if (context == nullptr) return Status::Unavailable("OpenSSL made no context");
  if (Status status = UseTlsFiles(context, files_); !status.ok()) return status;
  // The library checks the address; which KME it is, OpenSSL checks with the chain.
  X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(context), kme_id_.c_str(), 0);
  client->set_ca_cert_path(files_.ca);
  client->set_connection_timeout(kConnectSeconds);
  client->set_read_timeout(kAnswerSeconds);
  client->set_write_timeout(kAnswerSeconds);
  client->set_keep_alive(true);
  client->set_tcp_nodelay(true);
  return client;
}

// What fails is not repeated here, even on a kept connection that the other end may just have closed: it
// could have been carried out, and link key is used once. The caller's caller tries again, with other key.
Result<std::string> HttpsNeighbour::Ask(auto ask) {
  Client client;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      client = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!client) {
    Result<Client> connected = Connect();
    if (!connected.ok()) return connected.status();
    client = std::move(connected).value();
  }
  const httplib::Result answer = ask(*client);
  if (!answer)
    return Status::Unavailable(fmt::format("{} at {}:{} does not answer: {}", name_, address_.host,
                                           address_.port, httplib::to_string(answer.error())));
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(client));
  if (answer->status == 200) return answer->body;
  return Status::InvalidArgument(fmt::format("{} answers with HTTP status {}", name_, answer->status));
}

Outcome HttpsNeighbour::Relay(RelayMessage message) {
  const PooledSecret frame = FormatRelay(message);
  const Result<std::string> text =
      Ask([&](httplib::SSLClient& client) { return Post(client, "/kx/v1/relay", frame.span()); });
  if (!text.ok()) return {Outcome::Kind::kUnavailable, text.status().message(), message.link};
  Result<Outcome> outcome = ParseOutcome(text.value());
  if (!outcome.ok()) return {Outcome::Kind::kUnavailable, outcome.status().message(), message.link};
  return std::move(outcome).value();
}

// The answer to deliver and want is an outcome too.
Status HttpsNeighbour::AskForStatus(const char* path, ByteSpan body) {
  const Result<std::string> text = Ask([&](httplib::SSLClient& client) { return Post(client, path, body); });
  if (!text.ok()) return text.status();
  const Result<Outcome> outcome = ParseOutcome(text.value());
  if (!outcome.ok()) return outcome.status();
  return outcome.value().ok() ? Status() : Status::Unavailable(outcome.value().message);
}

Status HttpsNeighbour::Deliver(const QkdKey& block) {
  return AskForStatus("/kx/v1/deliver", FormatDeliver(block).span());
}

Status HttpsNeighbour::Want(const std::string& link, std::uint64_t epoch, std::uint64_t size) {
  return AskForStatus("/kx/v1/want", Bytes(FormatWant({link, epoch, size})));
}

Result<std::vector<LinkState>> HttpsNeighbour::Links() {
  const Result<std::string> text = Ask([](httplib::SSLClient& client) { return client.Get("/kx/v1/links"); });
  if (!text.ok()) return text.status();
  return ParseLinks(text.value());
}

}  // namespace ssn::qkdn::sim
