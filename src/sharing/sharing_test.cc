// SPDX-License-Identifier: LGPL-2.1-or-later
// What every scheme must do: any k rebuild secret and shares, whatever the length and alignment.
#include "ssn/sharing.h"

#include <unistd.h>

#include <thread>

#include "sharing/test_util.h"

namespace ssn {
namespace {

using namespace testing_util;

class EveryScheme : public testing::TestWithParam<SchemeParams> {
 protected:
  const std::shared_ptr<const Sharing> sharing_ = Make(GetParam());
  const SchemeParams& params_ = sharing_->params();
};

TEST_P(EveryScheme, AnyKSharesGiveTheSecretAndEveryOtherShare) {
  const std::size_t share_bytes = sharing_->granule() * 40;
  const Bytes secret = RandomBytes(params_.l * share_bytes, 1);
  const std::vector<Bytes> shares = Split(*sharing_, secret, 2);
  ForEachSubset(params_.n, params_.k, [&](const std::vector<unsigned>& subset) {
    Bytes combined(secret.size());
    ASSERT_TRUE(sharing_->Combine(Pick(shares, subset), combined).ok());
    ASSERT_EQ(secret, combined);
    for (unsigned index = 0; index < params_.n; ++index) {
      Bytes rebuilt(share_bytes);
      ASSERT_TRUE(sharing_->Rebuild(Pick(shares, subset), index, rebuilt).ok());
      ASSERT_EQ(shares[index], rebuilt) << "share " << index;
    }
  });
}

TEST_P(EveryScheme, AddingASharingOfZeroKeepsTheSecretAndChangesEveryShare) {
  const Bytes secret = RandomBytes(params_.l * sharing_->granule() * 33, 3);
  std::vector<Bytes> shares = Split(*sharing_, secret, 4);
  const std::vector<Bytes> before = shares;
  std::vector<Bytes> zero(params_.n, Bytes(shares[0].size()));
  SeededSource random(5);
  ASSERT_TRUE(sharing_->DealZero(Spans(zero), random).ok());
  for (unsigned i = 0; i < params_.n; ++i) AddShare(shares[i], zero[i]);
  std::vector<unsigned> last;
  for (unsigned i = params_.n - params_.k; i < params_.n; ++i) last.push_back(i);
  Bytes combined(secret.size());
  ASSERT_TRUE(sharing_->Combine(Pick(shares, last), combined).ok());
  EXPECT_EQ(secret, combined);
  for (unsigned i = 0; i < params_.n; ++i) EXPECT_NE(before[i], shares[i]);

  // One share from before the refresh among k-1 new ones gives something else.
  std::vector<Share> mixed = Pick(shares, last);
  mixed[0].bytes = before[last[0]];
  ASSERT_TRUE(sharing_->Combine(mixed, combined).ok());
  EXPECT_NE(secret, combined);
}

TEST_P(EveryScheme, RandomnessIsDrawnForKMinusLSharesAndNotMuchMore) {
  const std::size_t share_bytes = sharing_->granule() * 64;
  std::vector<Bytes> shares(params_.n, Bytes(share_bytes));
  SeededSource random(6);
  ASSERT_TRUE(sharing_->Split(Bytes(params_.l * share_bytes), Spans(shares), random).ok());
  const std::size_t least = (params_.k - params_.l) * share_bytes;
  // The XOR scheme of the paper takes k-2 blocks more.
  const std::size_t more =
      params_.kind == SchemeKind::kXor ? (params_.k - 2) * share_bytes / sharing_->granule() : 0;
  EXPECT_EQ(least + more, random.drawn());
}

INSTANTIATE_TEST_SUITE_P(Sharing, EveryScheme, testing::ValuesIn(SmallSchemes()), TestName);

class SomeScheme : public testing::TestWithParam<SchemeParams> {};

// Lengths around the tile and vector sizes, and regions off by one byte from any alignment.
TEST_P(SomeScheme, EveryLengthAndAlignmentComesBack) {
  const auto sharing = Make(GetParam());
  const SchemeParams& params = sharing->params();
  const std::size_t granule = sharing->granule();
  for (const std::size_t blocks :
       {1u, 2u, 31u, 32u, 63u, 64u, 65u, 127u, 4095u, 4096u, 4097u, 32768u, 32769u, 70000u}) {
    const std::size_t share_bytes = granule * blocks;
    if (share_bytes > (1u << 20)) continue;
    for (const std::size_t offset : {0u, 1u}) {
      const Bytes secret = RandomBytes(params.l * share_bytes, blocks);
      Bytes padded(secret.size() + offset);
      std::copy(secret.begin(), secret.end(), padded.begin() + static_cast<std::ptrdiff_t>(offset));
      std::vector<Bytes> shares(params.n, Bytes(share_bytes + offset));
      std::vector<MutableByteSpan> spans;
      std::vector<Share> last;
      for (unsigned i = 0; i < params.n; ++i) {
        spans.push_back(MutableByteSpan(shares[i]).subspan(offset));
        if (i >= params.n - params.k) last.push_back({i, spans.back()});
      }
      SeededSource random(blocks + 1);
      ASSERT_TRUE(sharing->Split(ByteSpan(padded).subspan(offset), spans, random).ok());
      Bytes combined(secret.size() + offset);
      ASSERT_TRUE(sharing->Combine(last, MutableByteSpan(combined).subspan(offset)).ok());
      combined.erase(combined.begin(), combined.begin() + static_cast<std::ptrdiff_t>(offset));
      ASSERT_EQ(secret, combined) << blocks << " blocks, offset " << offset;
      Bytes rebuilt(share_bytes);
      ASSERT_TRUE(sharing->Rebuild(last, 0, rebuilt).ok());
      ASSERT_TRUE(std::equal(rebuilt.begin(), rebuilt.end(), spans[0].begin())) << blocks;
    }
  }
}

TEST_P(SomeScheme, ManyThreadsShareOneObject) {
  const auto sharing = Make(GetParam());
  const Bytes secret = RandomBytes(sharing->params().l * sharing->granule() * 100, 7);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (std::uint64_t round = 0; round < 20; ++round) {
        const std::vector<Bytes> shares = Split(*sharing, secret, round * 100 + t);
        std::vector<unsigned> chosen;
        for (unsigned i = 0; i < sharing->params().k; ++i)
          chosen.push_back(static_cast<unsigned>((i + t + round) % sharing->params().n));
        Bytes combined(secret.size());
        if (!sharing->Combine(Pick(shares, chosen), combined).ok() || combined != secret) ++wrong[t];
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::vector<int>(wrong.size()), wrong);
}

INSTANTIATE_TEST_SUITE_P(
    Sharing, SomeScheme,
    testing::Values(SchemeParams{SchemeKind::kShamir, 3, 5, 1}, SchemeParams{SchemeKind::kShamir, 64, 127, 1},
                    SchemeParams{SchemeKind::kShamir, 2, 2, 1}, SchemeParams{SchemeKind::kRamp, 4, 7, 2},
                    SchemeParams{SchemeKind::kRamp, 100, 120, 50}, SchemeParams{SchemeKind::kXor, 3, 5, 1},
                    SchemeParams{SchemeKind::kXor, 2, 3, 1}, SchemeParams{SchemeKind::kXor, 5, 17, 1},
                    SchemeParams{SchemeKind::kXor, 2, 18, 1}),
    TestName);

TEST(Split, TheSameSecretNeverGivesTheSameShares) {
  const auto sharing = Make({SchemeKind::kShamir, 3, 5, 1});
  const Bytes secret(64);
  const auto random = OpenRandomSource("drbg").value();
  std::vector<Bytes> first(5, Bytes(64)), second(5, Bytes(64));
  ASSERT_TRUE(sharing->Split(secret, Spans(first), *random).ok());
  ASSERT_TRUE(sharing->Split(secret, Spans(second), *random).ok());
  for (unsigned i = 0; i < 5; ++i) EXPECT_NE(first[i], second[i]);
}

}  // namespace
}  // namespace ssn
