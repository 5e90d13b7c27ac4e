// SPDX-License-Identifier: LGPL-2.1-or-later
#include "erasure-code/profile.h"

#include <gtest/gtest.h>

namespace ssn::erasure_code {
namespace {

void ExpectRefused(ProfileKeys keys, const std::string& message) {
  const ProfileKeys before = keys;
  const auto profile = ParseProfile(keys);
  ASSERT_FALSE(profile.ok());
  EXPECT_EQ(Status::Code::kInvalidArgument, profile.status().code());
  EXPECT_EQ(message, profile.status().message());
  EXPECT_EQ(before, keys);
}

TEST(Profile, NothingSaidGivesShamirThreeOfFive) {
  ProfileKeys keys;
  const auto profile = ParseProfile(keys);
  ASSERT_TRUE(profile.ok()) << profile.status().message();
  EXPECT_EQ((SchemeParams{SchemeKind::kShamir, 3, 5, 1}), profile.value().scheme);
  const ProfileKeys complete = {{"plugin", "ssn"},
                                {"scheme", "shamir"},
                                {"t", "3"},
                                {"n", "5"},
                                {"l", "1"},
                                {"verify", "0"},
                                {"rng", "drbg"},
                                {"stripe_unit", "65536"},
                                {"k", "1"},
                                {"m", "4"},
                                {"ssn-format", "1"},
                                {"ssn-privacy", "1"},
                                {"crush-root", "default"},
                                {"crush-failure-domain", "host"},
                                {"crush-device-class", ""}};
  EXPECT_EQ(complete, keys);
}

TEST(Profile, ParsingItsOwnResultChangesNothing) {
  for (ProfileKeys keys :
       {ProfileKeys{}, ProfileKeys{{"scheme", "ramp"}, {"t", "4"}, {"n", "06"}, {"stripe_unit", "1M"}},
        ProfileKeys{
            {"scheme", "xor"}, {"t", "4"}, {"n", "7"}, {"verify", "2"}, {"rng", "file:/dev/hwrng"}}}) {
    ASSERT_TRUE(ParseProfile(keys).ok());
    const ProfileKeys once = keys;
    const auto again = ParseProfile(keys);
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(once, keys);
  }
}

TEST(Profile, StripeUnitsTakeTheSuffixesOfCeph) {
  for (const auto& [text, bytes] :
       ProfileKeys{{"4K", "4096"}, {"64Ki", "65536"}, {"1M", "1048576"}, {"12288B", "12288"}}) {
    ProfileKeys keys = {{"stripe_unit", text}};
    ASSERT_TRUE(ParseProfile(keys).ok()) << text;
    EXPECT_EQ(bytes, keys["stripe_unit"]);
  }
}

TEST(BadProfile, ThresholdAndShares) {
  ExpectRefused({{"t", "0"}}, "t=0 is outside 2..n=5");
  ExpectRefused({{"t", "1"}}, "t=1 is outside 2..n=5");
  ExpectRefused({{"t", "6"}}, "t=6 is outside 2..n=5");
  ExpectRefused({{"n", "128"}}, "n=128 is outside 2..127");
  ExpectRefused({{"n", "1"}}, "n=1 is outside 2..127");
  ExpectRefused({{"t", "three"}}, "t=three is not a number in 2..n=5");
  ExpectRefused({{"n", "5x"}}, "n=5x is not a number in 2..127");
  ExpectRefused({{"n", ""}}, "n= is not a number in 2..127");
  ExpectRefused({{"n", "-5"}}, "n=-5 is not a number in 2..127");
  ExpectRefused({{"n", "99999999999999999999999"}}, "n=99999999999999999999999 is not a number in 2..127");
  ExpectRefused({{"scheme", "xor"}, {"n", "18"}, {"t", "5"}},
                "t=5 with scheme=xor n=18: t is at most 4 when n is above 17");
}

TEST(BadProfile, PiecesOfARamp) {
  ExpectRefused({{"l", "2"}}, "l=2 is outside 1..1 (only scheme=ramp takes more)");
  ExpectRefused({{"scheme", "ramp"}, {"l", "3"}}, "l=3 is outside 2..2 (below t=3)");
  ExpectRefused({{"scheme", "ramp"}, {"l", "1"}}, "l=1 is outside 2..2 (below t=3)");
  ExpectRefused({{"scheme", "ramp"}, {"t", "2"}}, "t=2 is outside 3..n=5");
  ExpectRefused({{"scheme", "ramp"}, {"n", "2"}}, "n=2 is outside 3..127");
}

TEST(BadProfile, NamesNobodyKnows) {
  ExpectRefused({{"scheme", "reed_sol_van"}}, "scheme=reed_sol_van is not one of shamir, ramp, xor");
  ExpectRefused({{"technique", "cauchy"}},
                "technique=cauchy: plugin ssn has no such key (it has plugin scheme t n l verify rng k m "
                "stripe_unit ssn-format "
                "ssn-privacy crush-root crush-failure-domain crush-device-class)");
  ExpectRefused({{"rng", "rdrand"}},
                "rng=rdrand: random source 'rdrand' is not one of drbg, kernel, file:PATH");
  ExpectRefused({{"rng", "file:hwrng"}},
                "rng=file:hwrng: random source 'file:hwrng': the path after file: must be absolute");
  ExpectRefused({{"plugin", "isa"}}, "plugin=isa was given to plugin ssn");
}

TEST(BadProfile, CapacityThatContradicts) {
  ExpectRefused({{"k", "3"}},
                "k=3 contradicts the pieces of a stripe (Ceph takes k and m for capacity; the threshold's "
                "key is t): it must be 1, or be left out");
  ExpectRefused({{"k", "1"}, {"m", "2"}},
                "m=2 contradicts n less the pieces of a stripe: it must be 4, or be left out");
  ExpectRefused({{"k", "0"}},
                "k=0 contradicts the pieces of a stripe (Ceph takes k and m for capacity; the threshold's "
                "key is t): it must be 1, or be left out");
}

TEST(BadProfile, AFormatOfTheFutureAndAPrivacyThatDoesNotHold) {
  ExpectRefused({{"ssn-format", "2"}},
                "ssn-format=2 contradicts the share format of this plugin: it must be 1, or be left out");
  ExpectRefused({{"ssn-privacy", "2"}},
                "ssn-privacy=2 contradicts what scheme, t and n give: it must be 1, or be left out");
}

TEST(BadProfile, StripeUnitsThatDoNotFit) {
  for (const char* text :
       {"0", "1000", "5000", "4097", "2K", "32M", "64k", "x", "-4096", "4096 ", "99999999999999M"})
    ExpectRefused({{"stripe_unit", text}},
                  std::string("stripe_unit=") + text + " is not a multiple of 4096 bytes in 4096..16777216");
  ExpectRefused({{"scheme", "xor"}, {"n", "20"}, {"stripe_unit", "4096"}},
                "stripe_unit=4096 is not a multiple of 8192 bytes in 8192..13418496");
}

TEST(BadProfile, StripesThatNoOsdCouldHold) {
  ExpectRefused({{"n", "127"}, {"stripe_unit", "16M"}},
                "stripe_unit=16M is not a multiple of 4096 bytes in 4096..2113536");
  ExpectRefused({{"scheme", "ramp"}, {"n", "127"}, {"t", "127"}, {"l", "126"}, {"stripe_unit", "1M"}},
                "stripe_unit=1M is not a multiple of 4096 bytes in 4096..532480");
}

TEST(BadProfile, MoreToVerifyThanAnOsdHasTimeFor) {
  ExpectRefused({{"t", "10"}, {"n", "30"}, {"verify", "9"}},
                "verify=9 is outside 0..8 (n=30 less t=10, at most 8)");
  ExpectRefused({{"scheme", "xor"}, {"t", "2"}, {"n", "20"}, {"verify", "1"}},
                "verify=1 is outside 0..0 (scheme=xor with n=20 above 17)");
}

TEST(BadProfile, MoreSharesToVerifyThanThereAre) {
  ExpectRefused({{"verify", "3"}}, "verify=3 is outside 0..2 (n=5 less t=3, at most 8)");
  ExpectRefused({{"verify", "yes"}}, "verify=yes is not a number in 0..2 (n=5 less t=3, at most 8)");
}

}  // namespace
}  // namespace ssn::erasure_code
