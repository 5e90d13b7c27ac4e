// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/pad_network.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

namespace ssn::tools {
namespace {

constexpr unsigned kBasePort = 7000;
constexpr auto kPatience = std::chrono::seconds(60);

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

Status SystemError(const std::string& what) {
  return Status::Unavailable(what + ": " + std::strerror(errno));
}

// Runs in the child; does not return.
[[noreturn]] void Become(const std::vector<std::string>& command, const std::string& output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (out < 0 || in < 0) _exit(126);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

Result<pid_t> Spawn(const std::vector<std::string>& command, const std::string& output) {
  const pid_t pid = fork();
  if (pid < 0) return SystemError("fork");
  if (pid == 0) Become(command, output);
  return pid;
}

bool SaysReady(const std::string& output) {
  std::istringstream lines(ReadFile(output));
  for (std::string line; std::getline(lines, line);)
    if (line == "ready") return true;
  return false;
}

}  // namespace

Result<std::unique_ptr<PadNetwork>> PadNetwork::Make(const Options& options) {
  std::unique_ptr<PadNetwork> network(new PadNetwork);
  std::error_code error;
  network->programs_ = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  std::string folder = std::filesystem::temp_directory_path(error) / "ssn-bench.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return SystemError("mkdtemp " + folder);
  network->folder_ = folder;
  // An address of its own, so that fixed ports do not meet those of anything else.
  std::random_device random;
  const auto part = [&] { return std::to_string(1 + random() % 253); };
  network->address_ = "127." + part() + "." + part() + "." + part();
  std::vector<std::string> command = {
      network->programs_ + "/qkdn-sim", "init",      folder + "/net",   "--nodes",
      std::to_string(options.nodes),    "--address", network->address_, "--base-port",
      std::to_string(kBasePort)};
  command.insert(command.end(), options.init.begin(), options.init.end());
  const std::string output = folder + "/init.out";
  const auto pid = Spawn(command, output);
  if (!pid.ok()) return pid.status();
  int ended = 0;
  if (waitpid(pid.value(), &ended, 0) != pid.value() || ended != 0)
    return Status::Unavailable("qkdn-sim init failed: " + ReadFile(output));
  return network;
}

PadNetwork::~PadNetwork() {
  while (!children_.empty()) Stop(std::string(children_.begin()->first), SIGTERM);
  std::error_code error;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, error);
}

Status PadNetwork::Start(const std::string& name, const std::vector<std::string>& command) {
  const std::string output = folder_ + "/" + name + ".out";
  const auto pid = Spawn(command, output);
  if (!pid.ok()) return pid.status();
  children_[name] = pid.value();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!SaysReady(output)) {
    if (waitpid(pid.value(), nullptr, WNOHANG) == pid.value()) {
      children_.erase(name);
      return Status::Unavailable(name + " ended while it started: " + ReadFile(output));
    }
    if (std::chrono::steady_clock::now() > deadline)
      return Status::Unavailable(name + " is not ready: " + ReadFile(output));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return {};
}

Status PadNetwork::StartSim() {
  return Start("sim", {programs_ + "/qkdn-sim", folder_ + "/net/qkdn-sim.toml"});
}

Status PadNetwork::StartProxy(unsigned node) {
  return Start("proxy-" + std::to_string(node),
               {programs_ + "/qkdn-proxy", "--config", Folder(node) + "/qkdn-proxy.toml"});
}

void PadNetwork::KillProxy(unsigned node) { Stop("proxy-" + std::to_string(node), SIGKILL); }

void PadNetwork::Stop(const std::string& name, int signal) {
  const auto child = children_.find(name);
  if (child == children_.end()) return;
  kill(child->second, signal);
  waitpid(child->second, nullptr, 0);
  children_.erase(child);
}

std::string PadNetwork::Folder(unsigned node) const { return folder_ + "/net/node-" + std::to_string(node); }

std::string PadNetwork::KmeUrl(unsigned node) const {
  return "https://" + address_ + ":" + std::to_string(kBasePort + node);
}

std::uint64_t PadNetwork::ResidentBytes(unsigned node) const {
  const auto child = children_.find("proxy-" + std::to_string(node));
  if (child == children_.end()) return 0;
  std::ifstream statm("/proc/" + std::to_string(child->second) + "/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

Result<std::uint64_t> PadNetwork::MemoryBound(unsigned node) const {
  const std::string file = Folder(node) + "/qkdn-proxy.toml";
  try {
    const toml::table config = toml::parse_file(file);
    const std::string text = config["memory"]["max"].value_or(std::string());
    if (text.ends_with("MiB")) return std::stoull(text) << 20;
    if (text.ends_with("GiB")) return std::stoull(text) << 30;
    return Status::InvalidArgument(file + ": memory.max=\"" + text + "\" is not in MiB or GiB");
  } catch (const std::exception& error) {
    return Status::InvalidArgument(file + ": " + error.what());
  }
}

}  // namespace ssn::tools
