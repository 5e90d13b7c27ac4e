// SPDX-License-Identifier: LGPL-2.1-or-later
// matrix.h - small matrices over GF(2^8), the coefficients of everything done with shares.
//
// A matrix with entries 0 and 1 only is a matrix over GF(2), and elimination keeps it one: the XOR
// scheme needs no second implementation.
//
// Errors:    shapes that do not fit are our own bugs and assert.
// Timing:    depends on the entries; entries are public.
// Threads:   values.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ssn {

class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns), entries_(rows * columns) {}
  static Matrix Identity(std::size_t size);

  std::size_t rows() const noexcept { return rows_; }
  std::size_t columns() const noexcept { return columns_; }
  std::uint8_t& operator()(std::size_t row, std::size_t column) { return entries_[row * columns_ + column]; }
  std::uint8_t operator()(std::size_t row, std::size_t column) const {
    return entries_[row * columns_ + column];
  }
  std::span<std::uint8_t> row(std::size_t r) { return {&entries_[r * columns_], columns_}; }
  std::span<const std::uint8_t> row(std::size_t r) const { return {&entries_[r * columns_], columns_}; }

  // Rows [first, first + count), or columns likewise, as a matrix of their own.
  Matrix RowRange(std::size_t first, std::size_t count) const;
  Matrix ColumnRange(std::size_t first, std::size_t count) const;
  void AppendRows(const Matrix& more);

  friend bool operator==(const Matrix&, const Matrix&) = default;

 private:
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::vector<std::uint8_t> entries_;
};

Matrix operator*(const Matrix& a, const Matrix& b);

// Rank of the rows.
std::size_t Rank(Matrix matrix);

// Express finds X with X * basis = targets: how the targets are combined from rows that are known.
// Nothing when one of the targets is not a combination of the rows of `basis`.
std::optional<Matrix> Express(const Matrix& basis, const Matrix& targets);

// NullVector finds a nonzero column v with matrix * v = 0; nothing when there is only zero.
std::optional<std::vector<std::uint8_t>> NullVector(Matrix matrix);

}  // namespace ssn
