// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharing/gf256.h"

#include <isa-l/erasure_code.h>

namespace ssn::gf256 {

std::uint8_t Mul(std::uint8_t a, std::uint8_t b) noexcept { return gf_mul(a, b); }

std::uint8_t Inv(std::uint8_t a) noexcept { return gf_inv(a); }

std::uint8_t Exp(int exponent) noexcept {
  std::uint8_t power = 1;
  for (int i = ((exponent % 255) + 255) % 255; i > 0; --i) power = Mul(power, 2);
  return power;
}

}  // namespace ssn::gf256
