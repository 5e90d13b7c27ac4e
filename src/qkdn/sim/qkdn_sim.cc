// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>
#include <malloc.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "qkdn/sim/init.h"
#include "qkdn/sim/manager_view.h"
#include "qkdn/sim/simulation.h"

namespace {

using ssn::Result;
using ssn::Status;
using namespace ssn::qkdn::sim;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kKeptHeapBytes = 32 << 20;

struct RunOptions {
  std::string config;
  std::string node;
  std::string manager;
  bool check = false;
};

int Report(const Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "qkdn-sim: %s\n", status.message().c_str());
  return status.code() == Status::Code::kInvalidArgument ? kUsage : kFailed;
}

// With all nodes in one process the configuration says where the manager listens; with one, only the option
// does: the processes of one network cannot share an address.
Result<std::optional<Address>> ManagerAddress(const RunOptions& options, const Config& config) {
  if (options.manager.empty()) return options.node.empty() ? std::optional(config.manager) : std::nullopt;
  const Result<Address> address = ParseAddress(options.manager);
  if (!address.ok())
    return Status::InvalidArgument("--manager=" + options.manager + ": " + address.status().message());
  if (!IsLoopback(address.value()))
    return Status::InvalidArgument("--manager=" + options.manager + " is not a loopback address");
  return std::optional(address.value());
}

// Threads inherit the mask: the signal goes to whoever waits for it.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

Status Run(const RunOptions& options) {
  Result<Config> config = LoadConfig(options.config);
  if (!config.ok()) return config.status();
  const Result<std::optional<Address>> manager = ManagerAddress(options, config.value());
  if (!manager.ok()) return manager.status();
  const sigset_t signals = BlockEndSignals();
  auto made = Simulation::Make(std::move(config).value(), options.node, manager.value());
  if (!made.ok()) return made.status();
  if (options.check) {
    fmt::print("{}: ok\n", options.config);
    return {};
  }
  Simulation& simulation = *made.value();
  fmt::print("{}\n", kSimulationNotice);
  std::fflush(stdout);
  if (Status status = simulation.Start(); !status.ok()) return status;
  for (const auto& node : simulation.network().nodes()) {
    const NodeConfig& self = node->config();
    fmt::print("{} listens at {}:{} for {}\n", self.kme_id, self.listen.host, simulation.kme_port(self.name),
               fmt::join(self.sae_ids, ", "));
  }
  if (manager.value())
    fmt::print("manager listens at {}:{}\n", manager.value()->host, simulation.manager_port());
  fmt::print("ready\n");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  simulation.Stop();
  return {};
}

int Main(int argc, char** argv) {
  CLI::App app("Simulates a quantum key distribution network that serves keys by ETSI GS QKD 014.");
  app.name("qkdn-sim");
  app.set_version_flag("--version", SSN_VERSION);
  app.footer(
      "Exit codes: 0 ended by a signal, 1 failed, 2 wrong arguments or configuration. See qkdn-sim(1).");
  app.require_subcommand(0, 1);
  app.option_defaults()->always_capture_default();

  RunOptions run;
  app.add_option("CONFIG", run.config, "TOML file of the network to run until a signal ends it");
  app.add_option("--node", run.node, "Only this node; the others run in processes of their own.");
  app.add_option("--manager", run.manager, "Loopback address of the manager's view, IP:PORT.");
  app.add_flag("--check-config", run.check, "Read configuration and certificates, and end.");

  InitOptions init;
  CLI::App* init_command =
      app.add_subcommand("init", "Write certificates and configurations of a new network.");
  init_command->add_option("DIR", init.folder, "New folder")->required();
  init_command->add_option("--nodes", init.nodes, "Trusted nodes");
  init_command->add_option("--topology", init.topology, "full, ring, line or star");
  init_command->add_option("--rate", init.rate, "Rate of each link, such as 1Mbit/s, or unlimited");
  init_command->add_option("--address", init.address,
                           "IPv4 address of everything; manager and tests want loopback");
  init_command->add_option("--base-port", init.base_port, "First port of 400");
  init_command->add_option("--key-size", init.key_size_bits, "Default size of a key in bits");
  init_command->add_option("--max-key-size", init.max_key_size_bits, "In bits");
  init_command->add_option("--keys-per-request", init.keys_per_request, "Most keys of one request");
  init_command->add_option("--capacity", init.capacity,
                           "Size of each reservoir of the proxies, such as 16MiB");

  std::string revoke_folder, revoke_node;
  CLI::App* revoke_command = app.add_subcommand("revoke", "Revoke the certificate of a node's proxy.");
  revoke_command->add_option("DIR", revoke_folder, "Folder that init wrote")->required();
  revoke_command->add_option("NODE", revoke_node, "Name of the node")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (init_command->parsed()) return Report(Init(init));
  if (revoke_command->parsed()) return Report(Revoke(revoke_folder, revoke_node));
  if (run.config.empty()) return Report(Status::InvalidArgument("CONFIG is missing; see qkdn-sim --help"));
  return Report(Run(run));
}

}  // namespace

int main(int argc, char** argv) {
  // This process holds keys: no core, and no other process of the user reads its memory.
  prctl(PR_SET_DUMPABLE, 0);
  // Answers may be megabytes of text: to give memory back and ask for it again costs more than making them.
  mallopt(M_MMAP_THRESHOLD, kKeptHeapBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptHeapBytes);
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qkdn-sim: %s\n", error.what());
    return kFailed;
  }
}
