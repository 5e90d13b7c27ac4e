// SPDX-License-Identifier: LGPL-2.1-or-later
// granted_pad.h - which memory of the window holds pad of which stream, as the proxy's grants said. It
// checks each of them, so that nothing a proxy sends leads outside the window or to pad that another stream
// is using.
//
// Errors:    kUnavailable with what the proxy did wrong.
// Threads:   no locking of its own.

#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "qkdn/protocol/north.h"
#include "ssn/status.h"

namespace ssn::qkdn::client {

class GrantedPad {
 public:
  explicit GrantedPad(std::uint64_t window_bytes) : window_bytes_(window_bytes) {}

  Status Open(std::uint32_t handle);
  bool IsOpen(std::uint32_t handle) const { return streams_.contains(handle); }
  // REQUIRES: IsOpen(grant.handle), and a grant that was decoded: its sums do not wrap.
  Status Add(const north::Grant& grant);
  // Release: all pad of the stream below `offset` is used, its memory may be granted again.
  void Release(std::uint32_t handle, std::uint64_t offset) noexcept;
  void Close(std::uint32_t handle) noexcept;

 private:
  struct Stream {
    std::uint64_t next_offset = 0;
    std::deque<north::Grant> grants;  // with pad not released, in order
  };

  std::uint64_t window_bytes_;
  std::map<std::uint32_t, Stream> streams_;
  std::map<std::uint64_t, std::uint64_t> taken_;  // begin to end in the window; none overlap
};

}  // namespace ssn::qkdn::client
