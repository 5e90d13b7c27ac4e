// SPDX-License-Identifier: LGPL-2.1-or-later
// neighbour.h - a node as the node at the other end of a link sees it on reference point Kx: another Node of
// this process (node.h), or a process of its own (https_neighbour.h).

#pragma once

#include "qkdn/sim/relay.h"

namespace ssn::qkdn::sim {

class Neighbour {
 public:
  virtual ~Neighbour() = default;
  // Relay hands a sealed message over and returns when the destination holds the keys, or why not.
  virtual Outcome Relay(RelayMessage message) = 0;
};

}  // namespace ssn::qkdn::sim
