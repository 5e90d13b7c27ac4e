// SPDX-License-Identifier: LGPL-2.1-or-later
// What the CRC list is good for. The secret is four bytes, the rest of the object is zero; the attacker has
// k-1 shares and the list. Any other share is then known up to a multiple of the secret, and its CRC up to a
// linear function of the secret's 32 bits.
#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <numeric>
#include <optional>

#include "erasure-code/ceph_crc_test_util.h"
#include "sharing/generator.h"
#include "sharing/gf256.h"
#include "sharing/matrix.h"

namespace ssn {
namespace {

using namespace testing_util;

TEST(Crc32c, IsTheOneOfCeph) {
  Bytes digits = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  EXPECT_EQ(~Crc32c(digits, kCephSeed), 0xe3069283);
  for (const std::size_t size : {1u, 9u, 64u, 1000u}) {
    Bytes bytes = RandomBytes(size, size);
    EXPECT_EQ(FastCrc32c(bytes, size), Crc32c(bytes, kCephSeed));
  }
}

class Equations {
 public:
  // The unknown bits chosen by `mask` add up to `sum`.
  void Add(std::uint32_t mask, bool sum) {
    std::uint64_t row = std::uint64_t{mask} << 1 | (sum ? 1 : 0);
    for (const std::uint64_t known : rows_) row = std::min(row, row ^ known);
    if (row > 1) {
      rows_.push_back(row);
      std::ranges::sort(rows_, std::greater<>());
    }
  }
  std::size_t rank() const { return rows_.size(); }
  // REQUIRES: rank() == 32.
  std::uint32_t Solve() const {
    std::uint32_t solution = 0;
    for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {  // the lowest unknowns first
      const auto mask = static_cast<std::uint32_t>(*row >> 1);
      const std::uint32_t unknown = std::bit_floor(mask);
      if ((std::popcount(mask & solution) + static_cast<int>(*row & 1)) % 2 != 0) solution |= unknown;
    }
    return solution;
  }

 private:
  std::vector<std::uint64_t> rows_;
};

Bytes LittleEndian(std::uint32_t value) {
  Bytes bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  return bytes;
}

std::optional<std::uint32_t> Attack(const SchemeParams& params, const std::vector<Share>& stolen,
                                    const std::vector<std::uint32_t>& list) {
  const Generator generator = MakeGenerator(params);
  Matrix known;
  for (const Share& share : stolen) known.AppendRows(generator.ShareRows(share.index));
  known.AppendRows(generator.SecretRows());
  const std::size_t share_bytes = stolen[0].bytes.size();
  Equations equations;
  for (unsigned other = 0; other < params.n; ++other) {
    const auto combination = Express(known, generator.ShareRows(other));
    if (!combination) return std::nullopt;  // fewer than k-1 shares
    const std::uint8_t factor = (*combination)(0, stolen.size());
    if (factor == 0) continue;
    Bytes without_secret(share_bytes);
    for (std::size_t i = 0; i < stolen.size(); ++i)
      for (std::size_t byte = 0; byte < share_bytes; ++byte)
        without_secret[byte] ^= gf256::Mul((*combination)(0, i), stolen[i].bytes[byte]);
    const std::uint32_t difference = list[other] ^ Crc32c(without_secret, kCephSeed);
    std::array<std::uint32_t, 32> masks = {};
    for (unsigned bit = 0; bit < 32; ++bit) {
      Bytes flipped(share_bytes);
      const Bytes one = LittleEndian(std::uint32_t{1} << bit);
      for (std::size_t byte = 0; byte < 4; ++byte) flipped[byte] = gf256::Mul(factor, one[byte]);
      const std::uint32_t change = Crc32c(flipped, 0);
      for (unsigned crc_bit = 0; crc_bit < 32; ++crc_bit) masks[crc_bit] |= (change >> crc_bit & 1) << bit;
    }
    for (unsigned crc_bit = 0; crc_bit < 32; ++crc_bit)
      equations.Add(masks[crc_bit], (difference >> crc_bit & 1) != 0);
  }
  if (equations.rank() < 32) return std::nullopt;
  return equations.Solve();
}

TEST(AFourByteSecret, IsRecoveredFromOneShareLessThanTheThresholdAndTheList) {
  for (const SchemeParams params :
       {SchemeParams{SchemeKind::kShamir, 2, 5, 1}, {SchemeKind::kShamir, 3, 5, 1}}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Bytes secret = RandomBytes(4, seed);
      Bytes object = secret;
      object.resize(4096);
      std::vector<Bytes> shares = Split(*Make(params), object, seed + 100);
      std::vector<std::uint32_t> list;
      for (Bytes& share : shares) list.push_back(FastCrc32c(share, share.size()));
      std::vector<unsigned> thieves(params.k - 1);
      std::iota(thieves.begin(), thieves.end(), 1u);
      const auto found = Attack(params, Pick(shares, thieves), list);
      ASSERT_TRUE(found.has_value()) << ToString(params);
      EXPECT_EQ(LittleEndian(*found), secret) << ToString(params);
    }
  }
}

}  // namespace
}  // namespace ssn
