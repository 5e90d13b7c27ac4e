// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ceph_daemons.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "provider/command_line.h"

namespace ssn::tools {
namespace {

constexpr std::array<std::string_view, 4> kDaemons = {"ceph-mon", "ceph-mgr", "ceph-osd", "ceph-mds"};

// 0: the folder is not that of a process.
pid_t PidOf(const std::filesystem::path& folder) {
  const std::string name = folder.filename().string();
  pid_t pid = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
  return read.ec == std::errc() && read.ptr == name.data() + name.size() ? pid : 0;
}

// Empty of a process that is gone or a zombie.
std::vector<std::string> CommandLineOf(const std::filesystem::path& folder) {
  std::vector<std::string> arguments;
  std::ifstream file(folder / "cmdline");
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

}  // namespace

std::vector<CephDaemon> RunningDaemons(const std::string& conf) {
  std::vector<CephDaemon> daemons;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator("/proc", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const pid_t pid = PidOf(entry->path());
    if (pid == 0) continue;
    std::string program;
    std::getline(std::ifstream(entry->path() / "comm"), program);
    if (std::ranges::find(kDaemons, program) == kDaemons.end()) continue;
    const std::vector<std::string> arguments = CommandLineOf(entry->path());
    if (arguments.empty()) continue;
    if (!conf.empty() && provider::OptionValue(arguments, "-c", "--conf") != conf) continue;
    daemons.push_back({provider::ProgramName(arguments), pid});
  }
  std::ranges::sort(daemons, {}, &CephDaemon::name);
  return daemons;
}

}  // namespace ssn::tools
