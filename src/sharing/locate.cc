// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharing/locate.h"

#include <algorithm>
#include <cassert>

#include "sharing/gf256.h"

namespace ssn {
namespace {

using Positions = std::vector<std::size_t>;
using Polynomial = std::vector<std::uint8_t>;  // constant term first

std::uint8_t Evaluate(const Polynomial& polynomial, std::uint8_t x) {
  std::uint8_t value = 0;
  for (auto c = polynomial.rbegin(); c != polynomial.rend(); ++c) value = gf256::Mul(value, x) ^ *c;
  return value;
}

// A product in the field is a call and two table look-ups; adding up bytes goes 32 at once.
constexpr std::uint64_t kByteWorkOfMul = 32;

bool Take(std::uint64_t work, std::uint64_t& work_left) {
  if (work > work_left) {
    work_left = 0;
    return false;
  }
  work_left -= work;
  return true;
}

void Trim(Polynomial& polynomial) {
  while (!polynomial.empty() && polynomial.back() == 0) polynomial.pop_back();
}

// The quotient, when the division leaves no rest.
std::optional<Polynomial> DivideExactly(Polynomial dividend, Polynomial divisor) {
  Trim(divisor);
  if (divisor.empty()) return std::nullopt;
  Trim(dividend);
  Polynomial quotient;
  const std::uint8_t lead = gf256::Inv(divisor.back());
  while (dividend.size() >= divisor.size()) {
    const std::size_t shift = dividend.size() - divisor.size();
    quotient.resize(std::max(quotient.size(), shift + 1));
    quotient[shift] = gf256::Mul(dividend.back(), lead);
    for (std::size_t i = 0; i < divisor.size(); ++i)
      dividend[shift + i] ^= gf256::Mul(quotient[shift], divisor[i]);
    Trim(dividend);
  }
  if (!dividend.empty()) return std::nullopt;
  return quotient;
}

// Finds E of degree <= e and Q of degree < k + e with Q(x_i) = y_i E(x_i) for every share i. E is zero
// where a share is wrong, and Q / E is the polynomial of the right shares.
std::optional<Positions> BerlekampWelch(const std::vector<std::uint8_t>& points, std::size_t k,
                                        std::span<const std::uint8_t> word, std::size_t max_errors,
                                        std::uint64_t& work_left) {
  const std::size_t q_terms = k + max_errors;
  if (!Take(kByteWorkOfMul * points.size() * points.size() * points.size(), work_left)) return std::nullopt;
  Matrix equations(points.size(), q_terms + max_errors + 1);
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::uint8_t power = 1;
    for (std::size_t term = 0; term < q_terms; ++term) {
      equations(i, term) = power;
      if (term <= max_errors) equations(i, q_terms + term) = gf256::Mul(word[i], power);
      power = gf256::Mul(power, points[i]);
    }
  }
  const auto solution = NullVector(std::move(equations));
  if (!solution) return std::nullopt;
  const auto split = solution->begin() + static_cast<std::ptrdiff_t>(q_terms);
  const auto polynomial = DivideExactly({solution->begin(), split}, {split, solution->end()});
  if (!polynomial || polynomial->size() > k) return std::nullopt;
  Positions wrong;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (Evaluate(*polynomial, points[i]) != word[i]) wrong.push_back(i);
  if (wrong.size() > max_errors) return std::nullopt;
  return wrong;
}

// Looks for the smallest set of shares whose errors can produce the syndrome, by trying sets in order of
// size. The columns of the parity check that belong to the shares chosen so far are kept reduced.
class ErrorSetSearch {
 public:
  ErrorSetSearch(const Matrix& effects, std::size_t shares, std::size_t blocks, std::uint64_t& work_left)
      : effects_(effects), shares_(shares), blocks_(blocks), work_left_(work_left) {}

  std::optional<Positions> Find(std::vector<std::uint8_t> syndrome, std::size_t max_errors) {
    for (std::size_t errors = 1; errors <= max_errors && work_left_ > 0; ++errors)
      if (Extend(0, errors, syndrome)) return chosen_;
    return std::nullopt;
  }

