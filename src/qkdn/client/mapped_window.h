// SPDX-License-Identifier: LGPL-2.1-or-later
// mapped_window.h - the memory a proxy shares with this program, mapped: not in core dumps, not in
// children.
//
// Errors:    kUnavailable when the file could be cut while it is mapped, has another size than was said, or
//            cannot be mapped as it must be.
// Ownership: the mapping; the descriptor stays the caller's.
// Threads:   no locking of its own.
// Spec:      src/qkdn/protocol/NORTH.md, "Transport".

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "qkdn/client/fork_mark.h"
#include "ssn/bytes.h"
#include "ssn/status.h"

namespace ssn::qkdn::client {

class MappedWindow {
 public:
  // Map maps `bytes` of `descriptor`. The pause shows that no fork comes between mapping it and keeping it
  // from children.
  static Result<std::unique_ptr<MappedWindow>> Map(int descriptor, std::uint64_t bytes,
                                                   const ForkPause& pause);
  ~MappedWindow();
  MappedWindow(const MappedWindow&) = delete;
  MappedWindow& operator=(const MappedWindow&) = delete;

  std::size_t size() const noexcept { return size_; }
  // REQUIRES: offset + length <= size().
  MutableByteSpan At(std::uint64_t offset, std::uint64_t length) const noexcept {
    return {data_ + offset, static_cast<std::size_t>(length)};
  }

 private:
  explicit MappedWindow(std::size_t size) : size_(size) {}

  std::uint8_t* data_ = nullptr;
  std::size_t size_;
};

}  // namespace ssn::qkdn::client
