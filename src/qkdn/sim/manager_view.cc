// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/manager_view.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "qkdn/sim/units.h"

namespace ssn::qkdn::sim {

const char* const kSimulationNotice =
    "SIMULATION: there is no quantum key distribution here; keys are only as good as the kernel's random "
    "generator";

namespace {

using nlohmann::json;

class Metrics {
 public:
  void Family(const char* name, const char* type, const char* help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP qkdn_sim_{0} {1}\n# TYPE qkdn_sim_{0} {2}\n", name,
                   help, type);
  }
  void Value(const std::string& labels, std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "qkdn_sim_{}{{{}}} {}\n", name_, labels, value);
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
  const char* name_ = "";
};

void LinkMetrics(const Network& network, Metrics& metrics) {
  const auto each = [&](const char* name, const char* type, const char* help, auto value) {
    metrics.Family(name, type, help);
    for (const auto& link : network.links())
      metrics.Value(fmt::format("link=\"{}\"", link->config().name), value(*link));
  };
  each("link_up", "gauge", "1 when the link works.",
       [](const QkdLink& link) { return std::uint64_t{link.up()}; });
  each("link_rate_bits_per_second", "gauge", "The configured rate; 0: unlimited.", [](const QkdLink& link) {
    return link.config().rate_bits_per_s == kUnlimited ? 0 : link.config().rate_bits_per_s;
  });
  each("link_produced_bytes_total", "counter", "Secret bytes supplied to both ends.",
       [](const QkdLink& link) { return link.counters().produced_bytes.load(); });
  each("link_discarded_bytes_total", "counter", "Bytes discarded in error bursts.",
       [](const QkdLink& link) { return link.counters().discarded_bytes.load(); });
  each("link_consumed_bytes_total", "counter", "Link key sent under by ends of this process.",
       [](const QkdLink& link) { return link.counters().consumed_bytes.load(); });
  each("link_rejected_messages_total", "counter", "Messages whose one-time MAC was wrong.",
       [](const QkdLink& link) { return link.counters().rejected_messages.load(); });
  each("link_restarts_total", "counter", "Times the ends lost step and dropped their key.",
       [](const QkdLink& link) { return link.counters().restarts.load(); });
  metrics.Family("link_stored_bytes", "gauge", "Link key held, by the end that sends under it.");
  for (const auto& link : network.links()) {
    for (const int end : {0, 1})
      metrics.Value(fmt::format("link=\"{}\",from=\"{}\"", link->config().name,
                                link->config().ends[static_cast<std::size_t>(end)]),
                    link->Stored(end));
  }
}

void NodeMetrics(const Network& network, Metrics& metrics) {
  const auto pairs = [&](const char* name, const char* type, const char* help, auto value) {
    metrics.Family(name, type, help);
    for (const auto& node : network.nodes()) {
      for (const KeyStore::Count& count : node->store().Counts())
        metrics.Value(fmt::format("node=\"{}\",master=\"{}\",slave=\"{}\"", node->config().name,
                                  count.master_sae_id, count.slave_sae_id),
                      value(count));
    }
  };
  pairs("keys_stored", "gauge", "Keys that wait for the slave SAE.",
        [](const KeyStore::Count& count) { return count.stored_keys; });
  pairs("keys_delivered_total", "counter", "Keys fetched by the slave SAE.",
        [](const KeyStore::Count& count) { return count.delivered_keys; });
  pairs("keys_expired_total", "counter", "Keys nobody fetched in time.",
        [](const KeyStore::Count& count) { return count.expired_keys; });
  const auto supplied = [&](const char* name, const char* help, auto value) {
    metrics.Family(name, "counter", help);
    for (const auto& node : network.nodes()) {
      for (const auto& [pair, count] : node->supplied())
        metrics.Value(fmt::format("node=\"{}\",master=\"{}\",slave=\"{}\"", node->config().name, pair.first,
                                  pair.second),
                      value(count));
    }
  };
  supplied("keys_supplied_total", "Keys given to the master SAE.",
           [](const Node::Supplied& count) { return count.keys; });
  supplied("supplied_bytes_total", "Bytes of these keys.",
           [](const Node::Supplied& count) { return count.bytes; });
  metrics.Family("relayed_messages_total", "counter", "Messages passed on.");
  for (const auto& node : network.nodes())
    metrics.Value(fmt::format("node=\"{}\"", node->config().name), node->relayed_messages());
  metrics.Family("relayed_bytes_total", "counter", "Key bytes passed on.");
  for (const auto& node : network.nodes())
    metrics.Value(fmt::format("node=\"{}\"", node->config().name), node->relayed_bytes());
}

json LinkStatus(const QkdLink& link) {
  const auto& [ends, counters] = std::tie(link.config().ends, link.counters());
  return {{"name", link.config().name},
          {"ends", ends},
          {"up", link.up()},
          {"rate", FormatRate(link.config().rate_bits_per_s)},
          {"stored_bytes", {{ends[0], link.Stored(0)}, {ends[1], link.Stored(1)}}},
          {"produced_bytes", counters.produced_bytes.load()},
          {"discarded_bytes", counters.discarded_bytes.load()},
          {"consumed_bytes", counters.consumed_bytes.load()},
          {"rejected_messages", counters.rejected_messages.load()},
          {"restarts", counters.restarts.load()}};
}

json NodeStatus(Node& node) {
  json pairs = json::array();
  for (const KeyStore::Count& count : node.store().Counts())
    pairs.push_back({{"master_SAE_ID", count.master_sae_id},
                     {"slave_SAE_ID", count.slave_sae_id},
                     {"stored_keys", count.stored_keys},
                     {"delivered_keys", count.delivered_keys},
                     {"expired_keys", count.expired_keys}});
  json supplied = json::array();
  for (const auto& [pair, count] : node.supplied())
    supplied.push_back({{"master_SAE_ID", pair.first},
                        {"slave_SAE_ID", pair.second},
                        {"keys", count.keys},
                        {"bytes", count.bytes}});
  return {{"name", node.config().name},
          {"kme_id", node.config().kme_id},
          {"store", pairs},
          {"supplied", supplied},
          {"relayed_messages", node.relayed_messages()},
          {"relayed_bytes", node.relayed_bytes()}};
}

Status ForceLink(Network& network, const json& request) {
  const std::string name = request.at("link").get<std::string>();
  QkdLink* link = network.FindLink(name);
  if (link == nullptr) return Status::InvalidArgument("link=\"" + name + "\" is not in this process");
  link->ForceUp(request.at("up").get<bool>());
  return {};
}

Status SpoilNode(Network& network, const json& request) {
  const std::string name = request.at("node").get<std::string>();
  Node* node = network.FindNode(name);
  if (node == nullptr) return Status::InvalidArgument("node=\"" + name + "\" is not in this process");
  const json& answer = request.at("answer");
  const Result<Fault> fault =
      answer.is_null() ? Result<Fault>(Fault::kNone) : ParseFault(answer.get<std::string>());
  if (!fault.ok()) return fault.status();
  node->fault().Set(fault.value());
  return {};
}

}  // namespace

