// SPDX-License-Identifier: LGPL-2.1-or-later
// kme_server.h - the KME of a node on HTTPS: the URLs of ETSI GS QKD 014.
//
// Errors:    Make: as HttpServer.
// Ownership: refers to the node.
// Spec:      ETSI GS QKD 014 V1.1.1 (2019-02), clause 5, table 4.

#pragma once

#include <memory>

#include "qkdn/sim/http_server.h"
#include "qkdn/sim/kme_api.h"

namespace ssn::qkdn::sim {

// MakeKmeServer sets the server up; the caller binds and starts it. `api` must outlive it.
Result<std::unique_ptr<HttpServer>> MakeKmeServer(const NodeConfig& node, KmeApi& api);

}  // namespace ssn::qkdn::sim
