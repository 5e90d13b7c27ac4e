// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/kme_batch.h"

#include <gtest/gtest.h>

#include <random>

namespace ssn::qkdn::proxy {
namespace {

etsi014::PoolStatus Limits(std::uint64_t usual_bits, std::uint64_t min_bits, std::uint64_t max_bits,
                           std::uint64_t per_request, std::uint64_t stored = 0) {
  etsi014::PoolStatus limits;
  limits.key_size_bits = usual_bits;
  limits.min_key_size_bits = min_bits;
  limits.max_key_size_bits = max_bits;
  limits.max_key_per_request = per_request;
  limits.stored_key_count = stored;
  return limits;
}

void ExpectOrder(const KeyOrder& order, std::uint64_t number, std::uint64_t key_bytes) {
  EXPECT_EQ(number, order.number);
  EXPECT_EQ(key_bytes, order.key_bytes);
}

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST(KmeBatch, LargestKeysThatFitAreOrdered) {
  // The standard's example: 128 keys of 1024 bits.
  ExpectOrder(PlanOrder(Limits(352, 64, 1024, 128), kMiB, 1024), 128, 128);
  // QuKayDee: 100 keys of 100000 bits are more than a batch.
  ExpectOrder(PlanOrder(Limits(256, 8, 100000, 100), kMiB, 1024), 83, 12500);
  // A KME of fixed size.
  ExpectOrder(PlanOrder(Limits(256, 256, 256, 10), 64000, 1024), 10, 32);
  // Keys larger than what is needed are made as small as that.
  ExpectOrder(PlanOrder(Limits(256, 64, 8 * kMiB * 8, 4), 5000, 1024), 1, 5000);
}

TEST(KmeBatch, BitsThatAreNoBytesAreRoundedSafely) {
  // 65..130 bits are 9..16 whole bytes.
  ExpectOrder(PlanOrder(Limits(72, 65, 130, 8), 1000, 1024), 8, 16);
  ExpectOrder(PlanOrder(Limits(72, 65, 130, 8), 3, 1024), 1, 9);
}

TEST(KmeBatch, MaximumThatIsMissingOrNonsenseLeavesTheUsualSize) {
  ExpectOrder(PlanOrder(Limits(256, 0, 0, 0), 1000, 1024), 31, 32);
  ExpectOrder(PlanOrder(Limits(256, 512, 256, 8), 1000, 1024), 0, 0);
}

TEST(KmeBatch, ScarceOrderTakesWhatIsThere) {
  ExpectOrder(PlanScarceOrder(Limits(256, 64, 1024, 128, 0), kMiB, 1024), 0, 0);
  ExpectOrder(PlanScarceOrder(Limits(256, 64, 1024, 128, 10), kMiB, 1024), 2, 128);
  ExpectOrder(PlanScarceOrder(Limits(256, 64, 1024, 128, 1), kMiB, 1024), 1, 32);
  // Enough by its own account, and still refused: keys of its own size.
  ExpectOrder(PlanScarceOrder(Limits(256, 64, 1024, 128, 1000), 8192, 1024), 128, 32);
}

TEST(KmeBatch, NoOrderEverPassesALimit) {
  std::mt19937_64 random(std::random_device{}());
  for (int i = 0; i < 100000; ++i) {
    const auto draw = [&] { return random() >> (random() % 64); };
    const etsi014::PoolStatus limits = Limits(draw(), draw(), draw(), draw(), draw());
    const std::uint64_t bytes = draw();
    const std::uint64_t max_keys = random() % 2000;
    for (const KeyOrder& order :
         {PlanOrder(limits, bytes, max_keys), PlanScarceOrder(limits, bytes, max_keys)}) {
      if (order.number == 0) continue;
      ASSERT_LE(order.number, max_keys);
      if (limits.max_key_per_request > 0) {
        ASSERT_LE(order.number, limits.max_key_per_request);
      }
      ASSERT_GT(order.key_bytes, 0u);
      ASSERT_LE(order.key_bytes,
                std::max({limits.max_key_size_bits, limits.key_size_bits, std::uint64_t{8}}) / 8);
    }
  }
}

}  // namespace
}  // namespace ssn::qkdn::proxy
