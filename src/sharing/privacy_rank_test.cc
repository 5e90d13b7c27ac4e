// SPDX-License-Identifier: LGPL-2.1-or-later
// Privacy proved by linear algebra on the generator matrix: for every coalition of every small scheme, and
// for random coalitions of large ones.
//
// The shares of a coalition are S*s + R*r: rows of the generator, cut into the columns S of the secret and R
// of the randomness. r is uniform, so R*r is uniform over the space that R's columns span: when R has full
// row rank the shares are uniform whatever s is, and in any case they tell of s no more than rank[S|R] -
// rank[R] symbols (Yamamoto 1986; Kurihara et al. 2008).
#include <algorithm>
#include <random>

#include "sharing/generator.h"
#include "sharing/gf256.h"
#include "sharing/test_util.h"

namespace ssn {
namespace {

using namespace testing_util;

using Coalition = std::vector<unsigned>;

Matrix RowsOf(const Generator& generator, const Coalition& coalition) {
  Matrix rows;
  for (const unsigned index : coalition) rows.AppendRows(generator.ShareRows(index));
  return rows;
}

Matrix RandomColumns(const Generator& generator, const Matrix& rows) {
  return rows.ColumnRange(generator.secret_columns, generator.random_columns());
}

// The columns left when those of the pieces in `known` are taken out: what is unknown to the coalition's
// friends.
Matrix WithoutPieces(const Generator& generator, const Matrix& rows, const std::vector<unsigned>& known) {
  Matrix rest(rows.rows(), rows.columns() - known.size() * generator.blocks);
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    std::size_t to = 0;
    for (std::size_t c = 0; c < rows.columns(); ++c)
      if (std::ranges::find(known, c / generator.blocks) == known.end()) rest(r, to++) = rows(r, c);
  }
  return rest;
}

void ExpectNothingIsLearnt(const Generator& generator, const Coalition& coalition) {
  const Matrix rows = RowsOf(generator, coalition);
  const std::size_t rank = Rank(RandomColumns(generator, rows));
  EXPECT_EQ(Rank(rows), rank) << "depends on the secret: " << testing::PrintToString(coalition);
  EXPECT_EQ(rows.rows(), rank) << "not uniform: " << testing::PrintToString(coalition);
}

void ExpectEverythingIsDetermined(const Generator& generator, const Coalition& coalition) {
  const Matrix rows = RowsOf(generator, coalition);
  EXPECT_TRUE(Express(rows, generator.SecretRows()).has_value()) << testing::PrintToString(coalition);
  EXPECT_TRUE(Express(rows, generator.rows).has_value()) << testing::PrintToString(coalition);
}

class EveryCoalition : public testing::TestWithParam<SchemeParams> {
 protected:
  const SchemeParams params_ = GetParam();
  const Generator generator_ = MakeGenerator(GetParam());
};

TEST_P(EveryCoalition, UpToKMinusLSharesAreUniformWhateverTheSecret) {
  for (unsigned size = 1; size <= params_.k - params_.l; ++size)
    ForEachSubset(params_.n, size,
                  [&](const Coalition& coalition) { ExpectNothingIsLearnt(generator_, coalition); });
}

TEST_P(EveryCoalition, KSharesDetermineTheSecretAndAllShares) {
  const std::size_t rank_of_all = Rank(generator_.rows);
  EXPECT_EQ(params_.k * generator_.blocks, rank_of_all);
  ForEachSubset(params_.n, params_.k, [&](const Coalition& coalition) {
    ExpectEverythingIsDetermined(generator_, coalition);
    EXPECT_EQ(rank_of_all, Rank(RowsOf(generator_, coalition)));
  });
}

// With j = 0 this is the privacy of k-l shares, with j = l it is empty: l - j pieces stay hidden from k-l+j
// shares.
TEST_P(EveryCoalition, KMinusLPlusJSharesAreIndependentOfEveryLMinusJPieces) {
  for (unsigned j = 0; j < params_.l; ++j)
    ForEachSubset(params_.n, params_.k - params_.l + j, [&](const Coalition& coalition) {
      const Matrix rows = RowsOf(generator_, coalition);
      ForEachSubset(params_.l, params_.l - j, [&](const std::vector<unsigned>& pieces) {
        EXPECT_EQ(rows.rows(), Rank(WithoutPieces(generator_, rows, pieces)))
            << testing::PrintToString(coalition) << " learns of pieces " << testing::PrintToString(pieces);
      });
    });
}

// Each share beyond k-l tells exactly one block's worth: a ramp, and for l = 1 a step.
TEST_P(EveryCoalition, WhatIsLearntGrowsByOnePieceWithEachShareBeyondKMinusL) {
  for (unsigned size = 1; size <= params_.k; ++size)
    ForEachSubset(params_.n, size, [&](const Coalition& coalition) {
      const Matrix rows = RowsOf(generator_, coalition);
      const std::size_t learnt = Rank(rows) - Rank(RandomColumns(generator_, rows));
      const unsigned beyond = size > params_.k - params_.l ? size - (params_.k - params_.l) : 0;
      EXPECT_EQ(beyond * generator_.blocks, learnt) << testing::PrintToString(coalition);
    });
}

INSTANTIATE_TEST_SUITE_P(Privacy, EveryCoalition, testing::ValuesIn(SmallSchemes()), TestName);
// n = 8 is the largest with evaluation points of its own.
std::vector<SchemeParams> PolynomialsOfEight() {
  std::vector<SchemeParams> all;
  for (unsigned k = 2; k <= 8; ++k)
    for (unsigned l = 1; l < k; ++l)
      all.push_back({l == 1 ? SchemeKind::kShamir : SchemeKind::kRamp, k, 8, l});
  return all;
}
INSTANTIATE_TEST_SUITE_P(PrivacyOfEight, EveryCoalition, testing::ValuesIn(PolynomialsOfEight()), TestName);

class SomeCoalitions : public EveryCoalition {
 protected:
  Coalition Draw(unsigned size) {
    Coalition all(params_.n);
    for (unsigned i = 0; i < params_.n; ++i) all[i] = i;
    std::ranges::shuffle(all, engine_);
    all.resize(size);
    return all;
  }

