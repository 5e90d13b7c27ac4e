// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharing/gf256.h"

#include <gtest/gtest.h>

#include <set>

namespace ssn::gf256 {
namespace {

std::uint8_t B(unsigned x) { return static_cast<std::uint8_t>(x); }

// Long division of polynomials, written for the eye rather than for speed.
std::uint8_t ReferenceMul(unsigned a, unsigned b, unsigned modulus) {
  unsigned product = 0;
  for (unsigned i = 0; i < 8; ++i)
    if ((b >> i & 1u) != 0) product ^= a << i;
  for (unsigned i = 14; i >= 8; --i)
    if ((product >> i & 1u) != 0) product ^= modulus << (i - 8);
  return B(product);
}

TEST(Gf256Exhaustive, MulMatchesPolynomialDivision) {
  for (unsigned a = 0; a < 256; ++a)
    for (unsigned b = 0; b < 256; ++b)
      ASSERT_EQ(ReferenceMul(a, b, 0x11D), Mul(B(a), B(b))) << a << " * " << b;
}

TEST(Gf256Exhaustive, InvIsTheInverseOfEveryNonzero) {
  EXPECT_EQ(0, Inv(0));
  for (unsigned a = 1; a < 256; ++a) ASSERT_EQ(1, Mul(B(a), Inv(B(a)))) << a;
}

TEST(Gf256Exhaustive, TwoGeneratesEveryNonzeroElement) {
  std::set<std::uint8_t> powers;
  for (int i = 0; i < 255; ++i) powers.insert(Exp(i));
  EXPECT_EQ(255u, powers.size());
  EXPECT_EQ(0u, powers.count(0));
  EXPECT_EQ(Inv(Exp(7)), Exp(-7));
}

}  // namespace
}  // namespace ssn::gf256
