// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/init.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "pki/certificate_authority.h"
#include "qkdn/sim/config.h"
#include "qkdn/sim/units.h"

namespace ssn::qkdn::sim {
namespace {

constexpr std::uint64_t kMostNodes = 99;  // what the ports leave room for
constexpr std::uint64_t kManagerPort = 99;
constexpr std::uint64_t kPeerPort = 100;
constexpr std::uint64_t kMetricsPort = 200;
constexpr std::uint64_t kKxPort = 300;
constexpr std::uint64_t kPorts = 400;
constexpr int kDays = 3650;
constexpr std::uint64_t kLeastStore = std::uint64_t{64} << 20;
constexpr std::uint64_t kRequestsInAStore = 32;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kProxyWindows = std::uint64_t{16} << 20;
constexpr std::uint64_t kReservePart = 64;  // of a reservoir, kept for small streams
constexpr std::uint64_t kLeastCapacity = std::uint64_t{64} << 10;
constexpr std::uint64_t kMostCapacity = std::uint64_t{64} << 30;

using Links = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

Status MakeLinks(const InitOptions& options, Links& links) {
  const std::uint64_t n = options.nodes;
  const auto& topology = options.topology;
  for (std::uint64_t i = 0; i < n; ++i) {
    if (topology == "full") {
      for (std::uint64_t j = i + 1; j < n; ++j) links.emplace_back(i, j);
    } else if (topology == "ring" || topology == "line") {
      if (i + 1 < n) links.emplace_back(i, i + 1);
      if (topology == "ring" && i + 1 == n && n > 2) links.emplace_back(i, 0);
    } else if (topology == "star") {
      if (i > 0) links.emplace_back(0, i);
    } else {
      return Status::InvalidArgument("topology=\"" + topology + "\" is not one of full, ring, line, star");
    }
  }
  return {};
}

std::string NodeName(std::uint64_t i) { return fmt::format("node-{}", i); }

std::string At(const InitOptions& options, std::uint64_t port) {
  return fmt::format("{}:{}", options.address, options.base_port + port);
}

// What shows or changes the state of a node is for programs of that node alone.
std::string AtLoopback(const InitOptions& options, std::uint64_t port) {
  const std::string address = options.address.starts_with("127.") ? options.address : "127.0.0.1";
  return fmt::format("{}:{}", address, options.base_port + port);
}

std::string SimToml(const InitOptions& options, const Links& links) {
  const std::uint64_t request = options.keys_per_request * options.max_key_size_bits / 8;
  const std::uint64_t store = std::max(kLeastStore, (kRequestsInAStore * request >> 20) << 20);
  std::string text = fmt::format(
      "# A simulated quantum key distribution network: see qkdn-sim(1). Its keys are only as good as the "
      "kernel's\n"
      "# random generator.\n[manager]\nlisten = \"{}\"\n",
      AtLoopback(options, kManagerPort));
  for (std::uint64_t i = 0; i < options.nodes; ++i) {
    text += fmt::format(
        "\n[[node]]\nname = \"{0}\"\nkme_id = \"kme-{0}\"\nsae_ids = [\"{0}\"]\nlisten = \"{1}\"\n"
        "kx_listen = \"{2}\"    # used with --node only\n"
        "key_size = {3}    # bits\nmin_key_size = {4}\nmax_key_size = {5}\nmax_key_per_request = {6}\n"
        "max_sae_id_count = {7}\nstore = \"{8}\"    # of keys not fetched yet, for each pair of SAEs\n"
        "key_lifetime = \"1h\"\nca = \"ca.crt\"\ncrl = \"ca.crl\"\n"
        "certificate = \"{0}/kme.crt\"\nkey = \"{0}/kme.key\"\n",
        NodeName(i), At(options, i), At(options, kKxPort + i), options.key_size_bits,
        std::min<std::uint64_t>(64, options.key_size_bits), options.max_key_size_bits,
        options.keys_per_request, options.nodes - 1, FormatBytes(store));
  }
  for (const auto& [a, b] : links)
    text += fmt::format("\n[[link]]\nends = [\"{}\", \"{}\"]\nrate = \"{}\"\n", NodeName(a), NodeName(b),
                        options.rate);
  return text;
}

std::string ProxyToml(const InitOptions& options, std::uint64_t capacity, std::uint64_t i) {
  const std::uint64_t reservoirs = 2 * capacity * (options.nodes - 1);
  const std::uint64_t memory = (reservoirs + kProxyWindows) / kGiB + 1;
  std::string text = fmt::format(
      "id = {0}    # number of this trusted node, unique in the network\nname = \"{1}\"\n\n"
      "[kme]\nurl = \"https://{2}\"\nid = \"kme-{1}\"\nca = \"ca.crt\"\ncertificate = \"proxy.crt\"\n"
      "key = \"proxy.key\"\n\n"
      "[peers_tls]\nca = \"ca.crt\"\ncrl = \"ca.crl\"\ncertificate = \"proxy.crt\"\nkey = \"proxy.key\"\n"
      "listen = \"{3}\"\n\n"
      "[local]\nsocket = \"pad.sock\"\nallow_users = []    # both empty: only the user the proxy runs as\n"
      "allow_groups = []\n\n"
      "[metrics]\nlisten = \"{4}\"\n\n[audit]\nfile = \"audit.log\"\n\n"
      "[memory]\nlock = \"require\"\nmax = \"{5}GiB\"\n\n"
      "[reservoir]    # of each direction of each link\ncapacity = \"{6}\"\nlow = \"50%\"\nhigh = \"90%\"\n"
      "reserve = \"{7}\"\n",
      i, NodeName(i), At(options, i), At(options, kPeerPort + i), AtLoopback(options, kMetricsPort + i),
      memory, FormatBytes(capacity), FormatBytes(capacity / kReservePart));
  for (std::uint64_t j = 0; j < options.nodes; ++j) {
    if (j != i)
      text += fmt::format("\n[[peer]]\nid = {0}\nname = \"{1}\"\naddress = \"{2}\"\nsae_id = \"{1}\"\n", j,
                          NodeName(j), At(options, kPeerPort + j));
  }
  return text;
}

Status WriteText(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  return file ? Status() : Status::Unavailable(path + " cannot be written");
}

Status Check(const InitOptions& options) {
  if (options.nodes < 1 || options.nodes > kMostNodes)
    return Status::InvalidArgument(fmt::format("nodes={} is outside 1..{}", options.nodes, kMostNodes));
  if (options.base_port < 1024 || options.base_port > 65536 - kPorts)
    return Status::InvalidArgument(
        fmt::format("base-port={} is outside 1024..{}", options.base_port, 65536 - kPorts));
  if (!ParseAddress(options.address + ":0").ok())
    return Status::InvalidArgument("address=\"" + options.address + "\" is not an IPv4 address");
  if (std::filesystem::exists(options.folder) && !std::filesystem::is_empty(options.folder))
    return Status::InvalidArgument(options.folder + " is not empty: a network is written into a new folder");
  return {};
}

Status WriteNode(pki::CertificateAuthority& authority, const InitOptions& options, std::uint64_t capacity,
                 std::uint64_t i) {
  const std::string name = NodeName(i);
  const std::string folder = options.folder + "/" + name;
  std::filesystem::create_directory(folder);
  for (const char* file : {"ca.crt", "ca.crl"})
    std::filesystem::copy_file(options.folder + "/" + file, folder + "/" + file);
  const std::vector<std::string> addresses = {options.address};
  Status status = authority.Issue(name, addresses, kDays, folder + "/proxy.crt", folder + "/proxy.key");
  if (status.ok())
    status = authority.Issue("kme-" + name, addresses, kDays, folder + "/kme.crt", folder + "/kme.key");
  if (status.ok()) status = WriteText(folder + "/qkdn-proxy.toml", ProxyToml(options, capacity, i));
  return status;
}

Status Write(const InitOptions& options) {
  if (Status status = Check(options); !status.ok()) return status;
  const Result<std::uint64_t> capacity = ParseBytes(options.capacity);
  if (!capacity.ok() || capacity.value() < kLeastCapacity || capacity.value() > kMostCapacity)
    return Status::InvalidArgument("capacity=\"" + options.capacity + "\" is not a size in 64KiB..64GiB");
  Links links;
  if (Status status = MakeLinks(options, links); !status.ok()) return status;
  // What the simulator would not take is refused before anything is written.
  const std::string text = SimToml(options, links);
  if (const auto config = ParseConfig(text, options.folder); !config.ok()) return config.status();
  auto authority = pki::CertificateAuthority::Make("qkdn-sim root", kDays);
  if (!authority.ok()) return authority.status();
  std::filesystem::create_directories(options.folder);
  if (Status status = authority.value()->Save(options.folder); !status.ok()) return status;
  for (std::uint64_t i = 0; i < options.nodes; ++i) {
    if (Status status = WriteNode(*authority.value(), options, capacity.value(), i); !status.ok())
      return status;
  }
  return WriteText(options.folder + "/qkdn-sim.toml", text);
}

Status RevokeProxy(const std::string& folder, const std::string& node) {
  auto authority = pki::CertificateAuthority::Load(folder);
  if (!authority.ok()) return authority.status();
  if (Status status = authority.value()->Revoke(folder + "/" + node + "/proxy.crt"); !status.ok())
    return status;
  if (Status status = authority.value()->Save(folder); !status.ok()) return status;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path copy = entry.path() / "ca.crl";
    if (!std::filesystem::exists(copy)) continue;
    // Renamed into place: whoever reads it finds the old list or the new one.
    std::filesystem::copy_file(folder + "/ca.crl", copy.string() + ".new",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(copy.string() + ".new", copy);
  }
  return {};
}

// What the file system library throws becomes a Status.
Status Caught(auto write) {
  try {
    return write();
  } catch (const std::filesystem::filesystem_error& error) {
    return Status::Unavailable(error.what());
  }
}

}  // namespace

Status Init(const InitOptions& options) {
  return Caught([&] { return Write(options); });
}

Status Revoke(const std::string& folder, const std::string& node) {
  return Caught([&] { return RevokeProxy(folder, node); });
}

}  // namespace ssn::qkdn::sim
