// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/admin_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "tools/descriptor.h"
#include "tools/process_sockets.h"

namespace ssn::tools {
namespace {

constexpr timeval kPatience{5, 0};
constexpr std::size_t kMaxAnswerBytes = std::size_t{16} << 20;

Status SystemError(const std::string& path) {
  return Status::Unavailable(fmt::format("admin socket {}: {}", path, std::strerror(errno)));
}

// Empty: there is none.
std::string PathOf(pid_t daemon) {
  constexpr unsigned long kListens = 0x10000;  // __SO_ACCEPTCON
  const std::set<std::string> inodes = SocketsOf(daemon);
  std::ifstream file(fmt::format("/proc/{}/net/unix", daemon));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string number, count, protocol, type, state, inode, path;
    unsigned long flags = 0;
    words >> number >> count >> protocol >> std::hex >> flags >> type >> state >> inode >> std::ws;
    std::getline(words, path);
    if ((flags & kListens) != 0 && path.ends_with(".asok") && inodes.contains(inode)) return path;
  }
  return "";
}

bool ReadAll(int fd, char* to, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = recv(fd, to, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = ECONNRESET;
    if (got <= 0) return false;
    to += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

Result<std::string> AskAdminSocket(pid_t daemon, const std::string& command) {
  const std::string path = PathOf(daemon);
  if (path.empty()) return Status::Unavailable("it has no admin socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Status::Unavailable("admin socket: its path is too long");
  std::copy(path.begin(), path.end(), address.sun_path);
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Ceph reads until a zero byte, and answers with a length, big-endian, and so many bytes.
  const std::size_t bytes = command.size() + 1;
  std::uint8_t length[4];
  if (socket.fd < 0 || setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) != 0 ||
      setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) != 0 ||
      connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      send(socket.fd, command.c_str(), bytes, MSG_NOSIGNAL) != static_cast<ssize_t>(bytes) ||
      !ReadAll(socket.fd, reinterpret_cast<char*>(length), sizeof length))
    return SystemError(path);
  const std::size_t size = std::size_t{length[0]} << 24 | std::size_t{length[1]} << 16 |
                           std::size_t{length[2]} << 8 | std::size_t{length[3]};
  if (size > kMaxAnswerBytes)
    return Status::Unavailable(fmt::format("admin socket {}: an answer of {} bytes", path, size));
  std::string answer(size, '\0');
  if (!ReadAll(socket.fd, answer.data(), size)) return SystemError(path);
  return answer;
}

}  // namespace ssn::tools
