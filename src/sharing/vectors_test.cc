// SPDX-License-Identifier: LGPL-2.1-or-later
// Known answers: the field as other programs have it, shares of the other usual field, and the share format
// as FORMAT.md and testdata/format1.vec fix it.
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "sharing/generator.h"
#include "sharing/gf256.h"
#include "sharing/test_util.h"
#include "sharing/vector_file.h"
#include "ssn/version.h"

namespace ssn {
namespace {

using namespace testing_util;

TEST(FieldVectors, TheForeignPowersOfTwoGiveEveryProduct) {
  std::vector<Record> records = ReadRecords(Here("testdata/gf256.vec"));
  ASSERT_EQ(2u, records.size());
  const Bytes powers = records[0].TakeAllHex("powers");
  ASSERT_EQ(255u, powers.size());
  for (std::size_t i = 0; i < 255; ++i) {
    EXPECT_EQ(powers[i], gf256::Exp(static_cast<int>(i)));
    for (std::size_t j = 0; j < 255; ++j) ASSERT_EQ(powers[(i + j) % 255], gf256::Mul(powers[i], powers[j]));
    ASSERT_EQ(powers[(255 - i) % 255], gf256::Inv(powers[i]));
  }
  for (unsigned a = 0; a < 256; ++a) {
    EXPECT_EQ(0, gf256::Mul(static_cast<std::uint8_t>(a), 0));
    EXPECT_EQ(0, gf256::Mul(0, static_cast<std::uint8_t>(a)));
  }
}

TEST(FieldVectors, ProductsAreThoseOfGfComplete) {
  std::vector<Record> records = ReadRecords(Here("testdata/gf256.vec"));
  const Bytes products = records.at(1).TakeAllHex("products");
  ASSERT_EQ(3u * 320, products.size());
  for (std::size_t i = 0; i < products.size(); i += 3)
    EXPECT_EQ(products[i + 2], gf256::Mul(products[i], products[i + 1]))
        << +products[i] << " * " << +products[i + 1];
}

// Multiplication as polynomials over GF(2), reduced: slow, and shares nothing with gf256.h.
std::uint8_t SlowMul(unsigned a, unsigned b, unsigned modulus) {
  unsigned product = 0;
  for (int bit = 7; bit >= 0; --bit) {
    product <<= 1;
    if ((product & 0x100) != 0) product ^= modulus;
    if ((b >> bit & 1u) != 0) product ^= a;
  }
  return static_cast<std::uint8_t>(product);
}

// The value at 0 of the polynomial through (points[i], values[i]).
Bytes InterpolateAtZero(const Bytes& points, const std::vector<Bytes>& values) {
  Matrix powers(points.size(), points.size());
  for (std::size_t r = 0; r < points.size(); ++r) {
    std::uint8_t power = 1;
    for (std::size_t c = 0; c < points.size(); ++c) {
      powers(r, c) = power;
      power = gf256::Mul(power, points[r]);
    }
  }
  Matrix at_zero(1, points.size());
  at_zero(0, 0) = 1;
  const Matrix weights = Express(powers, at_zero).value();
  Bytes result(values[0].size());
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t c = 0; c < result.size(); ++c) result[c] ^= gf256::Mul(weights(0, i), values[i][c]);
  return result;
}

struct ForeignVector {
  Bytes secret;
  Bytes points;
  std::vector<Bytes> values;

