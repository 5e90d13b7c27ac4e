// SPDX-License-Identifier: LGPL-2.1-or-later
// How many shareholders learn nothing though they read the CRC list, for every scheme: the numbers of
// PRIVACY.md.
#include "erasure-code/hinfo_privacy.h"

#include <algorithm>
#include <map>
#include <thread>

#include "sharing/test_util.h"

namespace ssn {
namespace {

using namespace testing_util;

using Coalition = std::vector<unsigned>;

TEST(Privacy, IsOneBelowTheSchemesOwnForUpToEightShares) {
  for (unsigned n = 2; n <= 8; ++n)
    for (unsigned k = 2; k <= n; ++k) {
      EXPECT_EQ(HinfoPrivacy({SchemeKind::kShamir, k, n, 1}), k - 2) << k << ',' << n;
      EXPECT_EQ(HinfoPrivacy({SchemeKind::kXor, k, n, 1}), k - 2) << k << ',' << n;
      for (unsigned l = 2; l < k; ++l)
        EXPECT_EQ(HinfoPrivacy({SchemeKind::kRamp, k, n, l}), k - l - 1) << k << ',' << l << ',' << n;
    }
}

TEST(Privacy, HasTheseValuesForMoreShares) {
  const std::map<unsigned, std::vector<unsigned>> shamir = {
      // from k = 2
      {9, {0, 1, 1, 2, 3, 4, 6, 7}},
      {10, {0, 1, 1, 2, 3, 4, 5, 7, 8}},
      {11, {0, 1, 1, 2, 3, 4, 5, 6, 7, 9}},
      {12, {0, 1, 1, 2, 2, 4, 5, 5, 7, 8, 10}},
  };
  for (const auto& [n, expected] : shamir)
    for (unsigned k = 2; k <= n; ++k)
      EXPECT_EQ(HinfoPrivacy({SchemeKind::kShamir, k, n, 1}), expected[k - 2]) << k << ',' << n;
  for (unsigned n = 9; n <= 17; ++n)
    for (unsigned k = 2; k <= n; ++k) {
      const bool less =
          (n >= 11 && (k == 5 || k == 6)) || (n >= 14 && k == 8) || (n >= 15 && (k == 9 || k == 10));
      EXPECT_EQ(HinfoPrivacy({SchemeKind::kXor, k, n, 1}), k - 2 - (less ? 1 : 0)) << k << ',' << n;
    }
  EXPECT_EQ(HinfoPrivacy({SchemeKind::kShamir, 3, 127, 1}), 1u);
  EXPECT_EQ(HinfoPrivacy({SchemeKind::kXor, 3, 127, 1}), 1u);
  EXPECT_EQ(HinfoPrivacy({SchemeKind::kXor, 4, 127, 1}), 2u);  // and so for 18 <= n < 127, with the same p
}

TEST(Privacy, StopsAtTheSizeWhereSomebodyLearnsSomething) {
  for (const SchemeParams& params : SmallSchemes()) {
    const unsigned privacy = HinfoPrivacy(params);
    std::size_t below = 0;
    std::size_t above = 0;
    if (privacy > 0)  // nobody holds no share
      ForEachSubset(params.n, privacy,
                    [&](const Coalition& c) { below = std::max(below, HinfoLeakBits(params, c)); });
    ForEachSubset(params.n, privacy + 1,
                  [&](const Coalition& c) { above = std::max(above, HinfoLeakBits(params, c)); });
    EXPECT_EQ(below, 0u) << ToString(params);
    if (privacy + 1 < params.n) {
      EXPECT_GT(above, 0u) << ToString(params);
    }
  }
}

TEST(Privacy, IsTheSameForEveryThread) {
  std::vector<unsigned> found(8);
  {
    std::vector<std::jthread> threads;
    for (unsigned& answer : found)
      threads.emplace_back([&answer] { answer = HinfoPrivacy({SchemeKind::kShamir, 7, 13, 1}); });
  }
  EXPECT_EQ(found, std::vector<unsigned>(8, found[0]));
}

}  // namespace
}  // namespace ssn
