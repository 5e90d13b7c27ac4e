// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_bench_memory.h - how much memory a piece of code takes at its peak.
//
// Shapes:    counts what the process gets from malloc and its kin, libraries included, and from mmap; not the
//            stack. ssn_bench_memory.cc replaces these functions in the executable it is linked into.
// Errors:    none; where sanitizers own malloc nothing is counted: see kMemoryIsCounted.
// Threads:   one meter at a time; it counts all threads.

#pragma once

#include <cstddef>
#include <functional>

namespace ssn::tools {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsCounted = false;
#else
inline constexpr bool kMemoryIsCounted = true;
#endif

// PeakMemoryOf runs `code` and returns by how many bytes the memory in use grew at most meanwhile.
std::size_t PeakMemoryOf(const std::function<void()>& code);

}  // namespace ssn::tools
