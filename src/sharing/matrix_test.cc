// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharing/matrix.h"

#include <gtest/gtest.h>

#include <random>

#include "sharing/gf256.h"

namespace ssn {
namespace {

Matrix Random(std::size_t rows, std::size_t columns, std::mt19937& engine) {
  Matrix m(rows, columns);
  for (std::size_t r = 0; r < rows; ++r)
    for (auto& entry : m.row(r)) entry = static_cast<std::uint8_t>(engine());
  return m;
}

TEST(Matrix, ExpressFindsTheCombinationThatWasMade) {
  std::mt19937 engine(1);
  for (int round = 0; round < 50; ++round) {
    const Matrix basis = Random(5, 8, engine);  // 5 random rows of 8 are independent but for 2^-32
    const Matrix combination = Random(3, 5, engine);
    EXPECT_EQ(combination, Express(basis, combination * basis).value());
  }
}

TEST(Matrix, ExpressRefusesWhatIsNoCombination) {
  Matrix basis(1, 2);
  basis(0, 0) = 1;
  Matrix target(1, 2);
  target(0, 1) = 1;
  EXPECT_FALSE(Express(basis, target).has_value());
}

TEST(Matrix, RankCountsIndependentRows) {
  std::mt19937 engine(2);
  Matrix m = Random(4, 6, engine);
  EXPECT_EQ(4u, Rank(m));
  m.AppendRows(Random(3, 4, engine) * m);
  EXPECT_EQ(4u, Rank(m));
  EXPECT_EQ(0u, Rank(Matrix(3, 3)));
}

TEST(Matrix, NullVectorIsMappedToZeroAndIsNotZero) {
  std::mt19937 engine(3);
  for (int round = 0; round < 50; ++round) {
    const Matrix m = Random(4, 5, engine);
    const auto vector = NullVector(m);
    ASSERT_TRUE(vector.has_value());
    Matrix column(5, 1);
    for (std::size_t i = 0; i < 5; ++i) column(i, 0) = (*vector)[i];
    EXPECT_EQ(Matrix(4, 1), m * column);
    EXPECT_NE(Matrix(5, 1), column);
  }
  EXPECT_FALSE(NullVector(Matrix::Identity(3)).has_value());
}

}  // namespace
}  // namespace ssn
