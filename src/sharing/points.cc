// SPDX-License-Identifier: LGPL-2.1-or-later
#include <array>
#include <map>

#include "sharing/generator.h"
#include "sharing/gf256.h"

namespace ssn {
namespace {

// Ceph keeps the CRC32C of every share on every shard (hinfo). CRC is linear over GF(2), so the points decide
// how many shareholders may pool their shares and that list and still learn nothing. With these it is
// k-l-1 of them for every n <= 8, the most there can be; they were found by search.
// src/erasure-code/PRIVACY.md has the criterion, hinfo_rank_test.cc compares it with ranks.
constexpr unsigned kMaxChosen = 8;
using Points = std::vector<std::uint8_t>;

constexpr std::array<std::uint8_t, 7> kShamirSeven = {135, 167, 8, 102, 173, 148, 206};
const std::map<unsigned, std::array<std::uint8_t, 8>> kShamirEight = {
    {4, {63, 59, 20, 136, 61, 76, 111, 97}},      {5, {207, 15, 179, 66, 59, 238, 72, 27}},
    {6, {76, 87, 62, 29, 201, 97, 171, 219}},     {7, {213, 86, 11, 12, 200, 82, 197, 57}},
    {8, {137, 199, 146, 235, 170, 18, 231, 135}},
};
Points ShamirShares(unsigned k, unsigned n) {
  if (n == 7 && k >= 3) return {kShamirSeven.begin(), kShamirSeven.end()};
  if (n == 8 && k >= 4) return {kShamirEight.at(k).begin(), kShamirEight.at(k).end()};
  Points powers;
  for (unsigned i = 0; i < n; ++i) powers.push_back(gf256::Exp(static_cast<int>(i)));
  return powers;
}

constexpr std::array<std::uint8_t, kMaxChosen> kRampShares = {1, 232, 53, 164, 118, 189, 36, 222};
const std::map<unsigned, Points> kRampPieces = {
    // by k-l
    {1, {0, 2, 8, 6, 10, 3, 13}},
    {2, {0, 39, 65, 103, 42, 109}},
    {3, {0, 61, 191, 84, 206}},
    {4, {0, 205, 243, 186}},
    {5, {0, 59, 98}},
    {6, {0, 2}},
};

// Shares at odd points: no sum of an odd number of them is 0, which is all that k = 3 needs at any n. The
// order in which odd and even points are taken, that of the powers of 2^109, does best over all k and l of n
// = 9 and 10 among the simple orders tried.
EvaluationPoints PointsOfMany(unsigned n, unsigned l) {
  constexpr int kStep = 109;
  EvaluationPoints points{.shares = {}, .pieces = {0}};
  for (int i = 0; points.shares.size() < n || points.pieces.size() < l; ++i) {
    const std::uint8_t point = gf256::Exp(kStep * i);
    if (point % 2 == 1 && points.shares.size() < n) points.shares.push_back(point);
    if (point % 2 == 0 && points.pieces.size() < l) points.pieces.push_back(point);
  }
  return points;
}

}  // namespace

EvaluationPoints PointsOf(const SchemeParams& params) {
  const auto& [kind, k, n, l] = params;
  EvaluationPoints points;
  if (n > kMaxChosen) {
    points = PointsOfMany(n, l);
  } else if (kind == SchemeKind::kRamp) {
    points.shares.assign(kRampShares.begin(), kRampShares.begin() + n);
    const Points& pieces = kRampPieces.at(k - l);
    points.pieces.assign(pieces.begin(), pieces.begin() + l);
  } else {
    points = {ShamirShares(k, n), {0}};
  }
  return points;
}

}  // namespace ssn
