// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/process_sockets.h"

#include <filesystem>
#include <string_view>

namespace ssn::tools {

std::set<std::string> SocketsOf(pid_t process) {
  constexpr std::string_view kSocket = "socket:[";
  std::set<std::string> inodes;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry->path(), gone).string();
    if (target.starts_with(kSocket))
      inodes.insert(target.substr(kSocket.size(), target.size() - kSocket.size() - 1));
  }
  return inodes;
}

}  // namespace ssn::tools
