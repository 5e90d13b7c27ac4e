// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ceph_daemons.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace ssn::tools {
namespace {

// CLUSTER-TYPE.ID.asok; clients have such sockets too.
std::optional<std::string> NameOf(const std::filesystem::path& socket) {
  if (socket.extension() != ".asok") return std::nullopt;
  const std::string stem = socket.stem().string();
  for (const char* type : {"-mon.", "-mgr.", "-osd.", "-mds."}) {
    const std::size_t at = stem.find(type);
    if (at != std::string::npos && at > 0) return stem.substr(at + 1);
  }
  return std::nullopt;
}

// 0: nobody.
pid_t ListenerAt(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return 0;
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  close(fd);
  return known ? peer.pid : 0;
}

}  // namespace

Result<std::vector<CephDaemon>> RunningDaemons(const std::string& run_dir) {
  std::error_code error;
  std::vector<CephDaemon> daemons;
  for (auto entry = std::filesystem::directory_iterator(run_dir, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const auto name = NameOf(entry->path());
    if (!name) continue;
    if (const pid_t pid = ListenerAt(entry->path().string()); pid != 0) daemons.push_back({*name, pid});
  }
  if (error) return Status::Unavailable(run_dir + ": " + error.message());
  std::ranges::sort(daemons, {}, &CephDaemon::name);
  return daemons;
}

}  // namespace ssn::tools
