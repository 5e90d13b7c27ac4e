// SPDX-License-Identifier: LGPL-2.1-or-later
// secret.h - memory for secrets: wiped, kept out of core dumps and, where the limit allows, out of swap.
//
// Shapes:    whole pages of their own, so that locking and excluding them touches nothing else.
// Errors:    the constructor throws std::bad_alloc when there is no memory; nothing else fails.
//            A page that RLIMIT_MEMLOCK does not let us lock is used unlocked: see locked().
// Ownership: move-only; the destructor wipes, then unmaps.
// Threads:   no locking of its own.

#pragma once

#include <cstddef>
#include <utility>

#include "ssn/bytes.h"

namespace ssn {

// Wipe overwrites a region with zeros in a way the compiler may not leave out.
void Wipe(MutableByteSpan region) noexcept;

class SecretBytes {
 public:
  SecretBytes() noexcept = default;
  // Makes `size` zero bytes; size 0 maps nothing. Children of fork() find zeros in their place.
  explicit SecretBytes(std::size_t size);
  SecretBytes(SecretBytes&& other) noexcept { swap(other); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    SecretBytes(std::move(other)).swap(*this);
    return *this;
  }
  ~SecretBytes();

  std::uint8_t* data() noexcept { return data_; }
  const std::uint8_t* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  MutableByteSpan span() noexcept { return {data_, size_}; }
  ByteSpan span() const noexcept { return {data_, size_}; }
  // True when the pages cannot be swapped out, in the process that made them: fork() does not hand it down.
  bool locked() const noexcept { return locked_; }

 private:
  void swap(SecretBytes& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapped_, other.mapped_);
    std::swap(locked_, other.locked_);
  }

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;
  bool locked_ = false;
};

}  // namespace ssn
