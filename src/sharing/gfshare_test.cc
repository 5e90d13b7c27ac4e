// SPDX-License-Identifier: LGPL-2.1-or-later
// Shamir shares against libgfshare (D. Silverstone, 2006), which has the same field and evaluates the same
// polynomial, secret at 0, at points it is told: ours.
#include <algorithm>
#include <random>

#include "sharing/generator.h"
#include "sharing/test_util.h"
#include "sharing/vector_file.h"

extern "C" {
#include <libgfshare.h>
}

namespace ssn {
namespace {

using namespace testing_util;

struct FreeContext {
  void operator()(gfshare_ctx* context) const { gfshare_ctx_free(context); }
};
using Context = std::unique_ptr<gfshare_ctx, FreeContext>;

std::mt19937_64 coefficients;
void FillCoefficients(unsigned char* out, unsigned size) {
  for (unsigned i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(coefficients());
}

// libgfshare makes no context, not even to combine, before this is set.
const bool ready = (gfshare_fill_rand = FillCoefficients, true);

std::vector<Bytes> SplitByGfshare(SchemeParams params, Bytes secret, std::uint64_t seed) {
  coefficients.seed(seed);
  EXPECT_TRUE(ready);
  Bytes points = PointsOf(params).shares;
  const Context context(gfshare_ctx_init_enc(points.data(), params.n, static_cast<unsigned char>(params.k),
                                             static_cast<unsigned>(secret.size())));
  gfshare_ctx_enc_setsecret(context.get(), secret.data());
  std::vector<Bytes> shares(params.n, Bytes(secret.size()));
  for (unsigned i = 0; i < params.n; ++i)
    gfshare_ctx_enc_getshare(context.get(), static_cast<unsigned char>(i), shares[i].data());
  return shares;
}

Bytes CombineByGfshare(SchemeParams params, const std::vector<Bytes>& shares,
                       const std::vector<unsigned>& chosen) {
  const Bytes all_points = PointsOf(params).shares;
  Bytes points;
  for (const unsigned index : chosen) points.push_back(all_points[index]);
  EXPECT_TRUE(ready);
  const auto size = static_cast<unsigned>(shares[0].size());
  const Context context(gfshare_ctx_init_dec(points.data(), static_cast<unsigned>(points.size()), size));
  for (unsigned i = 0; i < chosen.size(); ++i) {
    Bytes share = shares[chosen[i]];
    gfshare_ctx_dec_giveshare(context.get(), static_cast<unsigned char>(i), share.data());
  }
  Bytes secret(size);
  gfshare_ctx_dec_extract(context.get(), secret.data());
  return secret;
}

class WithGfshare : public testing::TestWithParam<SchemeParams> {
 protected:
  const std::shared_ptr<const Sharing> sharing_ = Make(GetParam());
  const Bytes secret_ = RandomBytes(100, 1);
};

TEST_P(WithGfshare, EveryKOfItsSharesGiveTheSecretAndItsOtherShares) {
  const std::vector<Bytes> shares = SplitByGfshare(GetParam(), secret_, 2);
  ForEachSubset(GetParam().n, GetParam().k, [&](const std::vector<unsigned>& chosen) {
    Bytes combined(secret_.size());
    ASSERT_TRUE(sharing_->Combine(Pick(shares, chosen), combined).ok());
    ASSERT_EQ(secret_, combined) << testing::PrintToString(chosen);
    for (unsigned index = 0; index < GetParam().n; ++index) {
      ASSERT_TRUE(sharing_->Rebuild(Pick(shares, chosen), index, combined).ok());
      ASSERT_EQ(shares[index], combined) << "share " << index << " from " << testing::PrintToString(chosen);
    }
  });
}

TEST_P(WithGfshare, ItCombinesEveryKOfOurShares) {
  const std::vector<Bytes> shares = Split(*sharing_, secret_, 3);
  ForEachSubset(GetParam().n, GetParam().k, [&](const std::vector<unsigned>& chosen) {
    ASSERT_EQ(secret_, CombineByGfshare(GetParam(), shares, chosen)) << testing::PrintToString(chosen);
  });
}

SchemeParams Shamir(unsigned k, unsigned n) { return {SchemeKind::kShamir, k, n, 1}; }

INSTANTIATE_TEST_SUITE_P(Shamir, WithGfshare,
                         testing::Values(Shamir(2, 3), Shamir(2, 5), Shamir(3, 5), Shamir(5, 5), Shamir(2, 7),
                                         Shamir(3, 7), Shamir(4, 7), Shamir(7, 7), Shamir(3, 8), Shamir(4, 8),
                                         Shamir(5, 8), Shamir(6, 8), Shamir(7, 8), Shamir(8, 8),
                                         Shamir(3, 20), Shamir(2, 127)),
                         TestName);

// The file is for those who have no libgfshare, and for the day when it changes.
std::string RecordOf(const std::string& name, SchemeParams params, const Bytes& secret,
                     const std::vector<Bytes>& shares) {
  std::string text = "name = " + name + "\n";
  text += "scheme = shamir " + std::to_string(params.k) + " " + std::to_string(params.n) + " 1\n";
  text += "points = " + ToHex(PointsOf(params).shares) + "\n";
  text += "secret = " + ToHex(secret) + "\n";
  for (unsigned i = 0; i < shares.size(); ++i)
    if (!shares[i].empty()) text += "share." + std::to_string(i) + " = " + ToHex(shares[i]) + "\n";
  return text;
}

TEST(GfshareVectors, AreWhatLibgfshareMakes) {
  const Bytes secret = {'k', ' ', 'o', 'f', ' ', 'n', 0x00, 0x01, 0x7F, 0x80, 0xFF};
  std::string text =
      "# Shares made by libgfshare 2.0.0 (Debian package libgfshare2 2.0.0-6) at the evaluation points of "
      "share\n"
      "# format 1. Written by: SSN_WRITE_VECTORS=1 gfshare_test "
      "--gtest_filter=GfshareVectors.AreWhatLibgfshareMakes\n"
      "\n[Valid]\n";
  const std::vector<SchemeParams> schemes = {Shamir(2, 3), Shamir(3, 5), Shamir(4, 7),
                                             Shamir(4, 8), Shamir(6, 8), Shamir(3, 20)};
  for (const SchemeParams& params : schemes)
    text += RecordOf("any " + std::to_string(params.k) + " give the secret", params, secret,
                     SplitByGfshare(params, secret, params.n)) +
            "\n";

  text +=
      "# Combine of the shares without redundancy gives another secret; CombineChecked of all of them gives "
      "the\n"
      "# secret and names the shares in `wrong`.\n[Invalid]\n";
  std::vector<Bytes> shares = SplitByGfshare(Shamir(3, 5), secret, 105);
  shares[1][4] ^= 0x20;
  text += RecordOf("one bit of share 1 is flipped", Shamir(3, 5), secret, shares) + "wrong = 01\n\n";
  shares = SplitByGfshare(Shamir(3, 7), secret, 107);
  std::swap(shares[1], shares[2]);
  text += RecordOf("shares 1 and 2 are exchanged", Shamir(3, 7), secret, shares) + "wrong = 0102\n\n";
  shares = SplitByGfshare(Shamir(3, 7), secret, 108);
  shares[0] = std::exchange(shares[6], {});
  text += RecordOf("share 6 is handed in as share 0", Shamir(3, 7), secret, shares) + "wrong = 00\n";
  ExpectFrozen("gfshare.vec", text);
}

TEST(GfshareVectors, ValidOnesCombineAndInvalidOnesAreBlamed) {
  std::size_t invalid = 0;
  std::vector<Record> records = ReadRecords(Here("testdata/gfshare.vec"));
  for (Record& record : records) {
    SCOPED_TRACE(record.Take("name"));
    const SchemeParams params = record.TakeScheme();
    const auto sharing = Make(params);
    EXPECT_EQ(PointsOf(params).shares, record.TakeHex("points"));
    const Bytes secret = record.TakeHex("secret");
    const std::vector<Bytes> shares = record.TakeShares(params.n);
    std::vector<unsigned> present;
    for (unsigned i = 0; i < params.n; ++i)
      if (!shares[i].empty()) present.push_back(i);
    std::vector<unsigned> wrong;
    if (record.section() == "Invalid") {
      const Bytes indices = record.TakeHex("wrong");
      wrong.assign(indices.begin(), indices.end());
      ++invalid;
    }
    record.ExpectAllTaken();

    ForEachSubset(
        static_cast<unsigned>(present.size()), params.k, [&](const std::vector<unsigned>& positions) {
          std::vector<unsigned> chosen;
          for (const unsigned position : positions) chosen.push_back(present[position]);
          const bool clean =
              std::ranges::none_of(chosen, [&](unsigned i) { return std::ranges::count(wrong, i) != 0; });
          Bytes combined(secret.size());
          ASSERT_TRUE(sharing->Combine(Pick(shares, chosen), combined).ok());
          ASSERT_EQ(clean, secret == combined) << testing::PrintToString(chosen);
        });
    Bytes combined(secret.size());
    const auto findings = sharing->CombineChecked(Pick(shares, present), combined);
    ASSERT_TRUE(findings.ok()) << findings.status().message();
    EXPECT_EQ(wrong, findings.value().wrong);
    EXPECT_EQ(0u, findings.value().undecided_columns);
    EXPECT_EQ(secret, combined);
  }
  EXPECT_EQ(3u, invalid);
}

}  // namespace
}  // namespace ssn
