// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/kx_server.h"

#include <httplib.h>

#include <algorithm>
#include <cstring>

#include "qkdn/sim/kx_wire.h"

namespace ssn::qkdn::sim {
namespace {

constexpr std::size_t kThreads = 8;
constexpr std::size_t kThreadsOfANeighbour = 16;  // a relay holds one while it waits for the next hop
constexpr std::size_t kBodyBytes = std::size_t{80} << 20;  // the keys of one request, and their ids

// The neighbour whose certificate the client has; empty if it is none.
std::string Caller(const Node& node, const httplib::Request& request) {
  const std::string kme_id = HttpServer::ClientName(request);
  const auto& nodes = node.network().nodes;
  const auto found = std::ranges::find(nodes, kme_id, &NodeConfig::kme_id);
  return found == nodes.end() || node.LinkTo(found->name) == nullptr ? std::string() : found->name;
}

// Reads a body that may hold key into memory that is wiped.
Result<PooledSecret> ReadFrame(const httplib::Request& request, const httplib::ContentReader& read) {
  std::size_t size = 0;
  try {
    size = request.get_header_value<std::uint64_t>("Content-Length");
  } catch (const std::exception&) {
    return Status::InvalidArgument("Content-Length cannot be read");
  }
  if (size > kBodyBytes)
    return Status::InvalidArgument("Content-Length=" + std::to_string(size) + " is too much");
  PooledSecret frame(size);
  std::size_t filled = 0;
  const bool complete = read([&](const char* data, std::size_t length) {
    if (length > frame.size() - filled) return false;
    std::memcpy(frame.data() + filled, data, length);
    filled += length;
    return true;
  });
  if (!complete || filled != frame.size())
    return Status::InvalidArgument("the body does not have its length");
  return frame;
}

void Send(const Outcome& outcome, httplib::Response& response) {
  response.set_content(FormatOutcome(outcome), "application/json");
}

void Send(const Status& status, httplib::Response& response) {
  Send(status.ok() ? Outcome() : Outcome{Outcome::Kind::kUnavailable, status.message(), ""}, response);
}

void Refuse(int http_status, const std::string& message, httplib::Response& response) {
  response.status = http_status;
  response.set_content(message, "text/plain");
}

void HandleRelay(Node& node, const std::string& caller, ByteSpan frame, httplib::Response& response) {
  Result<RelayMessage> message = ParseRelay(frame);
  if (!message.ok()) return Refuse(400, message.status().message(), response);
  if (message.value().from != caller) return Refuse(400, "from is not the caller", response);
  Send(node.Relay(std::move(message).value()), response);
}

void HandleDeliver(Node& node, const std::string& caller, ByteSpan frame, httplib::Response& response) {
  Result<QkdKey> block = ParseDeliver(frame);
  if (!block.ok()) return Refuse(400, block.status().message(), response);
  QkdLink& link = *node.LinkTo(caller);
  if (block.value().link != link.config().name) return Refuse(400, "link is not ours", response);
  Send(link.OnDeliver(std::move(block).value()), response);
}

void HandleWant(Node& node, const std::string& caller, ByteSpan frame, httplib::Response& response) {
  const Result<WantRequest> want = ParseWant(std::string(frame.begin(), frame.end()));
  if (!want.ok()) return Refuse(400, want.status().message(), response);
  QkdLink& link = *node.LinkTo(caller);
  if (want.value().link != link.config().name) return Refuse(400, "link is not ours", response);
  Send(link.OnWant(want.value().epoch, want.value().size), response);
}

}  // namespace

Result<std::unique_ptr<HttpServer>> MakeKxServer(Node& node, std::function<std::vector<LinkState>()> report) {
  HttpServer::Limits limits;
  limits.threads = kThreads + kThreadsOfANeighbour * node.neighbours();
  limits.body_bytes = kBodyBytes;
  Result<std::unique_ptr<HttpServer>> made = HttpServer::MakeTls(TlsFiles::Of(node.config()), limits);
  if (!made.ok()) return made;
  httplib::Server& routes = made.value()->routes();
  const auto post = [&](const char* path, auto handle) {
    routes.Post(path, [&node, handle](const httplib::Request& request, httplib::Response& response,
                                      const httplib::ContentReader& read) {
      const std::string caller = Caller(node, request);
      if (caller.empty()) return Refuse(401, "no neighbour", response);
      const Result<PooledSecret> frame = ReadFrame(request, read);
      if (!frame.ok()) return Refuse(400, frame.status().message(), response);
      handle(node, caller, frame.value().span(), response);
    });
  };
  post("/kx/v1/relay", HandleRelay);
  post("/kx/v1/deliver", HandleDeliver);
  post("/kx/v1/want", HandleWant);
  routes.Get("/kx/v1/links", [&node, report = std::move(report)](const httplib::Request& request,
                                                                 httplib::Response& response) {
    if (Caller(node, request).empty()) return Refuse(401, "no neighbour", response);
    response.set_content(FormatLinks(report()), "application/json");
  });
  return made;
}

}  // namespace ssn::qkdn::sim
