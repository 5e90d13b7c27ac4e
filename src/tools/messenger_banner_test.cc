// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/messenger_banner.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>

#include "tools/descriptor.h"

namespace ssn::tools {
namespace {

using namespace std::chrono_literals;

// Says `banner` to the first that connects, in pieces of `piece` bytes, and keeps the connection.
class Server {
 public:
  Server(int family, const std::string& banner, std::size_t piece = 100)
      : listening_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage address{};
    address.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET6) {
      reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr = in6addr_loopback;
    } else {
      reinterpret_cast<sockaddr_in*>(&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    socklen_t size = sizeof address;
    EXPECT_EQ(0, bind(listening_.fd, reinterpret_cast<sockaddr*>(&address), size));
    EXPECT_EQ(0, listen(listening_.fd, 4));
    EXPECT_EQ(0, getsockname(listening_.fd, reinterpret_cast<sockaddr*>(&address), &size));
    port_ = ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);  // where sockaddr_in6 has it, too
    thread_ = std::thread([this, banner, piece] {
      connection_ = accept(listening_.fd, nullptr, nullptr);
      for (std::size_t at = 0; at < banner.size(); at += piece) {
        const std::size_t size_now = std::min(piece, banner.size() - at);
        EXPECT_EQ(static_cast<ssize_t>(size_now),
                  send(connection_, banner.data() + at, size_now, MSG_NOSIGNAL));
        std::this_thread::sleep_for(5ms);  // the pieces arrive one by one
      }
    });
  }
  ~Server() {
    thread_.join();
    close(connection_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Listener Find(const std::vector<Listener>& listeners, const std::string& host) const {
    const std::string address = host + ":" + std::to_string(port_);
    const auto found = std::ranges::find(listeners, address, &Listener::address);
    EXPECT_NE(listeners.end(), found) << address;
    return found == listeners.end() ? Listener{} : *found;
  }

 private:
  Descriptor listening_;
  int connection_ = -1;
  int port_ = 0;
  std::thread thread_;
};

TEST(MessengerBanner, TellsTheVersionsOfEveryPort) {
  const Server v1(AF_INET, "ceph v027 and an address");
  const Server v2(AF_INET, std::string("ceph v2\n\x10\0\0\0", 12), 3);
  const Server v2_by_v6(AF_INET6, std::string("ceph v2\n\x10\0\0\0", 12));
  const Server other(AF_INET, "SSH-2.0");
  const Server silent(AF_INET, "");
  const auto listeners = ListenersOf(getpid(), 500ms);
  ASSERT_TRUE(listeners.ok()) << listeners.status().message();
  ASSERT_EQ(5u, listeners.value().size());  // this process listens nowhere else
  const auto versions = [&](const Server& server, const std::string& host) {
    const Listener found = server.Find(listeners.value(), host);
    return std::pair(SpeaksVersion1(found), SpeaksVersion2(found));
  };
  EXPECT_EQ(std::pair(true, false), versions(v1, "127.0.0.1"));
  EXPECT_EQ(std::pair(false, true), versions(v2, "127.0.0.1"));
  EXPECT_EQ(std::pair(false, true), versions(v2_by_v6, "[::1]"));
  EXPECT_EQ(std::pair(false, false), versions(other, "127.0.0.1"));
  EXPECT_EQ(std::pair(false, false), versions(silent, "127.0.0.1"));
  EXPECT_EQ("SSH-2.0", other.Find(listeners.value(), "127.0.0.1").banner);
  EXPECT_EQ("", silent.Find(listeners.value(), "127.0.0.1").banner);
}

TEST(MessengerBanner, AProcessWithoutPortsHasNone) {
  EXPECT_EQ(0u, ListenersOf(getpid(), 0ms).value().size());
}

}  // namespace
}  // namespace ssn::tools
