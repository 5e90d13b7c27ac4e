// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/this_host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>

namespace ssn::qkdn::proxy {
namespace {

std::string ToText(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* raw = nullptr;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (address->sa_family == AF_INET) {
    std::memcpy(&v4, address, sizeof v4);
    raw = &v4.sin_addr;
  } else if (address->sa_family == AF_INET6) {
    std::memcpy(&v6, address, sizeof v6);
    raw = &v6.sin6_addr;
  } else {
    return "";
  }
  return inet_ntop(address->sa_family, raw, text.data(), text.size()) == nullptr ? "" : text.data();
}

bool IsAddressOfAnInterface(const std::string& host) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(first, &freeifaddrs);
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next)
    if (each->ifa_addr != nullptr && ToText(each->ifa_addr) == host) return true;
  return false;
}

}  // namespace

bool IsLoopback(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  if (host == "localhost") return true;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool IsThisHost(const std::string& host) {
  if (IsLoopback(host)) return true;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0 && host == name.data()) return true;
  return IsAddressOfAnInterface(host);
}

}  // namespace ssn::qkdn::proxy