std::string FormatMetrics(const Network& network) {
  Metrics metrics;
  metrics.Family("info", "gauge", kSimulationNotice);
  metrics.Value("simulation=\"true\",keys=\"kernel random generator\"", 1);
  LinkMetrics(network, metrics);
  NodeMetrics(network, metrics);
  metrics.Family("reroutes_total", "counter", "Times a pair of nodes got another route than before.");
  metrics.Value("", network.controller().reroutes());
  return std::move(metrics).text();
}

std::string FormatStatus(const Network& network) {
  json status = {{"notice", kSimulationNotice},
                 {"links", json::array()},
                 {"nodes", json::array()},
                 {"reroutes", network.controller().reroutes()}};
  for (const auto& link : network.links()) status["links"].push_back(LinkStatus(*link));
  for (const auto& node : network.nodes()) status["nodes"].push_back(NodeStatus(*node));
  return status.dump(2) + "\n";
}

Status ApplyFault(Network& network, const std::string& text) {
  try {
    const json request = json::parse(text);
    if (request.contains("link")) return ForceLink(network, request);
    if (request.contains("node")) return SpoilNode(network, request);
    return Status::InvalidArgument("a fault names a \"link\" or a \"node\"");
  } catch (const json::exception& error) {
    return Status::InvalidArgument(error.what());
  }
}

}  // namespace ssn::qkdn::sim
