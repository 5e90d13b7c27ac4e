// SPDX-License-Identifier: LGPL-2.1-or-later
// gf256.h - arithmetic in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11d), the field of ISA-L.
//
// Shapes:  one byte is one element; 2 generates all 255 nonzero elements.
// Errors:  none; every byte is valid input. Inv(0) is 0.
// Timing:  by table look-ups: for coefficients and indices, which are public, never for secret bytes.
// Threads: pure functions.

#pragma once

#include <cstdint>

namespace ssn::gf256 {

std::uint8_t Mul(std::uint8_t a, std::uint8_t b) noexcept;
std::uint8_t Inv(std::uint8_t a) noexcept;
// Exp is 2 to the power of `exponent`; negative powers are inverses.
std::uint8_t Exp(int exponent) noexcept;

}  // namespace ssn::gf256