  std::mt19937 engine_{20081};
};

TEST_P(SomeCoalitions, KMinusLSharesLearnNothingAndKSharesEverything) {
  const int rounds = generator_.blocks > 16 ? 2 : 12;  // p = 257 makes large matrices
  for (int round = 0; round < rounds; ++round) {
    ExpectNothingIsLearnt(generator_, Draw(params_.k - params_.l));
    ExpectEverythingIsDetermined(generator_, Draw(params_.k));
  }
}

TEST_P(SomeCoalitions, KMinusLPlusJSharesAreIndependentOfRandomLMinusJPieces) {
  for (int round = 0; round < 12; ++round) {
    const auto j = static_cast<unsigned>(engine_() % params_.l);
    std::vector<unsigned> pieces(params_.l);
    for (unsigned i = 0; i < params_.l; ++i) pieces[i] = i;
    std::ranges::shuffle(pieces, engine_);
    pieces.resize(params_.l - j);
    const Matrix rows = RowsOf(generator_, Draw(params_.k - params_.l + j));
    EXPECT_EQ(rows.rows(), Rank(WithoutPieces(generator_, rows, pieces))) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Privacy, SomeCoalitions,
    testing::Values(SchemeParams{SchemeKind::kShamir, 64, 127, 1},
                    SchemeParams{SchemeKind::kShamir, 127, 127, 1},
                    SchemeParams{SchemeKind::kShamir, 10, 20, 1},
                    SchemeParams{SchemeKind::kRamp, 100, 120, 50},
                    SchemeParams{SchemeKind::kRamp, 127, 127, 126}, SchemeParams{SchemeKind::kRamp, 8, 17, 5},
                    SchemeParams{SchemeKind::kXor, 5, 17, 1}, SchemeParams{SchemeKind::kXor, 17, 17, 1},
                    SchemeParams{SchemeKind::kXor, 2, 127, 1}, SchemeParams{SchemeKind::kXor, 3, 18, 1},
                    SchemeParams{SchemeKind::kXor, 4, 127, 1}),
    TestName);

// Row i: the powers 0 .. columns-1 of points[i].
Matrix Vandermonde(const std::vector<std::uint8_t>& points, std::size_t columns) {
  Matrix powers(points.size(), columns);
  for (std::size_t r = 0; r < points.size(); ++r) {
    std::uint8_t power = 1;
    for (std::size_t c = 0; c < columns; ++c) {
      powers(r, c) = power;
      power = gf256::Mul(power, points[r]);
    }
  }
  return powers;
}

// The generator takes the first k-l shares as its randomness, the books take k-l coefficients. Both are the
// same: coefficients and (pieces, first k-l shares) determine each other, so one is uniform when the other
// is; and with the pieces fixed the k-l random shares are as free as the k-l coefficients.
TEST_P(SomeCoalitions, RandomSharesAreAsGoodAsRandomCoefficients) {
  if (params_.kind == SchemeKind::kXor) return;  // takes the random blocks of the paper as they are
  const EvaluationPoints points = PointsOf(params_);
  std::vector<std::uint8_t> fixed = points.pieces;
  fixed.insert(fixed.end(), points.shares.begin(), points.shares.begin() + (params_.k - params_.l));
  const Matrix from_coefficients = Vandermonde(fixed, params_.k);
  EXPECT_EQ(params_.k, Rank(from_coefficients));
  EXPECT_EQ(Vandermonde(points.shares, params_.k), generator_.rows * from_coefficients)
      << "another polynomial";
}

// All l where the points are listed, the least and the most where they follow a rule.
std::vector<unsigned> SomeL(unsigned n, unsigned k) {
  if (n > 8) return {1, k - 1};
  std::vector<unsigned> all;
  for (unsigned l = 1; l < k; ++l) all.push_back(l);
  return all;
}

TEST(EvaluationPoints, AllDiffer) {
  for (unsigned n = 2; n <= kMaxShares; ++n)
    for (unsigned k = 2; k <= n; ++k)
      for (const unsigned l : SomeL(n, k)) {
        const EvaluationPoints points = PointsOf({l == 1 ? SchemeKind::kShamir : SchemeKind::kRamp, k, n, l});
        std::vector<std::uint8_t> all = points.shares;
        all.insert(all.end(), points.pieces.begin(), points.pieces.end());
        std::ranges::sort(all);
        ASSERT_EQ(n + l, all.size());
        ASSERT_EQ(all.end(), std::ranges::adjacent_find(all)) << "k=" << k << " n=" << n << " l=" << l;
      }
}

// The scheme is only perfect with p prime and at least n; that p-1 is a power of two lets it divide every
// stripe unit.
TEST(XorPrime, IsAFermatPrimeThatCoversTheShares) {
  for (unsigned n = 2; n <= kMaxShares; ++n) {
    const unsigned p = XorPrime(n);
    EXPECT_LE(n, p);
    EXPECT_EQ(0u, (p - 1) & (p - 2)) << p;
    for (unsigned divisor = 2; divisor * divisor <= p; ++divisor) EXPECT_NE(0u, p % divisor) << p;
    for (const unsigned smaller : {3u, 5u, 17u}) EXPECT_TRUE(smaller < n || p <= smaller) << "n=" << n;
  }
}

// The rank criterion can fail: it does for one share too many, and for a generator with a random column left
// out.
TEST(TheRankCriterion, FindsALeak) {
  for (const SchemeParams& params : SmallSchemes()) {
    const Generator generator = MakeGenerator(params);
    Coalition coalition;
    for (unsigned i = 0; i < params.k; ++i) coalition.push_back(i);
    const Matrix rows = RowsOf(generator, coalition);
    EXPECT_LT(Rank(RandomColumns(generator, rows)), Rank(rows)) << ToString(params);

    Generator broken = generator;
    const std::size_t needed = (params.k - params.l) * generator.blocks;
    for (std::size_t c = needed - 1; c < generator.random_columns(); ++c)
      for (std::size_t r = 0; r < broken.rows.rows(); ++r) broken.rows(r, broken.secret_columns + c) = 0;
    coalition.resize(params.k - params.l);
    const Matrix broken_rows = RowsOf(broken, coalition);
    EXPECT_LT(Rank(RandomColumns(broken, broken_rows)), broken_rows.rows()) << ToString(params);
  }
}

}  // namespace
}  // namespace ssn
