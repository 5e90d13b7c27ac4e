// SPDX-License-Identifier: LGPL-2.1-or-later
// generator.h - every scheme as one matrix: how each block of each share comes from the blocks of the
// secret and from blocks of randomness. All operations on shares are derived from it.
//
// Shapes:    n * blocks rows, share after share; secret_columns = l * blocks columns for the blocks of the
//            secret, piece after piece, then one column for each block of randomness.
// Threads:   values.
// Spec:      FORMAT.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sharing/matrix.h"
#include "ssn/scheme.h"

namespace ssn {

struct Generator {
  std::size_t blocks = 1;  // blocks in a share and in a piece
  std::size_t secret_columns = 0;
  Matrix rows;

  std::size_t random_columns() const { return rows.columns() - secret_columns; }
  Matrix ShareRows(unsigned index) const { return rows.RowRange(index * blocks, blocks); }
  // The rows that name the secret itself: unit vectors.
  Matrix SecretRows() const;
};

// MakeGenerator. REQUIRES: Validate(params) is OK.
Generator MakeGenerator(const SchemeParams& params);

// The points at which the polynomial of shamir and ramp is evaluated. They are part of the share format.
// `shares` has n of them, `pieces` l; all differ.
struct EvaluationPoints {
  std::vector<std::uint8_t> shares;
  std::vector<std::uint8_t> pieces;
};
EvaluationPoints PointsOf(const SchemeParams& params);

// XorPrime is the p of an XOR scheme: the smallest Fermat prime >= n, so that p-1 blocks divide any stripe
// unit.
unsigned XorPrime(unsigned n);

}  // namespace ssn
