// SPDX-License-Identifier: LGPL-2.1-or-later
// sealed.h - what is made of short streams over one connection: envelopes, and the same pad at both ends.
//
// Errors:    as in ssn/pad_client.h.
// Threads:   any number.
// Spec:      src/otp/ENVELOPE.md; src/qkdn/protocol/NORTH.md, "The same pad at both ends".

#pragma once

#include <memory>
#include <vector>

#include "qkdn/client/connection.h"
#include "ssn/pad_client.h"

namespace ssn::qkdn::client {

using ConnectionPtr = std::shared_ptr<Connection>;

Result<std::vector<std::uint8_t>> SealFor(const ConnectionPtr& connection, NodeId peer, ByteSpan context,
                                          ByteSpan plaintext, Deadline deadline);
Result<SecretBytes> UnsealFrom(const ConnectionPtr& connection, ByteSpan envelope, ByteSpan context,
                               Deadline deadline, NodeId* from);
Result<SecretBytes> TakeSharedPad(const ConnectionPtr& connection, NodeId peer, const StreamId& label,
                                  std::size_t bytes, Deadline deadline);

}  // namespace ssn::qkdn::client
