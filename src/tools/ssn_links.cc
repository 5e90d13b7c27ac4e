// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "tools/admin_socket.h"
#include "tools/ask_proxy.h"
#include "tools/messenger_banner.h"
#include "tools/text_table.h"

namespace ssn::tools {
namespace {

using nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

Status NotUnderstood(const json::exception& error) {
  return Status::Corrupt(fmt::format("the proxy's status cannot be understood: {}", error.what()));
}

// A program's own columns stand in the first of its rows only.
void AddProgram(const json& program, Rows& rows) {
  std::string name = program.at("name").get<std::string>();
  std::string pid = std::to_string(program.at("pid").get<pid_t>());
  const auto add = [&](const std::string& peer, const char* how, std::size_t sessions,
                       const std::string& sent, const std::string& received) {
    rows.push_back({std::exchange(name, ""), std::exchange(pid, ""), peer, how, std::to_string(sessions),
                    sent, received});
  };
  std::size_t to_other_nodes = 0;
  for (const json& peer : program.at("peers")) {
    const auto sessions = peer.at("sessions").get<std::size_t>();
    to_other_nodes += sessions;
    add(fmt::format("{} ({})", peer.at("name").get<std::string>(), peer.at("peer").get<std::uint32_t>()),
        "one-time pad", sessions, BytesText(peer.at("tx_used").get<std::uint64_t>()),
        BytesText(peer.at("rx_used").get<std::uint64_t>()));
  }
  const auto attached = program.at("attached").get<std::size_t>();
  if (attached > to_other_nodes) add("this node", "AES-128-GCM", attached - to_other_nodes, "-", "-");
}

bool HasSessions(const json& program) {
  return program.at("attached").get<std::size_t>() > 0 || !program.at("peers").empty();
}

}  // namespace

Result<std::string> FormatLinks(const std::vector<std::string>& statuses) {
  Rows rows = {{"PROGRAM", "PID", "PEER", "SESSIONS BY", "NUMBER", "PAD OUT", "PAD IN"}};
  std::size_t left_out = 0;
  try {
    for (const std::string& text : statuses) {
      const json status = json::parse(text);
      for (const json& program : status.at("programs"))
        if (HasSessions(program)) AddProgram(program, rows);
      left_out += status.at("programs_left_out").get<std::size_t>();
    }
  } catch (const json::exception& error) {
    return NotUnderstood(error);
  }
  constexpr std::size_t kFirstNumber = 4;
  std::string table = TextTable(rows, kFirstNumber);
  if (left_out > 0) table += fmt::format("and {} more programs\n", left_out);
  return table;
}

Result<std::vector<CephDaemon>> FindUnprotected(const std::vector<CephDaemon>& daemons,
                                                const std::vector<std::string>& statuses) {
  std::set<pid_t> attached;
  try {
    for (const std::string& text : statuses) {
      const json status = json::parse(text);
      if (const auto more = status.at("programs_left_out").get<std::size_t>(); more > 0)
        return Status::Unavailable(fmt::format("a proxy has {} programs more than it lists", more));
      for (const json& program : status.at("programs"))
        if (program.at("attached").get<std::size_t>() > 0) attached.insert(program.at("pid").get<pid_t>());
    }
  } catch (const json::exception& error) {
    return NotUnderstood(error);
  }
  std::vector<CephDaemon> unprotected;
  std::ranges::copy_if(daemons, std::back_inserter(unprotected),
                       [&](const CephDaemon& daemon) { return !attached.contains(daemon.pid); });
  return unprotected;
}

Result<std::string> NotSecureOnly(const std::string& config) {
  constexpr const char* kModes[] = {"ms_cluster_mode",     "ms_service_mode",     "ms_client_mode",
                                    "ms_mon_cluster_mode", "ms_mon_service_mode", "ms_mon_client_mode"};
  std::vector<std::string> others;
  try {
    const json values = json::parse(config);
    for (const char* mode : kModes)
      if (const auto value = values.at(mode).get<std::string>(); value != "secure")
        others.push_back(fmt::format("{}={}", mode, value));
  } catch (const json::exception& error) {
    return Status::Corrupt(fmt::format("its configuration cannot be understood: {}", error.what()));
  }
  return fmt::format("{}", fmt::join(others, ", "));
}

std::string NotVersion2Only(const CephDaemon& daemon, const std::vector<Listener>& listeners) {
  if (listeners.empty()) return "no port of it can be seen";
  const bool serves_others = daemon.name.starts_with("mgr.");  // its modules do, by HTTP
  for (const Listener& listener : listeners) {
    if (SpeaksVersion1(listener))
      return fmt::format("it listens at {} by version 1 of the messenger, which encrypts nothing",
                         listener.address);
    if (!SpeaksVersion2(listener) && !serves_others)
      return fmt::format("it does not say at {} by which version of the messenger it listens",
                         listener.address);
  }
  return "";
}

CLI::App* AddLinks(CLI::App& app, LinksOptions& options) {
  CLI::App* links =
      app.add_subcommand("links", "Programs whose sessions are under one-time pad, and with whom");
  links->add_option("--socket", options.socket_paths, "Socket of the proxy; may be given more than once")
      ->type_name("PATH")
      ->capture_default_str();
  CLI::Option* json =
      links->add_flag("--json", options.json, "Print the proxies' answers as they are, in a list");
  links->add_flag("--check", options.check, "Name the daemons of Ceph on this host that are not protected")
      ->excludes(json);
  links
      ->add_option("-c,--conf", options.conf,
                   "Only daemons that were started with this configuration of Ceph")
      ->type_name("PATH");
  return links;
}

namespace {

int Fail(const std::string& why) {
  constexpr int kFailed = 1;
  fmt::print(stderr, "ssn links: {}\n", why);
  return kFailed;
}

// Why a daemon may have sessions without the provider; empty: it may not.
std::string OpenDoors(const CephDaemon& daemon) {
  constexpr std::chrono::seconds kPatience{3};
  const auto listeners = ListenersOf(daemon.pid, kPatience);
  if (!listeners.ok()) return listeners.status().message();
  const std::string unencrypted = NotVersion2Only(daemon, listeners.value());
  if (!unencrypted.empty()) return unencrypted;
  const auto config = AskAdminSocket(daemon.pid, R"({"prefix": "config show"})");
  if (!config.ok()) return config.status().message();
  const auto modes = NotSecureOnly(config.value());
  if (!modes.ok()) return modes.status().message();
  return modes.value().empty() ? "" : modes.value() + " allows sessions that are not encrypted";
}

int Check(const LinksOptions& options, const std::vector<std::string>& statuses) {
  const std::vector<CephDaemon> daemons = RunningDaemons(options.conf);
  if (daemons.empty()) return Fail("no daemon of Ceph runs here");
  const auto unprotected = FindUnprotected(daemons, statuses);
  if (!unprotected.ok()) return Fail(unprotected.status().message());
  bool all = true;
  for (const CephDaemon& daemon : daemons) {
    const bool attached =
        std::ranges::find(unprotected.value(), daemon.pid, &CephDaemon::pid) == unprotected.value().end();
    const std::string why = attached ? OpenDoors(daemon) : "no proxy knows of a session of it";
    if (why.empty()) continue;
    all = false;
    fmt::print("{} (pid {}) is not protected: {}\n", daemon.name, daemon.pid, why);
  }
  if (all) fmt::print("all {} daemons are protected\n", daemons.size());
  return all ? 0 : 1;
}

}  // namespace

int RunLinks(const LinksOptions& options) {
  std::vector<std::string> statuses;
  for (const std::string& path : options.socket_paths) {
    Result<std::string> status = AskProxy(path, "ssn-links");
    if (!status.ok()) return Fail(status.status().message());
    statuses.push_back(std::move(status).value());
  }
  if (options.check) return Check(options, statuses);
  if (options.json) {
    fmt::print("[{}]\n", fmt::join(statuses, ",\n"));
    return 0;
  }
  const Result<std::string> table = FormatLinks(statuses);
  if (!table.ok()) return Fail(table.status().message());
  fmt::print("{}", table.value());
  return 0;
}

}  // namespace ssn::tools
