// SPDX-License-Identifier: LGPL-2.1-or-later
// Wrong shares: e of them corrected from k + 2e, noticed from k + e.
#include "sharing/test_util.h"

namespace ssn {
namespace {

using namespace testing_util;

// Schemes with at least one share to spare: errors are noticed.
class WrongShares : public testing::TestWithParam<SchemeParams> {
 protected:
  void SetUp() override {
    // Two columns short of a tile boundary, so that errors fall in the first tile and in a later one.
    share_bytes_ = sharing_->granule() * 700;
    secret_ = RandomBytes(params_.l * share_bytes_, 1);
    shares_ = Split(*sharing_, secret_, 2);
    for (unsigned i = 0; i < params_.n; ++i) all_.push_back(i);
  }

  Findings Combine(const std::vector<unsigned>& given, Bytes* out) {
    out->assign(secret_.size(), 0xEE);
    const auto findings = sharing_->CombineChecked(Pick(shares_, given), *out);
    EXPECT_TRUE(findings.ok()) << findings.status().message();
    return findings.value();
  }

  const std::shared_ptr<const Sharing> sharing_ = Make(GetParam());
  const SchemeParams& params_ = sharing_->params();
  std::size_t share_bytes_ = 0;
  Bytes secret_;
  std::vector<Bytes> shares_;
  std::vector<unsigned> all_;
};

// Schemes with at least two shares to spare: an error is corrected.
class CorrectableShares : public WrongShares {};

TEST_P(WrongShares, SharesThatAgreeGiveTheSecretAndNoFindings) {
  for (unsigned m = params_.k; m <= params_.n; ++m) {
    Bytes out;
    const Findings findings = Combine({all_.begin(), all_.begin() + m}, &out);
    EXPECT_EQ(secret_, out);
    EXPECT_TRUE(findings.wrong.empty());
    EXPECT_EQ(0u, findings.undecided_columns);
  }
}

TEST_P(CorrectableShares, EveryOneBitErrorIsCorrectedAndBlamed) {
  for (unsigned bad = 0; bad < params_.n; ++bad) {
    const std::size_t at = (bad * 977) % share_bytes_;
    shares_[bad][at] ^= static_cast<std::uint8_t>(1u << (bad % 8));
    Bytes out;
    const Findings findings = Combine(all_, &out);
    EXPECT_EQ(secret_, out);
    EXPECT_EQ(std::vector<unsigned>{bad}, findings.wrong);
    EXPECT_EQ(0u, findings.undecided_columns);
    for (unsigned index = 0; index < params_.n; ++index) {
      Bytes rebuilt(share_bytes_);
      ASSERT_TRUE(sharing_->RebuildChecked(Pick(shares_, all_), index, rebuilt).ok());
      shares_[bad][at] ^= static_cast<std::uint8_t>(1u << (bad % 8));
      EXPECT_EQ(shares_[index], rebuilt) << "share " << index;
      shares_[bad][at] ^= static_cast<std::uint8_t>(1u << (bad % 8));
    }
    shares_[bad][at] ^= static_cast<std::uint8_t>(1u << (bad % 8));
  }
}

TEST_P(CorrectableShares, AsManyWholeSharesAsPossibleAreCorrectedWhereverTheyAre) {
  const unsigned errors = (params_.n - params_.k) / 2;
  int tried = 0;
  ForEachSubset(params_.n, errors, [&](const std::vector<unsigned>& bad) {
    if (++tried > 30) return;
    std::vector<Bytes> kept;
    for (const unsigned index : bad) {
      kept.push_back(shares_[index]);
      shares_[index] = RandomBytes(share_bytes_, 100 + index);
    }
    Bytes out;
    const Findings findings = Combine(all_, &out);
    EXPECT_EQ(secret_, out);
    EXPECT_EQ(bad, findings.wrong);
    for (std::size_t i = 0; i < bad.size(); ++i) shares_[bad[i]] = kept[i];
  });
}

TEST_P(CorrectableShares, ErrorsOfDifferentSharesInDifferentColumnsAreAllCorrected) {
  for (unsigned bad = 0; bad < params_.n; ++bad) shares_[bad][bad * 11] ^= 0xFF;
  Bytes out;
  const Findings findings = Combine(all_, &out);
  EXPECT_EQ(secret_, out);
  EXPECT_EQ(all_, findings.wrong);
  EXPECT_EQ(0u, findings.undecided_columns);
}

TEST_P(WrongShares, OneExtraShareNoticesAnErrorAndZeroesTheColumnAlone) {
  const std::vector<unsigned> given(all_.begin(), all_.begin() + params_.k + 1);
  const std::size_t at = 123;
  shares_[1][at] ^= 0x10;
  Bytes out;
  const Findings findings = Combine(given, &out);
  EXPECT_EQ(1u, findings.undecided_columns);
  EXPECT_TRUE(findings.wrong.empty());
  const std::size_t block_bytes = share_bytes_ / sharing_->granule();
  for (std::size_t i = 0; i < secret_.size(); ++i)
    ASSERT_EQ(i % block_bytes == at % block_bytes ? 0 : secret_[i], out[i]) << i;
}

TEST_P(CorrectableShares, AShareOfAnotherSplitIsBlamed) {
  shares_[0] = Split(*sharing_, secret_, 77)[0];
  Bytes out;
  EXPECT_EQ(std::vector<unsigned>{0}, Combine(all_, &out).wrong);
  EXPECT_EQ(secret_, out);
}

TEST_P(WrongShares, AHopelessMixIsCountedAndNeverServed) {
  for (unsigned i = 0; i < params_.n; ++i) shares_[i] = RandomBytes(share_bytes_, 200 + i);
  Bytes out;
  const Findings findings = Combine(all_, &out);
  // By chance a column of random bytes may look right or correctable; nearly all must be undecided.
  const std::size_t columns = share_bytes_ / sharing_->granule();
  EXPECT_GT(findings.undecided_columns, columns * 9 / 10);
}

std::vector<SchemeParams> WithSpareShares(unsigned least) {
  std::vector<SchemeParams> schemes = {
      {SchemeKind::kShamir, 3, 4, 1}, {SchemeKind::kShamir, 3, 5, 1}, {SchemeKind::kShamir, 2, 6, 1},
      {SchemeKind::kShamir, 3, 7, 1}, {SchemeKind::kShamir, 4, 8, 1}, {SchemeKind::kShamir, 20, 40, 1},
      {SchemeKind::kRamp, 4, 8, 2},   {SchemeKind::kRamp, 3, 7, 2},   {SchemeKind::kXor, 2, 3, 1},
      {SchemeKind::kXor, 3, 5, 1},    {SchemeKind::kXor, 2, 5, 1},    {SchemeKind::kXor, 3, 7, 1},
      {SchemeKind::kXor, 5, 11, 1},
  };
  std::erase_if(schemes, [least](const SchemeParams& scheme) { return scheme.n < scheme.k + least; });
  return schemes;
}
INSTANTIATE_TEST_SUITE_P(Sharing, WrongShares, testing::ValuesIn(WithSpareShares(1)), TestName);
INSTANTIATE_TEST_SUITE_P(Sharing, CorrectableShares, testing::ValuesIn(WithSpareShares(2)), TestName);

std::vector<unsigned> Everybody(unsigned n) {
  std::vector<unsigned> all(n);
  for (unsigned i = 0; i < n; ++i) all[i] = i;
  return all;
}

// The longest searches of the XOR scheme that must succeed: as many wrong shares as can be, and the last
// ones.
TEST(WrongXorShares, AsManyAsCanBeOfSeventeenAreFound) {
  for (const auto& [k, errors] : {std::pair{2u, 7u}, {3u, 7u}, {5u, 6u}, {9u, 4u}}) {
    const auto sharing = Make({SchemeKind::kXor, k, 17, 1});
    const Bytes secret = RandomBytes(16 * 64, 1);
    std::vector<Bytes> shares = Split(*sharing, secret, 2);
    std::vector<unsigned> bad;
    for (unsigned index = 17 - errors; index < 17; ++index) {
      bad.push_back(index);
      shares[index] = RandomBytes(16 * 64, index);
    }
    Bytes out(secret.size());
    const Findings findings = sharing->CombineChecked(Pick(shares, Everybody(17)), out).value();
    EXPECT_EQ(bad, findings.wrong) << "k=" << k;
    EXPECT_EQ(0u, findings.undecided_columns);
    EXPECT_EQ(secret, out);
  }
}

// With p = 257 a share has 256 blocks: scratch must still suffice, and wrong shares be found.
TEST(WrongXorShares, SchemesOfManyBlocksAreChecked) {
  for (const auto& [k, n] : {std::pair{2u, 18u}, {2u, 20u}, {2u, 40u}, {4u, 127u}}) {
    const auto sharing = Make({SchemeKind::kXor, k, n, 1});
    const Bytes secret = RandomBytes(256 * 32, 1);
    std::vector<Bytes> shares = Split(*sharing, secret, 2);
    Bytes out(secret.size());
    EXPECT_TRUE(sharing->CombineChecked(Pick(shares, Everybody(n)), out).value().wrong.empty());
    EXPECT_EQ(secret, out);
    shares[1][77] ^= 4;
    EXPECT_EQ(std::vector<unsigned>{1},
              sharing->CombineChecked(Pick(shares, Everybody(k + 2)), out).value().wrong);
    EXPECT_EQ(secret, out);
  }
}

// Every column has its own two wrong shares: more different sets than there are shares.
TEST(CorrectableColumns, EachMayHaveWrongSharesOfItsOwn) {
  const auto sharing = Make({SchemeKind::kShamir, 3, 7, 1});
  const Bytes secret = RandomBytes(4096, 1);
  std::vector<Bytes> shares = Split(*sharing, secret, 2);
  std::size_t column = 0;
  for (int turn = 0; turn < 150; ++turn)
    ForEachSubset(7, 2, [&](const std::vector<unsigned>& bad) {
      for (const unsigned index : bad) shares[index][column] ^= static_cast<std::uint8_t>(column % 255 + 1);
      ++column;
    });
  Bytes out(secret.size());
  const Findings findings = sharing->CombineChecked(Pick(shares, Everybody(7)), out).value();
  EXPECT_EQ(0u, findings.undecided_columns);
  EXPECT_EQ(secret, out);
}

}  // namespace
}  // namespace ssn
