// SPDX-License-Identifier: LGPL-2.1-or-later
#include "erasure-code/hinfo_privacy.h"

#include <algorithm>
#include <bit>
#include <bitset>
#include <cassert>
#include <map>
#include <mutex>
#include <vector>

#include "sharing/gf256.h"

namespace ssn {
namespace {

constexpr std::size_t kCrcBits = 32;

using Bytes = std::vector<std::uint8_t>;
using Coalition = std::span<const unsigned>;

// What a share outside the coalition looks like to it: a vector over GF(2), first the part that is masked by
// randomness the coalition does not know, then the part that depends on the secret alone.
struct View {
  std::size_t masked_bytes = 0;
  std::vector<Bytes> shares;
};

bool Contains(Coalition coalition, unsigned index) {
  return std::ranges::find(coalition, index) != coalition.end();
}

// The first bit of `vector` that is set, in the order in which bytes and their high bits come first.
std::size_t LeadingBit(const Bytes& vector) {
  for (std::size_t i = 0; i < vector.size(); ++i)
    if (vector[i] != 0) return 8 * i + static_cast<std::size_t>(std::countl_zero(vector[i]));
  return 8 * vector.size();
}

// The dimension of the sums of shares (over GF(2)) in which the masks cancel and something is left.
std::size_t UnmaskedDimension(View view) {
  std::map<std::size_t, Bytes> basis;  // by leading bit
  std::size_t unmasked = 0;
  for (Bytes& vector : view.shares) {
    std::size_t lead = LeadingBit(vector);
    for (auto found = basis.find(lead); found != basis.end(); found = basis.find(lead)) {
      for (std::size_t i = lead / 8; i < vector.size(); ++i) vector[i] ^= found->second[i];
      lead = LeadingBit(vector);
    }
    if (lead == 8 * vector.size()) continue;
    if (lead >= 8 * view.masked_bytes) ++unmasked;
    basis.emplace(lead, std::move(vector));
  }
  return unmasked;
}

// Over GF(2^8) the coalition can add any multiple of its own shares to any other: that leaves the other
// shares modulo the coalition's, and zero in its pivots. Columns of randomness come first, so that a pivot is
// in a column of the secret only where the coalition knows that function of the secret anyhow.
View ViewOf(const Generator& generator, Coalition coalition) {
  assert(generator.blocks == 1);
  const Matrix& rows = generator.rows;
  View view{.masked_bytes = generator.random_columns(), .shares = std::vector<Bytes>(rows.rows())};
  for (std::size_t share = 0; share < rows.rows(); ++share) {
    const auto row = rows.row(share);
    const auto secret_end = row.begin() + static_cast<std::ptrdiff_t>(generator.secret_columns);
    view.shares[share].assign(secret_end, row.end());
    view.shares[share].insert(view.shares[share].end(), row.begin(), secret_end);
  }
  for (const unsigned member : coalition) {
    assert(member < view.shares.size());
    const Bytes known = view.shares[member];
    const auto pivot =
        static_cast<std::size_t>(std::ranges::find_if(known, [](auto x) { return x != 0; }) - known.begin());
    if (pivot == known.size()) continue;
    const std::uint8_t inverse = gf256::Inv(known[pivot]);
    for (Bytes& share : view.shares) {
      const std::uint8_t factor = gf256::Mul(share[pivot], inverse);
      if (factor == 0) continue;
      for (std::size_t i = pivot; i < share.size(); ++i) share[i] ^= gf256::Mul(factor, known[i]);
    }
  }
  return view;  // the coalition's own shares are zero now
}

// The ring GF(2)[X] modulo 1 + X + ... + X^(p-1), in which X has order p. Elements have p coefficients;
// adding the modulus makes the last one 0.
class XorRing {
 public:
  using Element = std::bitset<257>;

  explicit XorRing(unsigned p) : p_(p) {}

  // a * X^power
  Element Shift(const Element& a, std::size_t power) const {
    power %= p_;
    return (a << power | a >> (p_ - power)) & Modulus();
  }
  void Append(Element a, Bytes& out) const {
    if (a[p_ - 1]) a ^= Modulus();
    const std::size_t start = out.size();
    out.resize(start + (p_ + 6) / 8);
    for (std::size_t i = 0; i + 1 < p_; ++i)
      if (a[i]) out[start + i / 8] |= static_cast<std::uint8_t>(0x80 >> i % 8);
  }

