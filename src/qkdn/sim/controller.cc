// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace ssn::qkdn::sim {

std::vector<Controller::Hop> Controller::UsableHops(std::uint64_t bytes,
                                                    const std::set<std::string>& avoid) const {
  std::vector<Hop> hops;
  for (const LinkConfig& link : links_) {
    if (avoid.contains(link.name)) continue;
    const LinkState state = look_(link);
    if (!state.up) continue;
    if (state.sendable_bytes[0] >= bytes)
      hops.push_back({link.ends[0], link.ends[1], state.sendable_bytes[0]});
    if (state.sendable_bytes[1] >= bytes)
      hops.push_back({link.ends[1], link.ends[0], state.sendable_bytes[1]});
  }
  return hops;
}

// Breadth first, a layer of equally distant nodes at a time: within a layer the widest way in wins, which is
// exact because every shortest route passes the layers in order.
std::map<std::string, Controller::Best> Controller::Search(const std::string& from, const std::string& to,
                                                           const std::vector<Hop>& hops) {
  std::map<std::string, Best> found = {{from, {"", std::numeric_limits<std::uint64_t>::max()}}};
  std::map<std::string, Best> layer = found;
  while (!layer.empty() && !found.contains(to)) {
    std::map<std::string, Best> next;
    for (const Hop& hop : hops) {
      const auto here = layer.find(hop.from);
      if (here == layer.end() || found.contains(hop.to)) continue;
      const std::uint64_t bytes = std::min(here->second.bytes, hop.bytes);
      const auto [known, fresh] = next.try_emplace(hop.to, Best{hop.from, bytes});
      if (!fresh && known->second.bytes < bytes) known->second = {hop.from, bytes};
    }
    found.insert(next.begin(), next.end());
    layer = std::move(next);
  }
  return found;
}

Result<std::vector<std::string>> Controller::Route(const std::string& from, const std::string& to,
                                                   std::uint64_t bytes, const std::set<std::string>& avoid) {
  const std::map<std::string, Best> found = Search(from, to, UsableHops(bytes, avoid));
  if (!found.contains(to)) {
    const bool dry = Search(from, to, UsableHops(0, avoid)).contains(to);
    return Status::Unavailable(
        dry ? fmt::format("not enough key material: {} bytes from {} to {} are more than the links hold",
                          bytes, from, to)
            : fmt::format("no route from {} to {}: links are down", from, to));
  }
  std::vector<std::string> route;
  for (std::string node = to; node != from; node = found.at(node).previous) route.push_back(node);
  std::ranges::reverse(route);
  const std::lock_guard lock(mutex_);
  std::vector<std::string>& last = last_[{from, to}];
  if (!last.empty() && last != route) ++reroutes_;
  last = route;
  return route;
}

std::uint64_t Controller::Capacity(const std::string& from, const std::string& to) {
  const std::map<std::string, Best> found = Search(from, to, UsableHops(1, {}));
  const auto best = found.find(to);
  return best == found.end() ? 0 : best->second.bytes;
}

std::uint64_t Controller::reroutes() const {
  const std::lock_guard lock(mutex_);
  return reroutes_;
}

}  // namespace ssn::qkdn::sim
