// SPDX-License-Identifier: LGPL-2.1-or-later
// kx_server.h - reference point Kx of a node in a process of its own: the other side of HttpsNeighbour.
//
// Errors:    401 for whoever is no neighbour of the node, 400 for what cannot be read.
// Ownership: refers to the node.
// Spec:      kx_wire.h.

#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "qkdn/sim/http_server.h"
#include "qkdn/sim/node.h"

namespace ssn::qkdn::sim {

// `report` says what this process knows of the links. Node and report must outlive the server.
Result<std::unique_ptr<HttpServer>> MakeKxServer(Node& node, std::function<std::vector<LinkState>()> report);

}  // namespace ssn::qkdn::sim