 private:
  Element Modulus() const { return ~Element() >> (Element().size() - p_); }
  std::size_t p_;
};

// Over that ring share i of the XOR scheme is secret * X^-i + r_0 + r_1 X^i + ... + r_(k-2) X^(i(k-2)), and
// to a coalition C the same polynomial times the product of (X^i + X^c) over C, with |C| random terms fewer:
// PRIVACY.md.
View ViewOfXor(const SchemeParams& params, Coalition coalition) {
  const XorRing ring(XorPrime(params.n));
  const unsigned p = XorPrime(params.n);
  View view;
  if (coalition.size() >= params.k) return view;
  const std::size_t random_terms = params.k - 1 - coalition.size();
  for (unsigned share = 0; share < params.n; ++share) {
    if (Contains(coalition, share)) continue;
    XorRing::Element product(1);
    for (const unsigned member : coalition) {
      assert(member < params.n);
      product = ring.Shift(product, share) ^ ring.Shift(product, member);
    }
    Bytes& vector = view.shares.emplace_back();
    for (std::size_t term = 0; term < random_terms; ++term)
      ring.Append(ring.Shift(product, share * term), vector);
    view.masked_bytes = vector.size();
    ring.Append(ring.Shift(product, p - share), vector);
  }
  return view;
}

// C(n, c), or kMaxHinfoWork + 1 when it is larger than kMaxHinfoWork.
std::uint64_t Coalitions(unsigned n, unsigned c) {
  std::uint64_t count = 1;
  for (unsigned i = 1; i <= std::min(c, n - c); ++i) {
    count = count * (n + 1 - i) / i;
    if (count > kMaxHinfoWork) return kMaxHinfoWork + 1;
  }
  return count;
}

// The next set of as many numbers below n, in lexical order; false after the last.
bool Next(std::vector<unsigned>& set, unsigned n) {
  for (std::size_t i = set.size(); i-- > 0;) {
    if (set[i] + (set.size() - i) >= n) continue;
    ++set[i];
    for (std::size_t j = i + 1; j < set.size(); ++j) set[j] = set[j - 1] + 1;
    return true;
  }
  return false;
}

// A larger coalition knows more. So one size without a leak is enough, whatever was found for smaller ones.
unsigned ComputePrivacy(const SchemeParams& params) {
  const bool is_xor = params.kind == SchemeKind::kXor;
  const Generator generator = is_xor ? Generator() : MakeGenerator(params);
  const auto leaks = [&](const std::vector<unsigned>& coalition) {
    return UnmaskedDimension(is_xor ? ViewOfXor(params, coalition) : ViewOf(generator, coalition)) != 0;
  };
  for (unsigned size = params.k - params.l - 1; size > 0; --size) {
    if (Coalitions(params.n, size) * params.n * params.k > kMaxHinfoWork) continue;
    std::vector<unsigned> coalition(size);
    for (unsigned i = 0; i < size; ++i) coalition[i] = i;
    bool leak = leaks(coalition);
    while (!leak && Next(coalition, params.n)) leak = leaks(coalition);
    if (!leak) return size;
  }
  return 0;
}

}  // namespace

std::size_t HinfoLeakBits(const Generator& generator, Coalition coalition) {
  return kCrcBits * UnmaskedDimension(ViewOf(generator, coalition));
}

std::size_t HinfoLeakBits(const SchemeParams& params, Coalition coalition) {
  assert(Validate(params).ok());
  if (params.kind == SchemeKind::kXor) return kCrcBits * UnmaskedDimension(ViewOfXor(params, coalition));
  return HinfoLeakBits(MakeGenerator(params), coalition);
}

unsigned HinfoPrivacy(const SchemeParams& params) {
  assert(Validate(params).ok());
  static std::mutex mutex;
  static std::map<SchemeParams, unsigned> known;
  const std::lock_guard lock(mutex);
  const auto [found, added] = known.try_emplace(params);
  if (added) found->second = ComputePrivacy(params);
  return found->second;
}

}  // namespace ssn
