// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/config.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>

#include "qkdn/proxy/config_reader.h"
#include "qkdn/proxy/this_host.h"

namespace ssn::qkdn::proxy {
namespace {

constexpr std::uint64_t kMinCapacity = std::uint64_t{64} << 10;
constexpr std::uint64_t kMaxCapacity = std::uint64_t{64} << 30;
constexpr std::uint64_t kMinMemory = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxMemory = std::uint64_t{1} << 40;
constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxIdBytes = 256;

std::int64_t LookUpUser(const std::string& name) {
  const passwd* entry = getpwnam(name.c_str());
  return entry == nullptr ? -1 : static_cast<std::int64_t>(entry->pw_uid);
}

std::int64_t LookUpGroup(const std::string& name) {
  const group* entry = getgrnam(name.c_str());
  return entry == nullptr ? -1 : static_cast<std::int64_t>(entry->gr_gid);
}

std::string HostOfUrl(const std::string& url) {
  constexpr std::string_view kScheme = "https://";
  std::string rest = url.substr(kScheme.size());
  rest = rest.substr(0, rest.find('/'));
  if (rest.starts_with('[')) return rest.substr(1, rest.find(']') - 1);
  return rest.substr(0, rest.find(':'));
}

void ReadKme(const toml::table& table, const std::string& folder, Config& config, Status& status) {
  ConfigReader reader(table, "kme.", status);
  config.kme_url = reader.Text("url", 512);
  if (reader.ok() && !config.kme_url.starts_with("https://"))
    reader.Fail("url", "does not begin with https://");
  config.kme_id = reader.Text("id", kMaxIdBytes);
  config.kme_tls.ca = reader.Path("ca", folder);
  config.kme_tls.certificate = reader.Path("certificate", folder);
  config.kme_tls.key = reader.Path("key", folder);
  reader.Finish();
  if (!reader.ok() || IsThisHost(HostOfUrl(config.kme_url))) return;
  config.warnings.push_back(
      fmt::format("kme.url={} is not known to be this host: on the way from there keys are protected by TLS "
                  "alone, which is not "
                  "information-theoretic; the KME belongs into the trusted node (X.1712, SReq.5)",
                  config.kme_url));
}

void ReadPeersTls(const toml::table& table, const std::string& folder, Config& config, Status& status) {
  ConfigReader reader(table, "peers_tls.", status);
  config.peers_tls.ca = reader.Path("ca", folder);
  config.peers_tls.crl = reader.Path("crl", folder, "");
  config.peers_tls.certificate = reader.Path("certificate", folder);
  config.peers_tls.key = reader.Path("key", folder);
  config.peers_listen = reader.Address("listen", true);
  reader.Finish();
  if (reader.ok() && config.peers_tls.crl.empty())
    config.warnings.emplace_back("peers_tls.crl is missing: revoked certificates are accepted");
}

void ReadLocal(const toml::table& table, const std::string& folder, Config& config, Status& status) {
  ConfigReader reader(table, "local.", status);
  config.socket = reader.Path("socket", folder);
  if (config.socket.size() > 107) reader.Fail("socket", "gives a path longer than 107 bytes");
  config.allow_users = reader.Ids("allow_users", LookUpUser, "user");
  config.allow_groups = reader.Ids("allow_groups", LookUpGroup, "group");
  reader.Finish();
}

void ReadMetrics(const toml::table& table, Config& config, Status& status) {
  ConfigReader reader(table, "metrics.", status);
  const HostPort listen = reader.Address("listen", true);
  if (reader.ok() && !IsLoopback(listen.host)) reader.Fail("listen", "is not a loopback address");
  reader.Finish();
  config.metrics_listen = listen;
}

void ReadMemory(const toml::table& table, Config& config, Status& status) {
  ConfigReader reader(table, "memory.", status);
  const std::string lock = reader.Text("lock", 16, "require");
  if (reader.ok() && lock != "require" && lock != "try")
    reader.Fail("lock", "is neither \"require\" nor \"try\"");
  config.require_lock = lock != "try";
  config.max_memory = reader.Size("max", kMinMemory, kMaxMemory, "1GiB");
  reader.Finish();
}

void ReadReservoir(const toml::table& table, Config& config, Status& status) {
  ConfigReader reader(table, "reservoir.", status);
  config.capacity = reader.Size("capacity", kMinCapacity, kMaxCapacity, "16MiB");
  const unsigned low = reader.Percent("low", 1, 99, "50%");
  const unsigned high = reader.Percent("high", 2, 95, "90%");
  if (reader.ok() && low >= high) reader.Fail("low", fmt::format("is not below reservoir.high, {}%", high));
  config.low = config.capacity / 100 * low;
  config.high = config.capacity / 100 * high;
  const std::string most = std::to_string(config.low);
  config.reserve = reader.Size("reserve", 0, config.low, config.low < (256 << 10) ? most.c_str() : "256KiB");
  reader.Finish();
}

void ReadPeers(ConfigReader& root, Config& config, Status& status) {
  const std::vector<const toml::table*> sections = root.Sections("peer");
  if (sections.size() > kMaxPeers)
    status = Status::InvalidArgument(fmt::format("{} peers are more than {}", sections.size(), kMaxPeers));
  std::set<NodeId> ids{config.id};
  std::set<std::string> names{config.name};
  std::set<std::string> sae_ids;
  for (std::size_t i = 0; i < sections.size() && status.ok(); ++i) {
    ConfigReader reader(*sections[i], fmt::format("peer[{}].", i), status);
    Config::Peer peer;
    peer.id = static_cast<NodeId>(reader.Integer("id", 0, std::numeric_limits<NodeId>::max()));
    peer.name = reader.Text("name", north::kMaxNameBytes);
    peer.address = reader.Address("address", false);
    peer.sae_id = reader.Text("sae_id", kMaxIdBytes);
    reader.Finish();
    if (!reader.ok()) return;
    if (!ids.insert(peer.id).second) return reader.Fail("id", "is the id of another node, or of this one");
    if (!names.insert(peer.name).second)
      return reader.Fail("name", "is the name of another node, or of this one");
    if (!sae_ids.insert(peer.sae_id).second) return reader.Fail("sae_id", "is the SAE of another peer");
    config.peers.push_back(std::move(peer));
  }
}

void CheckMemory(Config& config, Status& status) {
  if (!status.ok()) return;
  constexpr std::uint64_t kLeastForWindows = std::uint64_t{1} << 20;
  const std::uint64_t reservoirs = config.reservoir_memory();
  if (reservoirs + kLeastForWindows > config.max_memory)
    status = Status::InvalidArgument(
        fmt::format("memory.max={} does not hold the reservoirs, 2 x reservoir.capacity={} x {} peers = {} "
                    "bytes, and 1MiB of windows",
                    config.max_memory, config.capacity, config.peers.size(), reservoirs));
}

}  // namespace

std::string ToString(const HostPort& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

LinkSettings Config::Link(const Peer& peer) const {
  LinkSettings settings;
  settings.self = id;
  settings.peer = peer.id;
  settings.capacity = capacity;
  settings.low = low;
  settings.high = high;
  settings.reserve = reserve;
  // Both are memory beside the reservoirs.
  settings.max_unopened =
      static_cast<std::size_t>(std::clamp<std::uint64_t>(capacity / 4 / kFirstGrantBytes, 256, 1024));
  settings.max_envelope_bytes =
      std::min(settings.max_envelope_bytes, std::max(capacity / 4, kMaxEnvelopePadBytes));
  return settings;
}

etsi014::KmeClient::Options Config::Kme() const {
  etsi014::KmeClient::Options options;
  options.url = kme_url;
  options.kme_id = kme_id;
  options.ca_file = kme_tls.ca;
  options.certificate_file = kme_tls.certificate;
  options.key_file = kme_tls.key;
  return options;
}

Result<Config> ParseConfig(std::string_view text, const std::string& folder) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Status::InvalidArgument(
        fmt::format("line {}: not TOML: {}", error.source().begin.line, error.description()));
  }
  Config config;
  Status status;
  ConfigReader root(table, "", status);
  config.id = static_cast<NodeId>(root.Integer("id", 0, std::numeric_limits<NodeId>::max()));
  config.name = root.Text("name", north::kMaxNameBytes);
  const toml::table none;
  const auto section = [&](const char* key, bool required) {
    const toml::table* found = root.Section(key, required);
    return found == nullptr ? &none : found;
  };
  const toml::table* kme = section("kme", true);
  const toml::table* peers_tls = section("peers_tls", true);
  const toml::table* local = section("local", true);
  const toml::table* audit = section("audit", true);
  const toml::table* metrics = section("metrics", false);
  if (status.ok()) {
    ReadKme(*kme, folder, config, status);
    ReadPeersTls(*peers_tls, folder, config, status);
    ReadLocal(*local, folder, config, status);
    if (metrics != &none) ReadMetrics(*metrics, config, status);
    ConfigReader audit_reader(*audit, "audit.", status);
    config.audit_file = audit_reader.Path("file", folder);
    audit_reader.Finish();
    ReadMemory(*section("memory", false), config, status);
    ReadReservoir(*section("reservoir", false), config, status);
    ReadPeers(root, config, status);
    root.Finish();
    CheckMemory(config, status);
  }
  if (!status.ok()) return status;
  return config;
}

Result<Config> ReadConfig(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in) return Status::InvalidArgument(fmt::format("{}: cannot be read", file));
  if (text.size() > kMaxConfigBytes)
    return Status::InvalidArgument(fmt::format("{}: longer than {} bytes", file, kMaxConfigBytes));
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(file, error);
  Result<Config> config = ParseConfig(text, absolute.parent_path().string());
  if (!config.ok()) return Status::InvalidArgument(fmt::format("{}: {}", file, config.status().message()));
  return config;
}

}  // namespace ssn::qkdn::proxy
