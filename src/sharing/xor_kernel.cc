// SPDX-License-Identifier: LGPL-2.1-or-later
// Why not ISA-L's xor_gen: whether it stores into the caches depends on the processor (AVX-512: always; AVX
// and SSE: never, and only to aligned regions), but it is the size of all outputs together that should
// decide. Figures are at kStreamFrom in sharing.cc.
#include "sharing/xor_kernel.h"

#include <vector>

namespace ssn {
namespace {

// One vector of kBytes, at any address. All of this struct is inlined into a function that is compiled for an
// instruction set with such vectors.
template <std::size_t kBytes>
struct Lanes {
  typedef std::uint64_t Value __attribute__((vector_size(kBytes)));
  typedef std::uint64_t Memory __attribute__((vector_size(kBytes), aligned(1), may_alias));

  template <bool kStream>
  [[gnu::always_inline]] static void Store(std::uint8_t* to, const Value& value) {
#if defined(__x86_64__)
    // Not the intrinsics: they can not be inlined through a template.
    if constexpr (kStream && kBytes == 16) {
      asm("movntdq %1, %0" : "=m"(*reinterpret_cast<Memory*>(to)) : "x"(value));
      return;
    } else if constexpr (kStream) {
      asm("vmovntdq %1, %0" : "=m"(*reinterpret_cast<Memory*>(to)) : "v"(value));
      return;
    }
#endif
    *reinterpret_cast<Memory*>(to) = value;
  }

  // Adds up kCount vectors at `offset`, two terms at once: AVX-512 has an instruction that adds three
  // vectors.
  template <std::size_t kCount, bool kStream>
  [[gnu::always_inline]] static void SumAt(std::size_t offset, const std::uint8_t* const* inputs,
                                           std::span<const std::uint16_t> terms, std::uint8_t* out) {
    Value sum[kCount];
    const Memory* a = reinterpret_cast<const Memory*>(inputs[terms[0]] + offset);
    for (std::size_t v = 0; v < kCount; ++v) sum[v] = a[v];
    std::size_t term = 1;
    for (; term + 1 < terms.size(); term += 2) {
      a = reinterpret_cast<const Memory*>(inputs[terms[term]] + offset);
      const Memory* b = reinterpret_cast<const Memory*>(inputs[terms[term + 1]] + offset);
      for (std::size_t v = 0; v < kCount; ++v) sum[v] = sum[v] ^ a[v] ^ b[v];
    }
    if (term < terms.size()) {
      a = reinterpret_cast<const Memory*>(inputs[terms[term]] + offset);
      for (std::size_t v = 0; v < kCount; ++v) sum[v] ^= a[v];
    }
    for (std::size_t v = 0; v < kCount; ++v) Store<kStream>(out + offset + v * kBytes, sum[v]);
  }

  template <bool kStream>
  [[gnu::always_inline]] static void Sum(std::size_t length, const std::uint8_t* const* inputs,
                                         std::span<const std::uint16_t> terms, std::uint8_t* out) {
    constexpr std::size_t kCount = 128 / kBytes;
    std::size_t offset = 0;
    for (; length - offset >= 128; offset += 128) SumAt<kCount, kStream>(offset, inputs, terms, out);
    for (; length - offset >= kBytes; offset += kBytes) SumAt<1, kStream>(offset, inputs, terms, out);
    for (; offset < length; ++offset) {
      std::uint8_t sum = 0;
      for (const std::uint16_t t : terms) sum ^= inputs[t][offset];
      out[offset] = sum;
    }
  }

  [[gnu::always_inline]] static void Dispatch(std::size_t length, const std::uint8_t* const* inputs,
                                              std::span<const std::uint16_t> terms, std::uint8_t* out,
                                              Stores stores) {
    // Streaming stores take aligned addresses only.
    if (stores == Stores::kStreaming && reinterpret_cast<std::uintptr_t>(out) % kBytes == 0)
      Sum<true>(length, inputs, terms, out);
    else
      Sum<false>(length, inputs, terms, out);
  }
};

void SumBaseline(std::size_t length, const std::uint8_t* const* inputs, std::span<const std::uint16_t> terms,
                 std::uint8_t* out, Stores stores) {
  Lanes<16>::Dispatch(length, inputs, terms, out, stores);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void SumAvx2(std::size_t length, const std::uint8_t* const* inputs,
                                     std::span<const std::uint16_t> terms, std::uint8_t* out, Stores stores) {
  Lanes<32>::Dispatch(length, inputs, terms, out, stores);
}

[[gnu::target("avx512f")]] void SumAvx512(std::size_t length, const std::uint8_t* const* inputs,
                                          std::span<const std::uint16_t> terms, std::uint8_t* out,
                                          Stores stores) {
  Lanes<64>::Dispatch(length, inputs, terms, out, stores);
}
#endif

}  // namespace

std::span<const XorKernel> XorKernels() {
  static const std::vector<XorKernel> kernels = [] {
    std::vector<XorKernel> available;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) available.push_back({"avx512", SumAvx512});
    if (__builtin_cpu_supports("avx2")) available.push_back({"avx2", SumAvx2});
#endif
    available.push_back({"baseline", SumBaseline});
    return available;
  }();
  return kernels;
}

void StreamingFence() {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}

}  // namespace ssn
