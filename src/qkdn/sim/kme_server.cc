// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/kme_server.h"

#include <httplib.h>

namespace ssn::qkdn::sim {
namespace {

constexpr const char* kStatusUrl = "/api/v1/keys/([^/]+)/status";
constexpr const char* kEncUrl = "/api/v1/keys/([^/]+)/enc_keys";
constexpr const char* kDecUrl = "/api/v1/keys/([^/]+)/dec_keys";
constexpr std::size_t kThreads = 8;  // beside those of the node's SAEs
constexpr std::size_t kThreadsOfASae = 8;
constexpr std::size_t kBodyBytes = 64 << 10;   // extensions and names
constexpr std::size_t kBodyBytesOfAKey = 128;  // an id with its braces, twice over

// The library takes the text from here, so that it makes no copy of its own; the last holder wipes.
void Send(KmeAnswer answer, httplib::Response& response) {
  response.status = answer.status;
  if (answer.body.text().empty()) return;
  const auto body = std::make_shared<SecretText>(std::move(answer.body));
  response.set_content_provider(body->text().size(), "application/json",
                                [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                                  return sink.write(body->text().data() + offset, length);
                                });
}

}  // namespace

Result<std::unique_ptr<HttpServer>> MakeKmeServer(const NodeConfig& node, KmeApi& api) {
  HttpServer::Limits limits;
  limits.threads = kThreads + kThreadsOfASae * node.sae_ids.size();
  limits.body_bytes = kBodyBytes + kBodyBytesOfAKey * node.max_key_per_request;
  Result<std::unique_ptr<HttpServer>> made = HttpServer::MakeTls(TlsFiles::Of(node), limits);
  if (!made.ok()) return made;
  httplib::Server& routes = made.value()->routes();
  routes.Get(kStatusUrl, [&api](const httplib::Request& request, httplib::Response& response) {
    Send(api.GetStatus(HttpServer::ClientName(request), request.matches[1]), response);
  });
  routes.Get(kEncUrl, [&api](const httplib::Request& request, httplib::Response& response) {
    Send(api.GetKey(HttpServer::ClientName(request), request.matches[1], request.params), response);
  });
  routes.Post(kEncUrl, [&api](const httplib::Request& request, httplib::Response& response) {
    Send(api.PostGetKey(HttpServer::ClientName(request), request.matches[1], request.body), response);
  });
  routes.Get(kDecUrl, [&api](const httplib::Request& request, httplib::Response& response) {
    Send(api.GetKeyWithIds(HttpServer::ClientName(request), request.matches[1], request.params), response);
  });
  routes.Post(kDecUrl, [&api](const httplib::Request& request, httplib::Response& response) {
    Send(api.PostGetKeyWithIds(HttpServer::ClientName(request), request.matches[1], request.body), response);
  });
  return made;
}

}  // namespace ssn::qkdn::sim