  Bytes Combine(const std::vector<unsigned>& chosen) const {
    Bytes x;
    std::vector<Bytes> y;
    for (const unsigned i : chosen) {
      x.push_back(points[i]);
      y.push_back(values[i]);
    }
    return InterpolateAtZero(x, y);
  }
};

std::vector<unsigned> PositionsOf(const Bytes& wanted, const Bytes& points) {
  std::vector<unsigned> positions;
  for (const std::uint8_t point : wanted)
    positions.push_back(static_cast<unsigned>(std::ranges::find(points, point) - points.begin()));
  return positions;
}

TEST(ForeignFieldVectors, HoldUnderTheIsomorphismAndNotWithoutIt) {
  std::vector<Record> records = ReadRecords(Here("testdata/gf11b.vec"));
  const Bytes images = records.at(0).TakeHex("images");
  ASSERT_EQ(8u, images.size());
  std::array<std::uint8_t, 256> to{}, back{};
  for (unsigned a = 0; a < 256; ++a)
    for (unsigned bit = 0; bit < 8; ++bit)
      if ((a >> bit & 1u) != 0) to[a] ^= images[bit];
  for (unsigned a = 0; a < 256; ++a) back[to[a]] = static_cast<std::uint8_t>(a);
  for (unsigned a = 0; a < 256; ++a)
    for (unsigned b = 0; b < 256; ++b) ASSERT_EQ(to[SlowMul(a, b, 0x11B)], gf256::Mul(to[a], to[b]));
  const auto map = [](Bytes bytes, const std::array<std::uint8_t, 256>& table) {
    for (std::uint8_t& byte : bytes) byte = table[byte];
    return bytes;
  };

  for (std::size_t r = 1; r < records.size(); ++r) {
    Record& record = records[r];
    SCOPED_TRACE(record.Take("name"));
    const auto k = static_cast<unsigned>(std::stoul(record.Take("k")));
    ForeignVector foreign{.secret = record.TakeHex("secret"), .points = {}, .values = {}};
    ForeignVector ours = foreign;
    for (unsigned x = 1; x < 256; ++x) {
      const std::string key = "share." + ToHex(Bytes{static_cast<std::uint8_t>(x)});
      if (!record.Has(key)) continue;
      foreign.points.push_back(static_cast<std::uint8_t>(x));
      foreign.values.push_back(record.TakeHex(key));
      ours.points.push_back(to[x]);
      ours.values.push_back(map(foreign.values.back(), to));
    }
    ForEachSubset(static_cast<unsigned>(foreign.points.size()), k, [&](const std::vector<unsigned>& chosen) {
      EXPECT_EQ(foreign.secret, map(ours.Combine(chosen), back)) << testing::PrintToString(chosen);
    });
    EXPECT_NE(foreign.secret, foreign.Combine(PositionsOf(record.TakeHex("detects"), foreign.points)));
    if (record.Has("blind")) {
      EXPECT_EQ(foreign.secret, foreign.Combine(PositionsOf(record.TakeHex("blind"), foreign.points)));
    }
    record.ExpectAllTaken();
  }
}

void ExpectEveryKSharesGiveAll(const Sharing& sharing, const Bytes& secret,
                               const std::vector<Bytes>& shares) {
  const auto [kind, k, n, l] = sharing.params();
  ASSERT_EQ(n, shares.size());
  ForEachSubset(n, k, [&, n = n](const std::vector<unsigned>& chosen) {
    Bytes combined(secret.size());
    ASSERT_TRUE(sharing.Combine(Pick(shares, chosen), combined).ok());
    ASSERT_EQ(secret, combined) << testing::PrintToString(chosen);
    // With p = 257 each new map takes milliseconds; one share stands for all there.
    for (unsigned index = 0; index < (sharing.granule() > 16 ? 1 : n); ++index) {
      Bytes rebuilt(shares[index].size());
      ASSERT_TRUE(sharing.Rebuild(Pick(shares, chosen), index, rebuilt).ok());
      ASSERT_EQ(shares[index], rebuilt) << "share " << index << " from " << testing::PrintToString(chosen);
    }
  });
}

// Byte number i is the top byte of i * 0x9E3779B97F4A7C15 mod 2^64: a count that looks like noise.
class CountingSource final : public RandomSource {
 public:
  Status Fill(MutableByteSpan out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(count_++ * 0x9E3779B97F4A7C15u >> 56);
    return {};
  }

