// SPDX-License-Identifier: LGPL-2.1-or-later
// qkdn-proxy: draws keys from this trusted node's KME, agrees with the other nodes' proxies on pad, and hands
// it to local programs. Exit status: 0 ended as asked, 1 could not work, 2 wrong arguments or configuration.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <string>

#include "qkdn/etsi014/kme_client.h"
#include "qkdn/proxy/audit_log.h"
#include "qkdn/proxy/config.h"
#include "qkdn/proxy/proxy.h"
#include "qkdn/proxy/window.h"

namespace ssn::qkdn::proxy {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

// Nobody but root may trace this process or read its memory, and no core of it is written.
Status ProtectProcess() {
  std::signal(SIGPIPE, SIG_IGN);  // a KME that hangs up must not end us
  const rlimit none{0, 0};
  if (prctl(PR_SET_DUMPABLE, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
    return Status::Unavailable(fmt::format("core dumps cannot be turned off: {}", std::strerror(errno)));
  return {};
}

// As much address space as reservoirs and one window need is locked for a moment: no page of it is touched.
bool CanLock(std::uint64_t bytes) {
  void* region =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) return false;
  const bool locked = mlock2(region, bytes, MLOCK_ONFAULT) == 0;
  munmap(region, bytes);
  return locked;
}

Status CheckLock(const Config& config) {
  const std::uint64_t bytes = config.reservoir_memory() + Window::kMaxBytes;
  if (CanLock(bytes)) return {};
  const std::string what = fmt::format("{} bytes of address space cannot be locked into memory", bytes);
  if (config.require_lock)
    return Status::Unavailable(what + ": set LimitMEMLOCK=infinity (RLIMIT_MEMLOCK), or memory.lock=\"try\"");
  spdlog::warn("{}: pad may reach the swap; LimitMEMLOCK is too small", what);
  return {};
}

// What the configuration names besides itself.
Status CheckFiles(const Config& config) {
  if (const auto tls = MakeTlsContext(config.peers_tls); !tls.ok()) return tls.status();
  if (const auto kme = etsi014::KmeClient::Make(config.Kme()); !kme.ok())
    return Status::InvalidArgument("kme: " + kme.status().message());
  return {};
}

int VerifyAudit(const std::string& file) {
  const Result<AuditSummary> verified = VerifyAuditLog(file);
  if (!verified.ok()) {
    fmt::print(stderr, "{}\n", verified.status().message());
    return kFailed;
  }
  const AuditSummary& summary = verified.value();
  fmt::print("{} lines, {} to {}\nfollows  {}\nends in  {}\n", summary.lines, summary.first_seq,
             summary.last_seq, summary.first_prev, summary.last_hash);
  return 0;
}

int Run(const Config& config) {
  if (Status status = ProtectProcess(); !status.ok()) return spdlog::error(status.message()), kFailed;
  if (Status status = CheckLock(config); !status.ok()) return spdlog::error(status.message()), kFailed;
  auto proxy = Proxy::Make(config);
  if (!proxy.ok()) return spdlog::error(proxy.status().message()), kFailed;
  proxy.value()->HandleSignals();
  fmt::print("ready\n");
  std::fflush(stdout);
  proxy.value()->Run();
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app{"One-time pad for the programs of a trusted node, from its KME", "qkdn-proxy"};
  std::string config_file = "/etc/ssn/qkdn-proxy.toml";
  std::string audit_file;
  bool check = false;
  app.add_option("--config", config_file, "Configuration; see qkdn-proxy.toml(5)")
      ->type_name("FILE")
      ->capture_default_str();
  CLI::Option* const check_option = app.add_flag("--check-config", check, "Check the configuration and end");
  app.add_option("--verify-audit", audit_file, "Check the chain of an audit log and end")
      ->type_name("FILE")
      ->excludes(check_option);
  app.set_version_flag("--version", SSN_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUse;
  }
  if (!audit_file.empty()) return VerifyAudit(audit_file);

  spdlog::set_default_logger(spdlog::stderr_logger_mt("qkdn-proxy"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  const Result<Config> config = ReadConfig(config_file);
  if (!config.ok()) {
    fmt::print(stderr, "{}\n", config.status().message());
    return kWrongUse;
  }
  for (const std::string& warning : config.value().warnings) spdlog::warn("{}", warning);
  if (Status files = CheckFiles(config.value()); !files.ok()) {
    fmt::print(stderr, "{}: {}\n", config_file, files.message());
    return kWrongUse;
  }
  if (check) {
    fmt::print("{}: node {} ({}), {} peers, {} bytes of reservoirs\n", config_file, config.value().id,
               config.value().name, config.value().peers.size(), config.value().reservoir_memory());
    return 0;
  }
  return Run(config.value());
}

}  // namespace
}  // namespace ssn::qkdn::proxy

int main(int argc, char** argv) { return ssn::qkdn::proxy::Main(argc, argv); }