 private:
  struct Reduced {
    std::size_t pivot;
    std::vector<std::uint8_t> effect;
  };

  static void Eliminate(const Reduced& by, std::vector<std::uint8_t>& vector) {
    // Both are over GF(2) but the syndrome, whose bytes are eight columns of bits side by side.
    const std::uint8_t factor = vector[by.pivot];
    if (factor == 0) return;
    for (std::size_t i = 0; i < vector.size(); ++i)
      vector[i] ^= static_cast<std::uint8_t>(by.effect[i] * factor);
  }

  bool Extend(std::size_t first, std::size_t left, const std::vector<std::uint8_t>& rest) {
    for (std::size_t share = first; share + left <= shares_; ++share) {
      const std::uint64_t vectors = blocks_ * (basis_.size() + blocks_);
      if (!Take(vectors * effects_.columns(), work_left_)) return false;
      const std::size_t depth = basis_.size();
      std::vector<std::uint8_t> after = rest;
      Choose(share, after);
      const bool explained = std::ranges::count(after, 0) == static_cast<std::ptrdiff_t>(after.size());
      if (explained || (left > 1 && Extend(share + 1, left - 1, after))) return true;
      chosen_.pop_back();
      basis_.resize(depth);
    }
    return false;
  }

  void Choose(std::size_t share, std::vector<std::uint8_t>& syndrome) {
    chosen_.push_back(share);
    for (std::size_t block = 0; block < blocks_; ++block) {
      const auto row = effects_.row(share * blocks_ + block);
      std::vector<std::uint8_t> effect(row.begin(), row.end());
      for (const Reduced& reduced : basis_) Eliminate(reduced, effect);
      const auto pivot = std::ranges::find(effect, 1);
      if (pivot == effect.end()) continue;
      basis_.push_back({static_cast<std::size_t>(pivot - effect.begin()), std::move(effect)});
      Eliminate(basis_.back(), syndrome);
    }
  }

  const Matrix& effects_;  // row i: what an error in block i of the word does to the syndrome
  const std::size_t shares_;
  const std::size_t blocks_;
  std::uint64_t& work_left_;
  Positions chosen_;
  std::vector<Reduced> basis_;
};

std::optional<Positions> SearchXor(const Generator& generator, std::span<const unsigned> indices,
                                   std::size_t k, std::span<const std::uint8_t> word, std::size_t max_errors,
                                   std::uint64_t& work_left) {
  const std::size_t blocks = generator.blocks;
  Matrix known;
  Matrix others;
  for (std::size_t i = 0; i < indices.size(); ++i)
    (i < k ? known : others).AppendRows(generator.ShareRows(indices[i]));
  const std::optional<Matrix> prediction = Express(known, others);
  assert(prediction.has_value());
  Matrix effects(indices.size() * blocks, others.rows());
  for (std::size_t check = 0; check < others.rows(); ++check) {
    for (std::size_t block = 0; block < k * blocks; ++block)
      effects(block, check) = (*prediction)(check, block);
    effects(k * blocks + check, check) = 1;
  }
  const auto syndrome = word.subspan(k * blocks);
  return ErrorSetSearch(effects, indices.size(), blocks, work_left)
      .Find({syndrome.begin(), syndrome.end()}, max_errors);
}

}  // namespace

std::optional<Positions> LocateErrors(const SchemeParams& params, const Generator& generator,
                                      std::span<const unsigned> indices, std::span<const std::uint8_t> word,
                                      std::size_t max_errors, std::uint64_t& work_left) {
  assert(indices.size() >= params.k + 2 * max_errors && word.size() == indices.size() * generator.blocks);
  if (params.kind == SchemeKind::kXor)
    return SearchXor(generator, indices, params.k, word, max_errors, work_left);
  const EvaluationPoints all = PointsOf(params);
  std::vector<std::uint8_t> points;
  for (const unsigned index : indices) points.push_back(all.shares[index]);
  return BerlekampWelch(points, params.k, word, max_errors, work_left);
}

}  // namespace ssn
