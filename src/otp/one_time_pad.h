// SPDX-License-Identifier: LGPL-2.1-or-later
// one_time_pad.h - the one-time pad: data XOR pad, and the pad is gone.
//
// Shapes:    regions of equal length and any alignment.
// Errors:    none.
// Ownership: nothing is kept after return.
// Timing:    constant in pad and data; depends on the length.
// Threads:   pure function of its regions.
// Spec:      C. E. Shannon, Communication Theory of Secrecy Systems (1949), section 10.

#pragma once

#include "ssn/bytes.h"

namespace ssn::otp {

// XorAndWipe writes in ^ pad to `out` and zeros to `pad`, in one pass and in a way the compiler may not
// leave out. REQUIRES: equal sizes; `in` and `out` are the same memory or do not overlap; `pad` overlaps
// neither.
void XorAndWipe(MutableByteSpan pad, ByteSpan in, MutableByteSpan out) noexcept;

}  // namespace ssn::otp
