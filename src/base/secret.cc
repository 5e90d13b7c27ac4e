// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace ssn {

void Wipe(MutableByteSpan region) noexcept {
  if (!region.empty()) explicit_bzero(region.data(), region.size());
}

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  if (size > SIZE_MAX - page) throw std::bad_alloc();
  mapped_ = (size + page - 1) / page * page;
  void* region = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (region == MAP_FAILED) throw std::bad_alloc();
  // Both advices hold on private anonymous memory of every Linux we support (4.14 and later).
  madvise(region, mapped_, MADV_DONTDUMP);
  madvise(region, mapped_, MADV_WIPEONFORK);
  // mlock2, as the address sanitizer puts a function that does nothing in the place of mlock.
  locked_ = mlock2(region, mapped_, 0) == 0;
  data_ = static_cast<std::uint8_t*>(region);
}

SecretBytes::~SecretBytes() {
  if (data_ == nullptr) return;
  Wipe(span());
  munmap(data_, mapped_);
}

}  // namespace ssn
