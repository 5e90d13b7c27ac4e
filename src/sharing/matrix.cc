// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharing/matrix.h"

#include <algorithm>
#include <cassert>

#include "sharing/gf256.h"

namespace ssn {
namespace {

// row += factor * other
void AddScaled(std::span<std::uint8_t> row, std::uint8_t factor, std::span<const std::uint8_t> other) {
  if (factor == 0) return;
  if (factor == 1) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] ^= other[i];
    return;
  }
  for (std::size_t i = 0; i < row.size(); ++i) row[i] ^= gf256::Mul(factor, other[i]);
}

void Scale(std::span<std::uint8_t> row, std::uint8_t factor) {
  if (factor == 1) return;
  for (std::uint8_t& entry : row) entry = gf256::Mul(factor, entry);
}

// Reduces the first `columns` columns to reduced row echelon form. The pivot of row i is in column
// pivots[i] of the result; rows from pivots.size() on are zero there.
std::vector<std::size_t> Reduce(Matrix& m, std::size_t columns) {
  std::vector<std::size_t> pivots;
  for (std::size_t column = 0; column < columns && pivots.size() < m.rows(); ++column) {
    const std::size_t top = pivots.size();
    std::size_t pivot = top;
    while (pivot < m.rows() && m(pivot, column) == 0) ++pivot;
    if (pivot == m.rows()) continue;
    if (pivot != top) std::ranges::swap_ranges(m.row(pivot), m.row(top));
    Scale(m.row(top), gf256::Inv(m(top, column)));
    for (std::size_t other = 0; other < m.rows(); ++other)
      if (other != top) AddScaled(m.row(other), m(other, column), m.row(top));
    pivots.push_back(column);
  }
  return pivots;
}

}  // namespace

Matrix Matrix::Identity(std::size_t size) {
  Matrix identity(size, size);
  for (std::size_t i = 0; i < size; ++i) identity(i, i) = 1;
  return identity;
}

Matrix Matrix::RowRange(std::size_t first, std::size_t count) const {
  assert(first + count <= rows_);
  Matrix part(count, columns_);
  std::copy_n(entries_.begin() + static_cast<std::ptrdiff_t>(first * columns_), count * columns_,
              part.entries_.begin());
  return part;
}

Matrix Matrix::ColumnRange(std::size_t first, std::size_t count) const {
  assert(first + count <= columns_);
  Matrix part(rows_, count);
  for (std::size_t r = 0; r < rows_; ++r)
    std::ranges::copy(row(r).subspan(first, count), part.row(r).begin());
  return part;
}

void Matrix::AppendRows(const Matrix& more) {
  if (rows_ == 0) columns_ = more.columns_;
  assert(more.columns_ == columns_);
  entries_.insert(entries_.end(), more.entries_.begin(), more.entries_.end());
  rows_ += more.rows_;
}

Matrix operator*(const Matrix& a, const Matrix& b) {
  assert(a.columns() == b.rows());
  Matrix product(a.rows(), b.columns());
  for (std::size_t i = 0; i < a.rows(); ++i)
    for (std::size_t j = 0; j < a.columns(); ++j) AddScaled(product.row(i), a(i, j), b.row(j));
  return product;
}

std::size_t Rank(Matrix matrix) { return Reduce(matrix, matrix.columns()).size(); }

std::optional<Matrix> Express(const Matrix& basis, const Matrix& targets) {
  assert(basis.columns() == targets.columns());
  const std::size_t known = basis.rows();
  const std::size_t unknowns = basis.columns();
  // [ basis | identity ] is reduced; the right part records how each reduced row came about.
  Matrix reduced(known, unknowns + known);
  for (std::size_t r = 0; r < known; ++r) {
    std::ranges::copy(basis.row(r), reduced.row(r).begin());
    reduced(r, unknowns + r) = 1;
  }
  const std::vector<std::size_t> pivots = Reduce(reduced, unknowns);

  Matrix combination(targets.rows(), known);
  std::vector<std::uint8_t> rest(unknowns);
  for (std::size_t t = 0; t < targets.rows(); ++t) {
    std::ranges::copy(targets.row(t), rest.begin());
    for (std::size_t i = 0; i < pivots.size(); ++i) {
      const std::uint8_t factor = rest[pivots[i]];
      AddScaled(rest, factor, reduced.row(i).first(unknowns));
      AddScaled(combination.row(t), factor, reduced.row(i).subspan(unknowns));
    }
    if (std::ranges::any_of(rest, [](std::uint8_t entry) { return entry != 0; })) return std::nullopt;
  }
  return combination;
}

std::optional<std::vector<std::uint8_t>> NullVector(Matrix matrix) {
  const std::vector<std::size_t> pivots = Reduce(matrix, matrix.columns());
  if (pivots.size() == matrix.columns()) return std::nullopt;
  std::size_t free = 0;
  while (free < pivots.size() && pivots[free] == free) ++free;
  // Set the first free unknown to 1 and read the others off the reduced rows.
  std::vector<std::uint8_t> vector(matrix.columns());
  vector[free] = 1;
  for (std::size_t i = 0; i < pivots.size(); ++i) vector[pivots[i]] = matrix(i, free);
  return vector;
}

}  // namespace ssn
