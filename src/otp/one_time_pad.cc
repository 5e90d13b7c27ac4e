// SPDX-License-Identifier: LGPL-2.1-or-later
#include "otp/one_time_pad.h"

#include <cassert>
#include <cstddef>

namespace ssn::otp {
namespace {

// A vector that every 64-bit target has, and the same at any address over any type. (g++ 12 forgets about
// the address when it has to take a wider one apart.)
constexpr std::size_t kVectorBytes = 16;
// Pad comes from another core, or from memory. A caller that authenticates a piece before it goes on to the
// next finds that there. It is no access: what lies behind the pad may be anything.
constexpr std::size_t kPrefetchBytes = 4096;
typedef std::uint64_t Value __attribute__((vector_size(kVectorBytes)));
typedef std::uint64_t Memory __attribute__((vector_size(kVectorBytes), aligned(1), may_alias));

[[gnu::always_inline]] inline void StepVector(std::uint8_t* pad, const std::uint8_t* in, std::uint8_t* out) {
  const Value mask = *reinterpret_cast<const Memory*>(pad);
  const Value data = *reinterpret_cast<const Memory*>(in);
  *reinterpret_cast<Memory*>(out) = data ^ mask;
  *reinterpret_cast<Memory*>(pad) = Value{};
}

}  // namespace

void XorAndWipe(MutableByteSpan pad, ByteSpan in, MutableByteSpan out) noexcept {
  assert(pad.size() == in.size() && in.size() == out.size());
  std::uint8_t* const p = pad.data();
  const std::size_t size = pad.size();
  std::size_t done = 0;
  for (; size - done >= 4 * kVectorBytes; done += 4 * kVectorBytes) {
    __builtin_prefetch(p + done + kPrefetchBytes, 1);
    for (std::size_t at = done; at < done + 4 * kVectorBytes; at += kVectorBytes)
      StepVector(p + at, in.data() + at, out.data() + at);
  }
  for (; done < size; ++done) {
    out[done] = static_cast<std::uint8_t>(in[done] ^ p[done]);
    p[done] = 0;
  }
  // Tells the compiler that the zeros are read.
  __asm__ __volatile__("" : : "r"(p) : "memory");
}

}  // namespace ssn::otp
