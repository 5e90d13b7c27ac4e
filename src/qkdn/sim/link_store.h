// SPDX-License-Identifier: LGPL-2.1-or-later
// link_store.h - what a key management agent (KMA) keeps of the key of one QKD link in one direction: a
// stream of bytes of which each is handed out once.
//
// Shapes:    positions count bytes from the begin of an epoch. Both ends of a link hold the same stream: the
//            sender takes it in order, the receiver takes the range a message names, in any order.
// Errors:    kCorrupt: a position this end does not hold; the ends have lost step, or it was used before.
// Ownership: key comes in by move and leaves by move; what was taken is wiped here.
// Threads:   any; one lock for each store.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "qkdn/sim/pooled_secret.h"
#include "ssn/status.h"

namespace ssn::qkdn::sim {

struct LinkKey {
  std::uint64_t epoch = 0;
  std::uint64_t start = 0;
  PooledSecret bytes;
};

class LinkStore {
 public:
  // Reset drops and wipes everything; the stream begins again at position 0 of `epoch`.
  void Reset(std::uint64_t epoch);
  // Append continues the stream: the key must begin where it ends.
  Status Append(LinkKey key);
  // TakeNext takes the next bytes of the stream, nothing if there are fewer.
  std::optional<LinkKey> TakeNext(std::size_t size);
  Result<PooledSecret> TakeAt(std::uint64_t epoch, std::uint64_t start, std::size_t size);
  std::uint64_t stored_bytes() const;

 private:
  struct Chunk {
    PooledSecret bytes;  // its size is the room; the first `filled` bytes are of the stream
    std::size_t filled = 0;
    std::size_t left = 0;  // of these, not yet taken
  };

  PooledSecret Remove(std::uint64_t start, std::size_t size);
  void CopyOut(std::uint64_t start, MutableByteSpan out);

  mutable std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t stored_ = 0;
  std::map<std::uint64_t, Chunk> chunks_;          // by position of their first byte
  std::map<std::uint64_t, std::uint64_t> ranges_;  // start -> end of what has not been taken
};

}  // namespace ssn::qkdn::sim
