// SPDX-License-Identifier: LGPL-2.1-or-later
// controller.h - the QKDN controller: over which links a key is relayed.
//
// Shapes:    nodes by name. A route is the nodes after the source, the destination last.
// Errors:    kUnavailable that says whether links are down or dry.
// Ownership: asks links of this process directly; those of other processes by what was last reported of them.
// Threads:   any.
// Spec:      ITU-T Y.3803, routing control.

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "qkdn/sim/config.h"

namespace ssn::qkdn::sim {

struct LinkState {
  std::string link;
  bool up = true;
  std::array<std::uint64_t, 2> sendable_bytes{};  // from end 0, from end 1
  std::uint64_t stamp = 0;                        // the newer report counts
};

class Controller {
 public:
  // Asks for the state of a link; called for every link and route.
  using Look = std::function<LinkState(const LinkConfig&)>;

  Controller(const std::vector<LinkConfig>& links, Look look) : links_(links), look_(std::move(look)) {}

  // Route finds the route with the fewest hops over links that are up, are not in `avoid` and can send
  // `bytes`; of several, the one whose scarcest link has most key.
  Result<std::vector<std::string>> Route(const std::string& from, const std::string& to, std::uint64_t bytes,
                                         const std::set<std::string>& avoid);
  // Bytes that could go from one to the other now.
  std::uint64_t Capacity(const std::string& from, const std::string& to);
  // How often a route of a pair was not the one before.
  std::uint64_t reroutes() const;

 private:
  struct Hop {
    std::string from;
    std::string to;
    std::uint64_t bytes;
  };
  struct Best {
    std::string previous;
    std::uint64_t bytes;
  };
  std::vector<Hop> UsableHops(std::uint64_t bytes, const std::set<std::string>& avoid) const;
  static std::map<std::string, Best> Search(const std::string& from, const std::string& to,
                                            const std::vector<Hop>& hops);

  const std::vector<LinkConfig>& links_;
  const Look look_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> last_;
  std::uint64_t reroutes_ = 0;
};

}  // namespace ssn::qkdn::sim
