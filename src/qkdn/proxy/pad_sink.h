// SPDX-License-Identifier: LGPL-2.1-or-later
// pad_sink.h - where the pad of one stream goes at this node: the window of the program that opened it.
//
// Ownership: a sink lives from the successful Open... of its link until Link::Close... for it, or until
//            Ended was called. Memory that Allocate gave out stays valid until Free or Granted for it.
// Threads:   that of the proxy's event loop. A sink must not call back into the link from within one of
//            these calls.

#pragma once

#include <cstdint>
#include <string>

#include "qkdn/protocol/north.h"
#include "ssn/bytes.h"

namespace ssn::qkdn::proxy {

class PadSink {
 public:
  virtual ~PadSink() = default;
  // Owner tells the sinks of one program from those of others.
  virtual const void* Owner() const = 0;
  // Allocate sets memory of the program's window aside; empty when there is no room.
  virtual MutableByteSpan Allocate(std::size_t bytes) = 0;
  // Free gives it back unused; the sink wipes it.
  virtual void Free(MutableByteSpan memory) = 0;
  // Granted hands it to the program, filled. From here on the sink's owner enters its use or burning in the
  // ledger.
  virtual void Granted(std::uint64_t offset, std::uint64_t position, MutableByteSpan memory) = 0;
  // Done and Refused end a request to transmit.
  virtual void Done(std::uint32_t request) = 0;
  virtual void Refused(std::uint32_t request, north::Refusal reason, const std::string& message) = 0;
  // Ended is the link's last call to this sink; requests not done by then are refused through it as well.
  virtual void Ended(north::Refusal reason) = 0;
};

}  // namespace ssn::qkdn::proxy
