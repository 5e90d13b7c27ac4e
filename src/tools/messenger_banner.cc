// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/messenger_banner.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/descriptor.h"
#include "tools/process_sockets.h"

namespace ssn::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBannerBytes = 9;  // "ceph v027", and "ceph v2\n" with a byte of what follows

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  std::string text;
};

// `hex` is what /proc/PID/net/tcp has: the address in words of the machine's own byte order, and the port.
bool Parse(const std::string& hex, Address& address) {
  constexpr std::size_t kWordDigits = 8;
  const std::size_t colon = hex.find(':');
  const bool v6 = colon == 4 * kWordDigits;
  if (colon == std::string::npos || (!v6 && colon != kWordDigits)) return false;
  const auto number = [&hex](std::size_t from, std::size_t digits, auto& value) {
    const char* const end = hex.data() + from + digits;
    return std::from_chars(hex.data() + from, end, value, 16).ptr == end;
  };
  std::uint32_t words[4] = {};
  for (std::size_t i = 0; i < (v6 ? 4 : 1); ++i)
    if (!number(i * kWordDigits, kWordDigits, words[i])) return false;
  std::uint16_t port = 0;
  if (!number(colon + 1, hex.size() - colon - 1, port)) return false;
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(v6 ? AF_INET6 : AF_INET, words, text, sizeof text);
  address.text = v6 ? fmt::format("[{}]:{}", text, port) : fmt::format("{}:{}", text, port);
  const auto set = [&address](auto in) {
    address.size = sizeof in;
    std::memcpy(&address.storage, &in, sizeof in);
  };
  if (v6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, words, sizeof in.sin6_addr);
    set(in);
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, words, sizeof in.sin_addr);
    set(in);
  }
  return true;
}

std::vector<Address> AddressesOf(pid_t process) {
  constexpr const char* kListens = "0A";  // TCP_LISTEN
  const std::set<std::string> inodes = SocketsOf(process);
  std::vector<Address> addresses;
  for (const char* table : {"tcp", "tcp6"}) {
    std::ifstream file(fmt::format("/proc/{}/net/{}", process, table));
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
      Address address;
      if (state == kListens && inodes.contains(inode) && Parse(local, address)) addresses.push_back(address);
    }
  }
  return addresses;
}

// In the network namespace of another process until the end.
class NetworkOf {
 public:
  explicit NetworkOf(pid_t process)
      : own_(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)),
        other_(open(fmt::format("/proc/{}/ns/net", process).c_str(), O_RDONLY | O_CLOEXEC)) {
    std::error_code error;
    const bool same = std::filesystem::equivalent("/proc/thread-self/ns/net",
                                                  fmt::format("/proc/{}/ns/net", process), error);
    entered_ = !same && !error && own_.fd >= 0 && other_.fd >= 0 && setns(other_.fd, CLONE_NEWNET) == 0;
    there_ = same || entered_;
  }
  ~NetworkOf() {
    if (entered_) setns(own_.fd, CLONE_NEWNET);
  }
  NetworkOf(const NetworkOf&) = delete;
  NetworkOf& operator=(const NetworkOf&) = delete;
  bool there() const noexcept { return there_; }

 private:
  Descriptor own_;
  Descriptor other_;
  bool entered_ = false;
  bool there_ = false;
};

Descriptor ConnectTo(const Address& address) {
  Descriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.fd >= 0 &&
      connect(socket.fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 &&
      errno != EINPROGRESS)
    return Descriptor(-1);
  return socket;
}

// True when there is no more to be read.
bool ReadBanner(int fd, std::string& banner) {
  char bytes[kBannerBytes];
  const ssize_t got = recv(fd, bytes, kBannerBytes - banner.size(), 0);
  if (got < 0) return errno != EAGAIN && errno != EINTR;
  banner.append(bytes, static_cast<std::size_t>(got));
  return got == 0 || banner.size() == kBannerBytes;
}

}  // namespace

Result<std::vector<Listener>> ListenersOf(pid_t process, std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  std::vector<Listener> listeners;
  std::vector<Descriptor> sockets;
  {
    const NetworkOf network(process);
    if (!network.there()) return Status::Unavailable("its network namespace cannot be entered");
    for (const Address& address : AddressesOf(process)) {
      listeners.push_back({address.text, ""});
      sockets.push_back(ConnectTo(address));
    }
  }
  std::vector<pollfd> waiting;
  for (const Descriptor& socket : sockets) waiting.push_back({socket.fd, POLLIN, 0});
  const auto left = [&] {
    return std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  };
  while (std::ranges::any_of(waiting, [](const pollfd& each) { return each.fd >= 0; }) && left() > 0) {
    if (poll(waiting.data(), waiting.size(), static_cast<int>(left())) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (waiting[i].fd >= 0 && waiting[i].revents != 0 && ReadBanner(waiting[i].fd, listeners[i].banner))
        waiting[i].fd = -1;  // poll passes it over
  }
  return listeners;
}

bool SpeaksVersion1(const Listener& listener) { return listener.banner.starts_with("ceph v0"); }
bool SpeaksVersion2(const Listener& listener) { return listener.banner.starts_with("ceph v2"); }

}  // namespace ssn::tools
