// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench_memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace {

std::atomic<bool> counting{false};
std::atomic<long long> in_use{0};  // relative to the start of counting
std::atomic<long long> peak{0};

[[maybe_unused]] void Add(long long bytes) noexcept {
  if (!counting.load(std::memory_order_relaxed)) return;
  const long long now = in_use.fetch_add(bytes) + bytes;
  long long highest = peak.load();
  while (now > highest && !peak.compare_exchange_weak(highest, now)) {
  }
}

}  // namespace

namespace ssn::tools {

std::size_t PeakMemoryOf(const std::function<void()>& code) {
  in_use = 0;
  peak = 0;
  counting = true;
  code();
  counting = false;
  return static_cast<std::size_t>(peak.load());
}

}  // namespace ssn::tools

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// glibc lets an executable bring its own allocation functions; these only count and pass on.
extern "C" {

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

#pragma GCC visibility push(default)

void* malloc(size_t size) {
  void* block = __libc_malloc(size);
  Add(static_cast<long long>(malloc_usable_size(block)));
  return block;
}

void* calloc(size_t count, size_t size) {
  void* block = __libc_calloc(count, size);
  Add(static_cast<long long>(malloc_usable_size(block)));
  return block;
}

void* realloc(void* old, size_t size) {
  const auto before = static_cast<long long>(malloc_usable_size(old));
  void* block = __libc_realloc(old, size);
  if (block != nullptr || size == 0) Add(static_cast<long long>(malloc_usable_size(block)) - before);
  return block;
}

void* memalign(size_t alignment, size_t size) {
  void* block = __libc_memalign(alignment, size);
  Add(static_cast<long long>(malloc_usable_size(block)));
  return block;
}

void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}

void free(void* block) {
  Add(-static_cast<long long>(malloc_usable_size(block)));
  __libc_free(block);
}

void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  void* block = reinterpret_cast<void*>(syscall(SYS_mmap, address, size, protection, flags, file, offset));
  if (block != MAP_FAILED) Add(static_cast<long long>(size));
  return block;
}

int munmap(void* block, size_t size) {
  const long result = syscall(SYS_munmap, block, size);
  if (result == 0) Add(-static_cast<long long>(size));
  return static_cast<int>(result);
}

#pragma GCC visibility pop

}  // extern "C"

#endif