 private:
  std::uint64_t count_ = 1;
};

// The same randomness gives the same shares, byte by byte. Should the order in which Split draws its
// randomness ever change, this test alone fails, and its file is then replaced: the order is no part of the
// format.
TEST(Format1, SplitMakesTheFrozenShares) {
  ASSERT_EQ(1u, kShareFormat);
  constexpr SchemeKind kShamir = SchemeKind::kShamir, kRamp = SchemeKind::kRamp, kXor = SchemeKind::kXor;
  std::string text =
      "# Shares of format 1, one record for each scheme: name k n l.\n"
      "# The secret is bytes 1, 2, 3, ... of the sequence whose byte i is the top byte of\n"
      "# i * 0x9e3779b97f4a7c15 mod 2^64; the random bytes are those after the secret's, in the order Split "
      "asks.\n"
      "# Written by: SSN_WRITE_VECTORS=1 vectors_test --gtest_filter=Format1.SplitMakesTheFrozenShares\n";
  const std::vector<SchemeParams> schemes = {
      {kShamir, 2, 3, 1}, {kShamir, 3, 5, 1},  {kShamir, 2, 7, 1}, {kShamir, 3, 7, 1}, {kShamir, 4, 7, 1},
      {kShamir, 3, 8, 1}, {kShamir, 4, 8, 1},  {kShamir, 5, 8, 1}, {kShamir, 6, 8, 1}, {kShamir, 7, 8, 1},
      {kShamir, 8, 8, 1}, {kShamir, 3, 20, 1}, {kRamp, 4, 6, 2},   {kRamp, 5, 7, 3},   {kRamp, 6, 8, 5},
      {kRamp, 8, 8, 7},   {kRamp, 4, 9, 2},    {kXor, 2, 3, 1},    {kXor, 3, 3, 1},    {kXor, 2, 5, 1},
      {kXor, 3, 5, 1},    {kXor, 5, 5, 1},     {kXor, 4, 7, 1},    {kXor, 2, 18, 1}};
  for (const SchemeParams& params : schemes) {
    const auto sharing = Make(params);
    const std::size_t share_bytes = std::max<std::size_t>(32, sharing->granule());
    Bytes secret(params.l * share_bytes);
    std::vector<Bytes> shares(params.n, Bytes(share_bytes));
    CountingSource count;
    ASSERT_TRUE(count.Fill(secret).ok());
    ASSERT_TRUE(sharing->Split(secret, Spans(shares), count).ok());
    text += "\nscheme = " + std::string(SchemeName(params.kind)) + " " + std::to_string(params.k) + " " +
            std::to_string(params.n) + " " + std::to_string(params.l) + "\nsecret = " + ToHex(secret) + "\n";
    for (unsigned i = 0; i < params.n; ++i)
      text += "share." + std::to_string(i) + " = " + ToHex(shares[i]) + "\n";
  }
  ExpectFrozen("format1.vec", text);
}

TEST(Format1, EveryKOfTheFrozenSharesGiveTheSecretAndAllShares) {
  for (Record& record : ReadRecords(Here("testdata/format1.vec"))) {
    const SchemeParams params = record.TakeScheme();
    SCOPED_TRACE(ToString(params));
    const Bytes secret = record.TakeHex("secret");
    ExpectEveryKSharesGiveAll(*Make(params), secret, record.TakeShares(params.n));
    record.ExpectAllTaken();
  }
}

// The worked examples of FORMAT.md, computed from its words alone: Horner's rule with the slow product, and
// the paper's sum of blocks.
Bytes PolynomialAt(std::uint8_t x, const std::vector<Bytes>& coefficients) {
  Bytes value(coefficients[0].size());
  for (std::size_t c = 0; c < value.size(); ++c)
    for (std::size_t degree = coefficients.size(); degree-- > 0;)
      value[c] = static_cast<std::uint8_t>(SlowMul(value[c], x, 0x11D) ^ coefficients[degree][c]);
  return value;
}

Bytes XorShare(const SchemeParams& params, unsigned i, const Bytes& secret,
               const std::vector<Bytes>& random) {
  const unsigned p = params.n <= 3 ? 3 : params.n <= 5 ? 5 : params.n <= 17 ? 17 : 257;
  const std::size_t block = secret.size() / (p - 1);
  Bytes share(secret.size());
  const auto add = [&](unsigned j, const Bytes& blocks, std::size_t q) {
    for (std::size_t c = 0; c < block; ++c) share[j * block + c] ^= blocks.at(q * block + c);
  };
  for (unsigned j = 0; j < p - 1; ++j) {
    const unsigned q = (j + p - i) % p;
    if (q != 0) add(j, secret, q - 1);
    for (unsigned h = 0; h < random.size(); ++h) add(j, random[h], (h * i + j) % p);
  }
  return share;
}

std::vector<Bytes> TakeNumbered(Record& record, const std::string& key, unsigned count) {
  std::vector<Bytes> all;
  for (unsigned i = 0; i < count; ++i) all.push_back(record.TakeHex(key + "." + std::to_string(i)));
  return all;
}

TEST(FormatDocument, ItsWorkedExamplesFollowFromItsWordsAndFromTheLibrary) {
  std::size_t examples = 0;
  for (Record& record : ReadRecords(Here("FORMAT.md"))) {
    if (!record.Has("scheme")) continue;
    const SchemeParams params = record.TakeScheme();
    SCOPED_TRACE(ToString(params));
    const Bytes secret = record.TakeHex("secret");
    std::vector<Bytes> shares;
    if (params.kind == SchemeKind::kXor) {
      const std::vector<Bytes> random = TakeNumbered(record, "r", params.k - 1);
      for (unsigned i = 0; i < params.n; ++i) shares.push_back(XorShare(params, i, secret, random));
    } else {
      const std::vector<Bytes> coefficients = TakeNumbered(record, "coefficient", params.k);
      const EvaluationPoints points = PointsOf(params);
      EXPECT_EQ(points.pieces, record.TakeHex("piece points"));
      EXPECT_EQ(points.shares, record.TakeHex("share points"));
      Bytes pieces;
      for (const std::uint8_t point : points.pieces) {
        const Bytes piece = PolynomialAt(point, coefficients);
        pieces.insert(pieces.end(), piece.begin(), piece.end());
      }
      EXPECT_EQ(secret, pieces) << ToHex(pieces);
      for (const std::uint8_t point : points.shares) shares.push_back(PolynomialAt(point, coefficients));
    }
    const std::vector<Bytes> written = record.TakeShares(params.n);
    for (unsigned i = 0; i < params.n; ++i) EXPECT_EQ(ToHex(shares[i]), ToHex(written[i])) << "share " << i;
    ExpectEveryKSharesGiveAll(*Make(params), secret, shares);
    record.ExpectAllTaken();
    ++examples;
  }
  EXPECT_EQ(4u, examples);
}

TEST(FormatDocument, ItsPointsAreTheOnesInUse) {
  std::map<std::pair<unsigned, unsigned>, Bytes> shamir;  // exceptions, by n and k
  std::map<unsigned, Bytes> ramp_pieces;                  // by k-l
  Bytes ramp_shares;
  for (Record& record : ReadRecords(Here("FORMAT.md"))) {
    if (record.Has("scheme")) continue;
    while (record.Has("shamir points")) {
      unsigned n = 0, least_k = 0, most_k = 0;
      std::array<char, 64> hex{};
      const std::string line = record.Take("shamir points");
      ASSERT_EQ(4, std::sscanf(line.c_str(), "n=%u k=%u..%u %63[0-9a-f]", &n, &least_k, &most_k, hex.data()))
          << line;
      for (unsigned k = least_k; k <= most_k; ++k) shamir[{n, k}] = FromHex(hex.data());
    }
    if (record.Has("ramp share points")) ramp_shares = record.TakeHex("ramp share points");
    for (unsigned privacy = 1; privacy < 8; ++privacy)
      if (const std::string key = "ramp piece points k-l=" + std::to_string(privacy); record.Has(key))
        ramp_pieces[privacy] = record.TakeHex(key);
    record.ExpectAllTaken();
  }

  std::uint8_t step = 1;
  for (int i = 0; i < 109; ++i) step = SlowMul(step, 2, 0x11D);
  Bytes odd, even = {0};
  std::uint8_t power = 1;
  for (int i = 0; i < 255; ++i, power = SlowMul(power, step, 0x11D))
    (power % 2 == 1 ? odd : even).push_back(power);

  for (unsigned n = 2; n <= kMaxShares; ++n)
    for (unsigned k = 2; k <= n; ++k)
      for (unsigned l = 1; l < k; ++l) {
        if (n > 8 && l > 1 && l + 1 < k) continue;  // where a rule holds: the least and the most pieces
        Bytes shares, pieces;
        for (unsigned i = 0; i < n; ++i) {
          if (n > 8)
            shares.push_back(odd.at(i));
          else if (l > 1)
            shares.push_back(ramp_shares.at(i));
          else if (const auto exception = shamir.find({n, k}); exception != shamir.end())
            shares.push_back(exception->second.at(i));
          else
            shares.push_back(i == 0 ? std::uint8_t{1} : SlowMul(shares.back(), 2, 0x11D));
        }
        for (unsigned q = 0; q < l; ++q)
          pieces.push_back(n <= 8 && l > 1 ? ramp_pieces.at(k - l).at(q) : even.at(q));
        const EvaluationPoints points = PointsOf({l == 1 ? SchemeKind::kShamir : SchemeKind::kRamp, k, n, l});
        ASSERT_EQ(ToHex(shares), ToHex(points.shares)) << "k=" << k << " l=" << l << " n=" << n;
        ASSERT_EQ(ToHex(pieces), ToHex(points.pieces)) << "k=" << k << " l=" << l << " n=" << n;
      }
}

}  // namespace
}  // namespace ssn
