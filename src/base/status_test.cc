// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/status.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ssn {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Status::InvalidArgument("n=" + std::to_string(n) + " must be even");
  return n / 2;
}

TEST(Status, DefaultIsOk) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(0, Status().ToErrno());
}

TEST(Status, EveryErrorMapsToItsNegativeErrno) {
  EXPECT_EQ(-EINVAL, Status::InvalidArgument("x").ToErrno());
  EXPECT_EQ(-EIO, Status::NotEnoughShares("x").ToErrno());
  EXPECT_EQ(-EBADMSG, Status::Corrupt("x").ToErrno());
  EXPECT_EQ(-EAGAIN, Status::Unavailable("x").ToErrno());
}

TEST(Result, CarriesAValueOrAnError) {
  EXPECT_EQ(2, Half(4).value());
  EXPECT_EQ("n=3 must be even", Half(3).status().message());
}

}  // namespace
}  // namespace ssn
