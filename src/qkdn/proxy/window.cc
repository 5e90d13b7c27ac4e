// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/window.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "qkdn/proxy/link_io.h"
#include "ssn/secret.h"

namespace ssn::qkdn::proxy {
namespace {

Status SystemError(const char* what) {
  return Status::Unavailable(fmt::format("window: {}: {}", what, std::strerror(errno)));
}

}  // namespace

Window::Window(WindowMemory& account, std::uint64_t size, std::uint64_t page)
    : account_(account), size_(size), page_(page), free_{{0, size}}, resident_(size / page) {
  account_.Add(*this);
}

Result<std::unique_ptr<Window>> Window::Make(std::uint64_t asked_bytes, WindowMemory& account) {
  if (asked_bytes == 0) return Status::InvalidArgument("window_bytes=0: a window holds at least one byte");
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  // Larger than the account it could be filled from outside only.
  const std::uint64_t most = std::max(std::min(kMaxBytes, account.max()) / page, std::uint64_t{1}) * page;
  const std::uint64_t size = (std::min(asked_bytes, most) + page - 1) / page * page;
  std::unique_ptr<Window> window(new Window(account, size, page));
  if (Status status = window->Map(); !status.ok()) return status;
  return window;
}

Status Window::Map() {
  fd_ = memfd_create("ssn-pad", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd_ < 0) return SystemError("memfd_create");
  if (ftruncate(fd_, static_cast<off_t>(size_)) != 0) return SystemError("ftruncate");
  if (fcntl(fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return SystemError("F_ADD_SEALS");
  void* base = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (base == MAP_FAILED) return SystemError("mmap");
  base_ = static_cast<std::uint8_t*>(base);
  if (madvise(base, size_, MADV_DONTDUMP) != 0) return SystemError("MADV_DONTDUMP");
  if (madvise(base, size_, MADV_DONTFORK) != 0) return SystemError("MADV_DONTFORK");
  locked_ = mlock2(base, size_, MLOCK_ONFAULT) == 0;
  if (!locked_ && account_.require_lock()) return SystemError("mlock2 (LimitMEMLOCK)");
  return {};
}

Window::~Window() {
  if (base_ != nullptr) munmap(base_, size_);
  if (fd_ >= 0) close(fd_);
  account_.Return(resident());
  account_.Remove(*this);
}

std::uint64_t Window::MostFor(std::size_t bytes) const noexcept {
  return bytes <= kSmallRequestBytes ? size_ : (size_ - WindowMemory::KeptForSmall(size_)) / page_ * page_;
}

MutableByteSpan Window::Allocate(std::size_t bytes) {
  const std::uint64_t most = MostFor(bytes);
  if (bytes == 0 || bytes > most) return {};
  const std::uint64_t length = (bytes + page_ - 1) / page_ * page_;
  if (allocated_ > most - length) return {};
  const auto room = std::ranges::find_if(free_, [&](const auto& extent) { return extent.second >= length; });
  if (room == free_.end()) return {};
  const auto [offset, room_length] = *room;
  const bool small = bytes <= kSmallRequestBytes;
  if (!MakeResident(offset, length, small ? 0 : WindowMemory::KeptForSmall(account_.max()))) return {};
  free_.erase(room);
  if (room_length > length) free_.emplace(offset + length, room_length - length);
  allocated_ += length;
  return {base_ + offset, bytes};
}

bool Window::MakeResident(std::uint64_t offset, std::uint64_t length, std::uint64_t left) {
  const std::uint64_t first = offset / page_;
  const std::uint64_t last = first + length / page_;
  const auto missing_pages = [&] {
    return static_cast<std::uint64_t>(std::count(resident_.begin() + static_cast<std::ptrdiff_t>(first),
                                                 resident_.begin() + static_cast<std::ptrdiff_t>(last),
                                                 false));
  };
  std::uint64_t missing = missing_pages();
  if (missing == 0 && left == 0) return true;
  if (!account_.Reserve(missing * page_, left)) return false;
  // Reserve may have trimmed this very window.
  if (const std::uint64_t now = missing_pages(); now != missing) {
    if (!account_.Reserve((now - missing) * page_, left)) return account_.Return(missing * page_), false;
    missing = now;
  }
  std::fill(resident_.begin() + static_cast<std::ptrdiff_t>(first),
            resident_.begin() + static_cast<std::ptrdiff_t>(last), true);
  resident_pages_ += missing;
  return true;
}

void Window::Free(MutableByteSpan memory) {
  Wipe(memory);
  TakeBack(memory);
}

void Window::TakeBack(MutableByteSpan memory) {
  if (memory.empty()) return;
  std::uint64_t offset = OffsetOf(memory);
  std::uint64_t length = (memory.size() + page_ - 1) / page_ * page_;
  allocated_ -= length;
  if (offset + length > kKeptBytes) {
    const std::uint64_t from = std::max(offset, kKeptBytes);
    GiveBack(from, offset + length - from);
  }
  auto next = free_.upper_bound(offset);
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == offset) {
      offset = previous->first;
      length += previous->second;
      free_.erase(previous);
    }
  }
  if (next != free_.end() && offset + length == next->first) {
    length += next->second;
    free_.erase(next);
  }
  free_.emplace(offset, length);
}

void Window::GiveBack(std::uint64_t offset, std::uint64_t length) {
  const auto begin = resident_.begin() + static_cast<std::ptrdiff_t>(offset / page_);
  const auto end = begin + static_cast<std::ptrdiff_t>(length / page_);
  const auto pages = static_cast<std::uint64_t>(std::count(begin, end, true));
  if (pages == 0) return;
  // Should the system refuse, the pages stay, and stay on the account.
  if (fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                static_cast<off_t>(length)) != 0)
    return;
  std::fill(begin, end, false);
  resident_pages_ -= pages;
  account_.Return(pages * page_);
}

void Window::Trim() {
  for (const auto& [offset, length] : free_)
    if (offset < kKeptBytes) GiveBack(offset, std::min(length, kKeptBytes - offset));
}

}  // namespace ssn::qkdn::proxy
