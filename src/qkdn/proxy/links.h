// SPDX-License-Identifier: LGPL-2.1-or-later
// links.h - what local programs may reach of the proxy: its links, by the peer's node.
//
// Ownership: what Find gives lives as long as the proxy.
// Threads:   that of the event loop.

#pragma once

#include <string>

#include "qkdn/proxy/attachments.h"
#include "qkdn/proxy/ledger.h"
#include "qkdn/proxy/link.h"
#include "ssn/pad_client.h"

namespace ssn::qkdn::proxy {

struct LinkParts {
  Link& link;
  Ledger& tx_ledger;
  Ledger& rx_ledger;
};

class Links {
 public:
  virtual ~Links() = default;
  virtual NodeId self() const = 0;
  virtual const std::string& self_name() const = 0;
  // Find is null if there is no such peer.
  virtual const LinkParts* Find(NodeId peer) = 0;
  virtual Attachments& attachments() = 0;
  virtual std::string StatusJson() = 0;
};

}  // namespace ssn::qkdn::proxy
