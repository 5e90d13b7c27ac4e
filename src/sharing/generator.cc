// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharing/generator.h"

#include "sharing/gf256.h"

namespace ssn {
namespace {

// The value at `x` of the polynomial that is 1 at points[which] and 0 at the other points.
std::uint8_t Lagrange(const std::vector<std::uint8_t>& points, std::size_t which, std::uint8_t x) {
  std::uint8_t value = 1;
  for (std::size_t other = 0; other < points.size(); ++other) {
    if (other == which) continue;
    const auto distance = static_cast<std::uint8_t>(points[which] ^ points[other]);
    value = gf256::Mul(value, gf256::Mul(static_cast<std::uint8_t>(x ^ points[other]), gf256::Inv(distance)));
  }
  return value;
}

// A polynomial of degree < k is fixed by its values at any k points. We fix it by the l pieces of the
// secret and by the first k-l shares, which are simply random: the same distribution as random
// coefficients, because those values and the coefficients determine each other, with k-l fewer
// shares to compute.
Generator MakePolynomialGenerator(const SchemeParams& params) {
  const EvaluationPoints points = PointsOf(params);
  const unsigned random_shares = params.k - params.l;
  std::vector<std::uint8_t> fixed = points.pieces;
  fixed.insert(fixed.end(), points.shares.begin(), points.shares.begin() + random_shares);

  Generator generator{.blocks = 1, .secret_columns = params.l, .rows = Matrix(params.n, params.k)};
  for (unsigned share = 0; share < params.n; ++share)
    for (unsigned column = 0; column < params.k; ++column)
      generator.rows(share, column) = Lagrange(fixed, column, points.shares[share]);
  return generator;
}

// Kurihara et al. 2008: block j of share i is s_{j-i} + r^0_j + r^1_{i+j} + ... + r^{k-2}_{(k-2)i+j}, indices
// modulo p. s_0 is zero; r^0 has p-1 blocks, because j stops at p-2, every other r^h has p.
Generator MakeXorGenerator(const SchemeParams& params) {
  const unsigned p = XorPrime(params.n);
  const unsigned blocks = p - 1;
  const auto random_column = [&](unsigned h, unsigned q) {
    return h == 0 ? blocks + q : blocks + blocks + (h - 1) * p + q;
  };

  Generator generator{.blocks = blocks,
                      .secret_columns = blocks,
                      .rows = Matrix(params.n * blocks, blocks + (params.k - 1) * p - 1)};
  for (unsigned i = 0; i < params.n; ++i) {
    for (unsigned j = 0; j < blocks; ++j) {
      const auto row = generator.rows.row(i * blocks + j);
      if (const unsigned q = (j + p - i) % p; q != 0) row[q - 1] = 1;
      for (unsigned h = 0; h + 1 < params.k; ++h) row[random_column(h, (h * i + j) % p)] ^= 1;
    }
  }
  return generator;
}

}  // namespace

Matrix Generator::SecretRows() const {
  Matrix unit(secret_columns, rows.columns());
  for (std::size_t i = 0; i < secret_columns; ++i) unit(i, i) = 1;
  return unit;
}

Generator MakeGenerator(const SchemeParams& params) {
  return params.kind == SchemeKind::kXor ? MakeXorGenerator(params) : MakePolynomialGenerator(params);
}

unsigned XorPrime(unsigned n) {
  for (const unsigned p : {3u, 5u, 17u})
    if (p >= n) return p;
  return 257;
}

}  // namespace ssn
