// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/config.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "qkdn/sim/toml_reader.h"
#include "qkdn/sim/units.h"

namespace ssn::qkdn::sim {
namespace {

constexpr std::uint64_t kMostKeyBits = std::uint64_t{8} << 23;        // 8 MiB
constexpr std::uint64_t kMostRequestBytes = std::uint64_t{64} << 20;  // held in memory several times over
constexpr std::uint64_t kLeastBuffer = 4096;
constexpr std::uint64_t kMostStore = std::uint64_t{1} << 40;
constexpr std::size_t kMostNodes = 256;
constexpr std::size_t kMostNameBytes = 64;

bool IsName(const std::string& text) {
  constexpr const char* kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !text.empty() && text.size() <= kMostNameBytes &&
         text.find_first_not_of(kAllowed) == std::string::npos;
}

std::string Name(TomlReader& reader, const std::string& key) {
  std::string name = reader.Text(key);
  if (reader.ok() && !IsName(name))
    reader.Fail(
        fmt::format("{}=\"{}\" is not 1..{} of letters, digits, '-', '_', '.'", key, name, kMostNameBytes));
  return name;
}

std::string Path(const std::string& text, const std::string& folder) {
  return (std::filesystem::path(folder) / text).string();
}

std::uint64_t Bits(TomlReader& reader, const std::string& key, std::uint64_t fallback, std::uint64_t least,
                   std::uint64_t most) {
  const std::uint64_t bits = reader.Number(key, fallback, least, most);
  if (bits % 8 != 0) reader.Fail(fmt::format("{}={} is not a multiple of 8 bits", key, bits));
  return bits;
}

void ReadLimits(TomlReader& reader, NodeConfig& node) {
  node.max_key_size_bits = Bits(reader, "max_key_size", node.max_key_size_bits, 8, kMostKeyBits);
  node.min_key_size_bits =
      Bits(reader, "min_key_size", std::min(node.min_key_size_bits, node.max_key_size_bits), 8,
           node.max_key_size_bits);
  node.key_size_bits =
      Bits(reader, "key_size", node.key_size_bits, node.min_key_size_bits, node.max_key_size_bits);
  node.max_key_per_request = reader.Number("max_key_per_request", node.max_key_per_request, 1, 100000);
  node.max_sae_id_count = reader.Number("max_sae_id_count", 0, 0, kMostNodes);
  node.store_bytes = reader.Parsed<std::uint64_t>("store", node.store_bytes, ParseBytes);
  node.key_lifetime_s = reader.Parsed<double>("key_lifetime", node.key_lifetime_s, ParseSeconds);
  if (!reader.ok()) return;
  const std::uint64_t request = node.max_key_per_request * (node.max_key_size_bits / 8);
  const std::uint64_t most = std::min(kMostRequestBytes, node.store_bytes);
  if (node.store_bytes > kMostStore)
    reader.Fail(fmt::format("store={} bytes is outside 1B..{}", node.store_bytes, kMostStore));
  else if (request > most)
    reader.Fail(fmt::format("max_key_per_request={} keys of max_key_size={} bits are {} bytes, more than {}",
                            node.max_key_per_request, node.max_key_size_bits, request,
                            most == node.store_bytes ? "the store holds" : "the 64 MiB of one request"));
}

NodeConfig ReadNode(const toml::table& table, const std::string& where, const std::string& folder,
                    Status& status) {
  TomlReader reader(table, where, status);
  NodeConfig node;
  node.name = Name(reader, "name");
  node.kme_id = Name(reader, "kme_id");
  node.sae_ids = reader.Texts("sae_ids");
  for (const std::string& sae : node.sae_ids) {
    if (!IsName(sae))
      reader.Fail(
          fmt::format("sae_ids: \"{}\" is not 1..{} of letters, digits, '-', '_', '.'", sae, kMostNameBytes));
  }
  if (reader.ok() && node.sae_ids.empty()) reader.Fail("sae_ids=[] names no SAE");
  node.listen = reader.Parsed<Address>("listen", std::nullopt, ParseAddress);
  if (table.contains("kx_listen"))
    node.kx_listen = reader.Parsed<Address>("kx_listen", std::nullopt, ParseAddress);
  ReadLimits(reader, node);
  node.ca_file = Path(reader.Text("ca"), folder);
  if (const auto crl = reader.OptionalText("crl")) node.crl_file = Path(*crl, folder);
  node.certificate_file = Path(reader.Text("certificate"), folder);
  node.key_file = Path(reader.Text("key"), folder);
  reader.Finish();
  return node;
}

LinkConfig ReadLink(const toml::table& table, const std::string& where, Status& status) {
  TomlReader reader(table, where, status);
  LinkConfig link;
  const std::vector<std::string> ends = reader.Texts("ends");
  if (ends.size() == 2) {
    link.ends = {ends[0], ends[1]};
    link.name = ends[0] + "-" + ends[1];
  } else {
    reader.Fail(fmt::format("ends holds {} names; a link has two ends", ends.size()));
  }
  link.rate_bits_per_s = reader.Parsed<std::uint64_t>("rate", std::nullopt, ParseRate);
  link.buffer_bytes = reader.Parsed<std::uint64_t>("buffer", link.buffer_bytes, ParseBytes);
  if (link.buffer_bytes < kLeastBuffer || link.buffer_bytes > kMostStore)
    reader.Fail(
        fmt::format("buffer={} bytes is outside {}..{}", link.buffer_bytes, kLeastBuffer, kMostStore));
  Schedule& schedule = link.schedule;
  schedule.outages = reader.Windows("outages");
  const double last = schedule.outages.empty() ? 0 : schedule.outages.back().second;
  schedule.outage_period = reader.Real("outage_period", 0, 0, 1e9);
  if (schedule.outage_period > 0 && schedule.outage_period < last)
    reader.Fail(
        fmt::format("outage_period={} ends before the last window, {}", schedule.outage_period, last));
  schedule.error_probability = reader.Real("error_probability", 0, 0, 1);
  schedule.error_duration = reader.Real("error_duration", 1, 0.001, 1e6);
  schedule.seed = std::hash<std::string>()(link.name);
  reader.Finish();
  return link;
}

Status CheckUnique(const Config& config) {
  std::set<std::string> names, kmes, saes, addresses;
  const auto twice = [](const std::string& key, const std::string& value) {
    return Status::InvalidArgument(fmt::format("{}=\"{}\" is used twice", key, value));
  };
  for (const NodeConfig& node : config.nodes) {
    if (!names.insert(node.name).second) return twice("node.name", node.name);
    if (!kmes.insert(node.kme_id).second) return twice("node.kme_id", node.kme_id);
    for (const std::string& sae : node.sae_ids) {
      if (!saes.insert(sae).second) return twice("node.sae_ids", sae);
    }
    for (const Address& address : {node.listen, node.kx_listen.value_or(Address{})}) {
      if (address.port == 0) continue;
      const std::string text = fmt::format("{}:{}", address.host, address.port);
      if (!addresses.insert(text).second) return twice("node.listen", text);
    }
  }
  return {};
}

Status CheckLinks(const Config& config) {
  std::set<std::set<std::string>> pairs;
  for (const LinkConfig& link : config.links) {
    for (const std::string& end : link.ends) {
      if (config.FindNode(end) == nullptr)
        return Status::InvalidArgument(fmt::format("link.ends=\"{}\" is not the name of a node", end));
    }
    if (link.ends[0] == link.ends[1])
      return Status::InvalidArgument(
          fmt::format("link.ends=[\"{0}\", \"{0}\"] joins a node to itself", link.ends[0]));
    if (!pairs.insert({link.ends[0], link.ends[1]}).second)
      return Status::InvalidArgument(fmt::format("link \"{}\" is there twice", link.name));
  }
  return {};
}

void ReadTables(const toml::table& root, const std::string& key, Status& status, auto read) {
  const toml::node* node = root.get(key);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
    if (status.ok()) status = Status::InvalidArgument(key + " must be written as [[" + key + "]] tables");
    return;
  }
  for (std::size_t i = 0; i < array->size() && status.ok(); ++i)
    read(*array->get(i)->as_table(), fmt::format("{}[{}]", key, i));
}

Status Check(const Config& config) {
  if (config.nodes.empty()) return Status::InvalidArgument("there is no [[node]]");
  if (config.nodes.size() > kMostNodes)
    return Status::InvalidArgument(fmt::format("{} nodes are more than {}", config.nodes.size(), kMostNodes));
  if (!IsLoopback(config.manager))
    return Status::InvalidArgument(
        fmt::format("manager.listen=\"{}:{}\" is not a loopback address: whoever reaches "
                    "it can inject faults",
                    config.manager.host, config.manager.port));
  if (Status status = CheckUnique(config); !status.ok()) return status;
  return CheckLinks(config);
}

Result<Config> ReadConfig(const toml::table& root, const std::string& folder) {
  Config config;
  Status status;
  TomlReader top(root, "", status);
  for (const auto& [key, value] : root) {
    if (key != "manager" && key != "node" && key != "link")
      top.Fail(fmt::format("{}: there is no such key", key.str()));
  }
  const toml::table* manager = root["manager"].as_table();
  if (manager == nullptr) {
    top.Fail("manager.listen is missing");
  } else {
    TomlReader reader(*manager, "manager", status);
    config.manager = reader.Parsed<Address>("listen", std::nullopt, ParseAddress);
    reader.Finish();
  }
  ReadTables(root, "node", status, [&](const toml::table& table, const std::string& where) {
    config.nodes.push_back(ReadNode(table, where, folder, status));
  });
  ReadTables(root, "link", status, [&](const toml::table& table, const std::string& where) {
    config.links.push_back(ReadLink(table, where, status));
  });
  if (status.ok()) status = Check(config);
  if (!status.ok()) return status;
  return config;
}

}  // namespace

