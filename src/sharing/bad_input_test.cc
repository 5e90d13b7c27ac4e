// SPDX-License-Identifier: LGPL-2.1-or-later
// What a caller, a peer or a disk may hand in by mistake: each gets an error that names it.
#include "sharing/test_util.h"

namespace ssn {
namespace {

using namespace testing_util;

class FailingSource final : public RandomSource {
 public:
  Status Fill(MutableByteSpan) override { return Status::Unavailable("the generator is out of order"); }
};

void ExpectRefused(SchemeParams params, const std::string& message) {
  const auto sharing = Sharing::Create(params);
  ASSERT_FALSE(sharing.ok());
  EXPECT_EQ(Status::Code::kInvalidArgument, sharing.status().code());
  EXPECT_EQ(message, sharing.status().message());
}

TEST(BadScheme, NumbersOutsideTheirRangeAreNamed) {
  ExpectRefused({SchemeKind::kShamir, 3, 1, 1}, "n=1 is outside 2..127");
  ExpectRefused({SchemeKind::kShamir, 3, 128, 1}, "n=128 is outside 2..127");
  ExpectRefused({SchemeKind::kShamir, 0, 5, 1}, "k=0 is outside 2..n=5");
  ExpectRefused({SchemeKind::kShamir, 1, 5, 1}, "k=1 is outside 2..n=5");
  ExpectRefused({SchemeKind::kShamir, 6, 5, 1}, "k=6 is outside 2..n=5");
  ExpectRefused({SchemeKind::kShamir, 3, 5, 2}, "l=2 with scheme shamir: only ramp takes l");
  ExpectRefused({SchemeKind::kRamp, 3, 5, 3}, "l=3 with scheme ramp is outside 2..2");
  ExpectRefused({SchemeKind::kRamp, 2, 5, 2}, "k=2 with scheme ramp is outside 3..n=5");
  ExpectRefused({SchemeKind::kXor, 5, 18, 1},
                "k=5 with scheme xor and n=18 is outside 2..4 (any k up to n=17)");
}

TEST(BadScheme, UnknownNamesAreNamed) {
  EXPECT_EQ("scheme=reed is not one of shamir, ramp, xor", ParseSchemeName("reed").status().message());
}

class BadShares : public testing::Test {
 protected:
  void ExpectRefusal(const std::vector<Share>& shares, Status::Code code, const std::string& message) {
    Bytes out(64);
    for (const Status& status : {sharing_->Combine(shares, out), sharing_->Rebuild(shares, 0, out),
                                 sharing_->CombineChecked(shares, out).status()}) {
      EXPECT_EQ(code, status.code());
      EXPECT_EQ(message, status.message());
    }
  }

  const std::shared_ptr<const Sharing> sharing_ = Make({SchemeKind::kXor, 3, 5, 1});
  const Bytes secret_ = RandomBytes(64, 1);
  const std::vector<Bytes> shares_ = Split(*sharing_, secret_, 2);
};

TEST_F(BadShares, TooFew) {
  ExpectRefusal(Pick(shares_, {1, 2}), Status::Code::kNotEnoughShares, "2 shares given, xor (3,5) needs 3");
  ExpectRefusal({}, Status::Code::kNotEnoughShares, "0 shares given, xor (3,5) needs 3");
}

TEST_F(BadShares, OneGivenTwice) {
  ExpectRefusal(Pick(shares_, {1, 2, 1}), Status::Code::kInvalidArgument, "share 1 is given twice");
}

TEST_F(BadShares, AnIndexThatDoesNotExist) {
  auto shares = Pick(shares_, {0, 1, 2});
  shares[1].index = 5;
  ExpectRefusal(shares, Status::Code::kInvalidArgument, "share index 5 is outside 0..4");
}

TEST_F(BadShares, DifferentLengths) {
  auto shares = Pick(shares_, {0, 1, 2});
  shares[2].bytes = shares[2].bytes.first(60);
  ExpectRefusal(shares, Status::Code::kInvalidArgument, "share 2 has 60 bytes, share 0 has 64");
}

TEST_F(BadShares, ALengthThatIsNotWholeBlocks) {
  auto shares = Pick(shares_, {0, 1, 2});
  for (Share& share : shares) share.bytes = share.bytes.first(63);
  ExpectRefusal(shares, Status::Code::kInvalidArgument, "share of 63 bytes: must be a multiple of 4 above 0");
  for (Share& share : shares) share.bytes = {};
  ExpectRefusal(shares, Status::Code::kInvalidArgument, "share of 0 bytes: must be a multiple of 4 above 0");
}

TEST_F(BadShares, AnOutputOfTheWrongLength) {
  Bytes out(63);
  EXPECT_EQ("output of 63 bytes: must have 64", sharing_->Combine(Pick(shares_, {0, 1, 2}), out).message());
  EXPECT_EQ("share index 5 is outside 0..4", sharing_->Rebuild(Pick(shares_, {0, 1, 2}), 5, out).message());
}

TEST_F(BadShares, SplitNamesWhatDoesNotFit) {
  SeededSource random(1);
  std::vector<Bytes> shares(5, Bytes(64));
  EXPECT_EQ("secret of 60 bytes: must be l=1 times the share's 64",
            sharing_->Split(Bytes(60), Spans(shares), random).message());
  shares[3].resize(60);
  EXPECT_EQ("share buffers of 64 and 60 bytes", sharing_->Split(secret_, Spans(shares), random).message());
  shares.resize(4);
  shares[3].resize(64);
  EXPECT_EQ("4 share buffers given, xor (3,5) makes 5",
            sharing_->Split(secret_, Spans(shares), random).message());
  EXPECT_EQ("secret of 64 bytes: must be l=1 times the share's 0",
            sharing_->Split(secret_, {}, random).message());
}

TEST_F(BadShares, AFailingSourceFailsTheSplit) {
  FailingSource random;
  std::vector<Bytes> shares(5, Bytes(64));
  for (const SchemeKind kind : {SchemeKind::kShamir, SchemeKind::kXor}) {
    const Status status = Make({kind, 3, 5, 1})->Split(secret_, Spans(shares), random);
    EXPECT_EQ(Status::Code::kUnavailable, status.code());
    EXPECT_EQ("the generator is out of order", status.message());
  }
}

TEST_F(BadShares, SubsharesOfSomebodyWhoIsNoDealerAreRefused) {
  SeededSource random(1);
  std::vector<Bytes> subshares(5, Bytes(64));
  const std::vector<unsigned> dealers = {0, 2, 4};
  EXPECT_EQ("share 1 is not one of the dealers",
            sharing_->DealSubshares(dealers, {1, shares_[1]}, *sharing_, Spans(subshares), random).message());
  const std::vector<unsigned> two = {0, 2};
  EXPECT_EQ("2 dealers given, xor (3,5) takes exactly 3",
            sharing_->DealSubshares(two, {0, shares_[0]}, *sharing_, Spans(subshares), random).message());
}

// Without redundancy nothing can be noticed: k shares of two different splits give a third secret.
TEST_F(BadShares, KSharesOfTwoSplitsGiveSomethingElse) {
  const std::vector<Bytes> other = Split(*sharing_, secret_, 3);
  auto shares = Pick(shares_, {0, 1, 2});
  shares[1].bytes = other[1];
  Bytes out(64);
  ASSERT_TRUE(sharing_->Combine(shares, out).ok());
  EXPECT_NE(secret_, out);
}

}  // namespace
}  // namespace ssn
