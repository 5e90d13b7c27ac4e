// SPDX-License-Identifier: LGPL-2.1-or-later
// xor_kernel.h - the sum of regions of bytes, in the widest vectors that the processor has.
//
// Shapes:    regions of any length and alignment; the output must not overlap an input.
// Errors:    none.
// Timing:    constant in the bytes of the regions.
// Threads:   pure functions.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ssn {

// Where outputs go: into the caches, for a reader that comes soon, or around them, for outputs so large
// that they would not stay there anyway.
enum class Stores { kCached, kStreaming };

struct XorKernel {
  const char* name;
  // Writes to `out` the sum of inputs[t] for all t in `terms`.
  // REQUIRES: `terms` is not empty; after kStreaming, StreamingFence before another thread may read `out`.
  void (*sum)(std::size_t length, const std::uint8_t* const* inputs, std::span<const std::uint16_t> terms,
              std::uint8_t* out, Stores stores);
};

// XorKernels are those that this processor can run, the fastest first. The last one runs anywhere.
std::span<const XorKernel> XorKernels();

void StreamingFence();

}  // namespace ssn
