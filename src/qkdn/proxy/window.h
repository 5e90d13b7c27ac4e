// SPDX-License-Identifier: LGPL-2.1-or-later
// window.h - the memory through which one local program gets its pad: a file without a name that both map.
//
// Shapes:    address space of a fixed size; memory is taken page by page as it is used. Sealed against
//            changing its size, not against writing: the program wipes what it used.
// Errors:    Make answers kUnavailable. Allocate answers empty when there is no room in the window, or none
//            in the account.
// Ownership: the mapping and the descriptor; the account outlives the window. What the window gave out is
//            wiped by Free alone: what is not freed when the window is destroyed may be in a living program's
//            hands, which would take the zeros for pad. The kernel clears it when the program's mapping is
//            gone, too.
// Threads:   no locking of its own.
// Spec:      memfd_create(2), fcntl(2) (F_ADD_SEALS), mlock2(2).

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "qkdn/proxy/window_memory.h"
#include "ssn/bytes.h"
#include "ssn/status.h"

namespace ssn::qkdn::proxy {

class Window {
 public:
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;
  // Below this offset freed pages stay with the window until the account is short of memory: pad will come
  // there again, and a page made anew costs more than the pad that passes through it.
  static constexpr std::uint64_t kKeptBytes = std::uint64_t{128} << 20;

  // Make gives a window of `asked_bytes`, at most kMaxBytes and the account's limit, rounded up to whole
  // pages.
  static Result<std::unique_ptr<Window>> Make(std::uint64_t asked_bytes, WindowMemory& account);
  ~Window();
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  int descriptor() const noexcept { return fd_; }
  std::uint64_t size() const noexcept { return size_; }
  bool locked() const noexcept { return locked_; }
  std::uint64_t allocated() const noexcept { return allocated_; }
  std::uint64_t resident() const noexcept { return resident_pages_ * page_; }

  // MostFor is the most that a grant of `bytes` can find in an empty window: one that is not small leaves
  // what WindowMemory keeps for those.
  std::uint64_t MostFor(std::size_t bytes) const noexcept;
  // Allocate takes whole pages at the lowest offset that has room, so that the pages used last are used
  // again.
  MutableByteSpan Allocate(std::size_t bytes);
  // Free wipes and takes back what Allocate gave.
  void Free(MutableByteSpan memory);
  // TakeBack does not wipe: the program has, and what it left there it had already.
  void TakeBack(MutableByteSpan memory);
  std::uint64_t OffsetOf(MutableByteSpan memory) const noexcept {
    return static_cast<std::uint64_t>(memory.data() - base_);
  }
  // Trim gives the pages that nobody uses back to the system.
  void Trim();

 private:
  Window(WindowMemory& account, std::uint64_t size, std::uint64_t page);
  Status Map();
  bool MakeResident(std::uint64_t offset, std::uint64_t length, std::uint64_t left);
  void GiveBack(std::uint64_t offset, std::uint64_t length);

  WindowMemory& account_;
  const std::uint64_t size_;
  const std::uint64_t page_;
  int fd_ = -1;
  std::uint8_t* base_ = nullptr;
  bool locked_ = false;
  std::map<std::uint64_t, std::uint64_t> free_;  // offset to length, never adjacent
  std::vector<bool> resident_;                   // of each page
  std::uint64_t resident_pages_ = 0;
  std::uint64_t allocated_ = 0;
};

}  // namespace ssn::qkdn::proxy