Result<Address> ParseAddress(const std::string& text) {
  const Status wrong =
      Status::InvalidArgument("an address is IPV4:PORT or [IPV6]:PORT with a port in 0..65535");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong;
  Address address;
  address.host = text.substr(0, colon);
  const bool bracketed = address.host.front() == '[' && address.host.back() == ']';
  if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  in6_addr parsed;
  if (inet_pton(bracketed ? AF_INET6 : AF_INET, address.host.c_str(), &parsed) != 1) return wrong;
  const char* end_of_text = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + colon + 1, end_of_text, address.port);
  if (error != std::errc() || end != end_of_text) return wrong;
  return address;
}

bool IsLoopback(const Address& address) { return address.host == "::1" || address.host.starts_with("127."); }

const NodeConfig* Config::FindNode(const std::string& name) const {
  const auto found = std::ranges::find(nodes, name, &NodeConfig::name);
  return found == nodes.end() ? nullptr : &*found;
}

const NodeConfig* Config::FindNodeOfSae(const std::string& sae_id) const {
  const auto found = std::ranges::find_if(nodes, [&](const NodeConfig& node) {
    return std::ranges::find(node.sae_ids, sae_id) != node.sae_ids.end();
  });
  return found == nodes.end() ? nullptr : &*found;
}

Result<Config> ParseConfig(const std::string& text, const std::string& folder) {
  try {
    return ReadConfig(toml::parse(text), folder);
  } catch (const toml::parse_error& error) {
    const toml::source_position& at = error.source().begin;
    return Status::InvalidArgument(
        fmt::format("line {}, column {}: {}", at.line, at.column, error.description()));
  }
}

Result<Config> LoadConfig(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Status::InvalidArgument(path + " cannot be read");
  Result<Config> config = ParseConfig(text.str(), std::filesystem::path(path).parent_path().string());
  if (!config.ok()) return Status::InvalidArgument(path + ": " + config.status().message());
  return config;
}

}  // namespace ssn::qkdn::sim
