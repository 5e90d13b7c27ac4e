// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/status_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace ssn::qkdn::proxy {
namespace {

using nlohmann::ordered_json;

ordered_json ToJson(const PairSnapshot& pair) {
  ordered_json json{{"held", pair.held()},
                    {"reservoir", pair.agreed},
                    {"fetched", pair.fetched},
                    {"granted", pair.granted},
                    {"used", pair.used},
                    {"burnt", pair.burnt_total()},
                    {"rate_in", std::llround(pair.rate_in)},
                    {"rate_use", std::llround(pair.rate_use)},
                    {"seconds_to_dry", nullptr}};
  const double loss = pair.rate_use - pair.rate_in;
  if (loss >= 1) json["seconds_to_dry"] = std::llround(static_cast<double>(pair.agreed) / loss);
  return json;
}

ordered_json ToJson(const LinkSnapshot& link) {
  return {{"peer", link.peer},       {"name", link.name},     {"state", link.up ? "up" : "down"},
          {"waiting", link.waiting}, {"tx", ToJson(link.tx)}, {"rx", ToJson(link.rx)}};
}

ordered_json ToJson(const ProgramPeerSnapshot& peer) {
  return {{"peer", peer.peer},
          {"name", peer.name},
          {"sessions", peer.sessions},
          {"tx_used", peer.tx_used},
          {"rx_used", peer.rx_used}};
}

ordered_json ToJson(const ProgramSnapshot& program) {
  ordered_json peers = ordered_json::array();
  for (const ProgramPeerSnapshot& peer : program.peers) peers.push_back(ToJson(peer));
  return {{"name", program.name},       {"pid", program.pid},           {"uid", program.uid},
          {"streams", program.streams}, {"attached", program.attached}, {"peers", std::move(peers)}};
}

// Adds what fits into `room` and says how many did not.
template <typename Items>
std::size_t AddWhatFits(const Items& items, ordered_json& list, std::size_t& room) {
  list = ordered_json::array();
  for (const auto& item : items) {
    ordered_json json = ToJson(item);
    const std::size_t bytes = json.dump(-1, ' ', true).size() + 1;
    if (bytes > room) break;
    room -= bytes;
    list.push_back(std::move(json));
  }
  return items.size() - list.size();
}

}  // namespace

std::string FormatStatus(const Snapshot& snapshot, std::size_t max_bytes) {
  constexpr std::size_t kFrame = 512;  // everything but the two lists
  std::size_t room = max_bytes > kFrame ? max_bytes - kFrame : 0;
  ordered_json json{{"node", snapshot.node}, {"name", snapshot.name}, {"capacity", snapshot.capacity},
                    {"low", snapshot.low},   {"high", snapshot.high}, {"reserve", snapshot.reserve}};
  json["links_left_out"] = AddWhatFits(snapshot.links, json["links"], room);
  json["programs_left_out"] = AddWhatFits(snapshot.programs, json["programs"], room);
  return json.dump(-1, ' ', true);
}

}  // namespace ssn::qkdn::proxy
