// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/units.h"

#include <gtest/gtest.h>

namespace ssn::qkdn::sim {
namespace {

TEST(Units, SizesAreBytes) {
  EXPECT_EQ(512u, ParseBytes("512B").value());
  EXPECT_EQ(65536u, ParseBytes("64KiB").value());
  EXPECT_EQ(1572864u, ParseBytes("1.5MiB").value());
  EXPECT_EQ(std::uint64_t{1} << 30, ParseBytes("1GiB").value());
  for (const char* text : {"1GiB", "1023MiB", "8KiB", "1025B", "2048GiB"})
    EXPECT_EQ(text, FormatBytes(ParseBytes(text).value()));
}

TEST(Units, TimesAreSeconds) {
  EXPECT_DOUBLE_EQ(0.25, ParseSeconds("250ms").value());
  EXPECT_DOUBLE_EQ(600, ParseSeconds("10min").value());
  EXPECT_DOUBLE_EQ(86400, ParseSeconds("1d").value());
}

TEST(Units, RatesAreBitsAndNotBytesPerSecond) {
  EXPECT_EQ(1000000u, ParseRate("1Mbit/s").value());
  EXPECT_EQ(64u, ParseRate("64bit/s").value());
  EXPECT_EQ(1500u, ParseRate("1.5kbit/s").value());
  EXPECT_EQ(kUnlimited, ParseRate("unlimited").value());
  EXPECT_EQ("1000000bit/s", FormatRate(1000000));
  EXPECT_EQ("unlimited", FormatRate(kUnlimited));
}

TEST(Units, WhatIsNoSizeTimeOrRateIsRefused) {
  for (const char* text :
       {"", "1", "MiB", "-1B", "0B", "1.5B", "1 MiB", "1MB", "1MiBx", "nanB", "infB", "1e3B", "99999999GiB"})
    EXPECT_FALSE(ParseBytes(text).ok()) << text;
  for (const char* text : {"", "1", "1m", "0s", "s"}) EXPECT_FALSE(ParseSeconds(text).ok()) << text;
  for (const char* text : {"", "1", "1MB/s", "1Mbit", "0bit/s", "0.5bit/s", "Unlimited"})
    EXPECT_FALSE(ParseRate(text).ok()) << text;
}

}  // namespace
}  // namespace ssn::qkdn::sim
