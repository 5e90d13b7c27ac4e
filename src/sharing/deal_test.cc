// SPDX-License-Identifier: LGPL-2.1-or-later
// Resharing: shareholders of one scheme deal sub-shares of another, and nobody sees the secret.
#include "sharing/test_util.h"

namespace ssn {
namespace {

using namespace testing_util;

struct Change {
  SchemeParams from;
  SchemeParams to;
};

class Reshare : public testing::TestWithParam<Change> {};

TEST_P(Reshare, AnyKDealersMoveTheSecretToTheNextScheme) {
  const auto from = Make(GetParam().from);
  const auto to = Make(GetParam().to);
  const SchemeParams& old = from->params();
  const SchemeParams& next = to->params();
  // A length both schemes can cut: blocks of one are not blocks of the other.
  const std::size_t secret_bytes = 64 * old.l * next.l * from->granule() * to->granule();
  const Bytes secret = RandomBytes(secret_bytes, 1);
  const std::vector<Bytes> shares = Split(*from, secret, 2);
  ForEachSubset(old.n, old.k, [&](const std::vector<unsigned>& dealers) {
    std::vector<Bytes> new_shares(next.n, Bytes(secret_bytes / next.l));
    for (const unsigned dealer : dealers) {
      std::vector<Bytes> subshares(next.n, Bytes(secret_bytes / next.l));
      SeededSource random(dealer + 3);
      const Status status =
          from->DealSubshares(dealers, {dealer, shares[dealer]}, *to, Spans(subshares), random);
      ASSERT_TRUE(status.ok()) << status.message();
      for (unsigned i = 0; i < next.n; ++i) AddShare(new_shares[i], subshares[i]);
    }
    std::vector<unsigned> last;
    for (unsigned i = next.n - next.k; i < next.n; ++i) last.push_back(i);
    Bytes combined(secret.size());
    ASSERT_TRUE(to->Combine(Pick(new_shares, last), combined).ok());
    ASSERT_EQ(secret, combined);
  });
}

constexpr SchemeKind kShamir = SchemeKind::kShamir, kRamp = SchemeKind::kRamp, kXor = SchemeKind::kXor;

INSTANTIATE_TEST_SUITE_P(
    Sharing, Reshare,
    testing::Values(Change{{kShamir, 3, 5, 1}, {kShamir, 4, 7, 1}},
                    Change{{kShamir, 4, 7, 1}, {kShamir, 2, 3, 1}}, Change{{kXor, 2, 3, 1}, {kXor, 3, 5, 1}},
                    Change{{kXor, 4, 7, 1}, {kXor, 5, 11, 1}}, Change{{kXor, 3, 5, 1}, {kShamir, 3, 5, 1}},
                    Change{{kShamir, 3, 5, 1}, {kXor, 3, 6, 1}}, Change{{kRamp, 4, 6, 2}, {kShamir, 3, 5, 1}},
                    Change{{kShamir, 3, 5, 1}, {kRamp, 5, 7, 3}}),
    [](const auto& change) {
      return TestName({change.param.from, 0}) + "_to_" + TestName({change.param.to, 0});
    });

}  // namespace
}  // namespace ssn
