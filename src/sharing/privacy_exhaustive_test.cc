// SPDX-License-Identifier: LGPL-2.1-or-later
// Privacy proved by counting: Split runs with every value its randomness can take, and what a coalition
// then holds must be distributed in the same way, uniformly, for every secret.
//
// Columns of bytes are shared independently of each other, and so are the bits of a byte under XOR. One Split
// of a long secret is therefore many experiments, one for each column (for each of its bits): in the
// experiment with number e each secret or random symbol, a byte or a bit, is a digit of e.
#include <algorithm>
#include <optional>

#include "sharing/test_util.h"

namespace ssn {
namespace {

using namespace testing_util;

// A symbol of the secret: one value in all experiments, or (nothing) run through all values like randomness.
using Symbol = std::optional<unsigned>;

struct Numbers {
  explicit Numbers(const SchemeParams& p, std::size_t granule)
      : symbol_bits(p.kind == SchemeKind::kXor ? 1 : 8),
        blocks(static_cast<unsigned>(granule)),
        random_symbols(p.kind == SchemeKind::kXor ? (p.k - 1) * (blocks + 1) - 1 : p.k - p.l),
        secret_symbols(p.l * blocks),
        share_bits(symbol_bits * blocks) {}

  unsigned symbol_bits;
  unsigned blocks;
  unsigned random_symbols;
  unsigned secret_symbols;
  unsigned share_bits;
};

// One tile of the experiments from `first` on.
struct Tile {
  // Writes symbol `digit` of each experiment to the column, or to the bit of a column, that it happens in.
  void Write(unsigned digit, std::uint8_t* out) const {
    for (std::size_t c = 0; c < columns; ++c) {
      if (symbol_bits == 8) {
        out[c] = static_cast<std::uint8_t>((first + c) >> (8 * digit));
      } else {
        unsigned byte = 0;
        for (unsigned bit = 0; bit < 8; ++bit)
          byte |= static_cast<unsigned>((first + 8 * c + bit) >> digit & 1u) << bit;
        out[c] = static_cast<std::uint8_t>(byte);
      }
    }
  }
  std::size_t experiments() const { return columns * 8 / symbol_bits; }

  std::size_t first = 0;
  std::size_t columns = 0;
  unsigned symbol_bits = 8;
};

// Delivers the next digit with every stretch of one tile's columns, in whatever order they are asked for.
class EveryValue : public RandomSource {
 public:
  explicit EveryValue(const Tile& tile) : tile_(tile) {}
  Status Fill(MutableByteSpan out) override {
    if (out.size() % tile_.columns != 0) return Status::Unavailable("a tile is shorter than the experiment");
    for (std::size_t at = 0; at < out.size(); at += tile_.columns) Next(digits_++, out.data() + at);
    return {};
  }
  unsigned digits() const { return digits_; }

 protected:
  virtual void Next(unsigned digit, std::uint8_t* out) { tile_.Write(digit, out); }
  const Tile tile_;

 private:
  unsigned digits_ = 0;
};

// A fault often seen: the top coefficient is never zero, "so that the degree is right".
class NeverZero final : public EveryValue {
 public:
  using EveryValue::EveryValue;
  void Next(unsigned digit, std::uint8_t* out) override {
    tile_.Write(digit, out);
    if (digit == 0) std::replace(out, out + tile_.columns, std::uint8_t{0}, std::uint8_t{1});
  }
};

// Another: two random blocks are the same.
class Repeating final : public EveryValue {
 public:
  using EveryValue::EveryValue;
  void Next(unsigned digit, std::uint8_t* out) override { tile_.Write(digit == 1 ? 0 : digit, out); }
};

// What each shareholder holds in each experiment, in share_bits bits: views[share][experiment].
using Views = std::vector<std::vector<std::uint16_t>>;

template <typename Source = EveryValue>
Views EveryOutcome(const Sharing& sharing, const std::vector<Symbol>& secret) {
  const SchemeParams& params = sharing.params();
  const Numbers numbers(params, sharing.granule());
  unsigned digits = numbers.random_symbols;
  for (const Symbol& symbol : secret)
    if (!symbol) ++digits;
  // Each call is one tile of Split: at least 64 columns, so that blocks are not padded, and no more than any
  // scheme here takes at once. Where there are fewer experiments than that, all of them repeat.
  const std::size_t all = std::size_t{1} << (digits * numbers.symbol_bits);
  Tile tile{.columns = std::clamp<std::size_t>(all * numbers.symbol_bits / 8, 64, 512),
            .symbol_bits = numbers.symbol_bits};
  const std::size_t share_bytes = tile.columns * numbers.blocks;
  Bytes bytes(params.l * share_bytes);
  std::vector<Bytes> shares(params.n, Bytes(share_bytes));
  Views views(params.n, std::vector<std::uint16_t>(std::max(all, tile.experiments())));

  for (; tile.first < all; tile.first += tile.experiments()) {
    unsigned free = numbers.random_symbols;
    for (std::size_t s = 0; s < secret.size(); ++s) {
      std::uint8_t* const block = bytes.data() + s * tile.columns;
      if (secret[s])
        std::fill_n(block, tile.columns,
                    static_cast<std::uint8_t>(numbers.symbol_bits == 8 ? *secret[s] : *secret[s] * 0xFF));
      else
        tile.Write(free++, block);
    }
    Source source(tile);
    const Status status = sharing.Split(bytes, Spans(shares), source);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(numbers.random_symbols, source.digits()) << "some of the randomness was not enumerated";
    for (unsigned i = 0; i < params.n; ++i)
      for (unsigned b = 0; b < numbers.blocks; ++b)
        for (std::size_t e = 0; e < tile.experiments(); ++e) {
          const std::size_t position = e * numbers.symbol_bits;
          const unsigned byte = shares[i][b * tile.columns + position / 8];
          const unsigned symbol = byte >> position % 8 & ((1u << numbers.symbol_bits) - 1);
          auto& view = views[i][tile.first + e];
          view = static_cast<std::uint16_t>(view | symbol << (b * numbers.symbol_bits));
        }
  }
  return views;
}

// True when what the coalition holds together takes every value it can have, each equally often.
bool IsUniform(const Views& views, const std::vector<unsigned>& coalition, unsigned share_bits) {
  std::vector<std::uint32_t> count(std::size_t{1} << (share_bits * coalition.size()));
  const std::size_t experiments = views[0].size();
  for (std::size_t e = 0; e < experiments; ++e) {
    std::size_t together = 0;
    for (const unsigned share : coalition) together = together << share_bits | views[share][e];
    ++count[together];
  }
  return std::ranges::all_of(count, [&](std::size_t times) { return times * count.size() == experiments; });
}

// For each coalition of `size`, in order: is what it holds uniform? It is all or nothing: the coalitions for
// which it is not are named by a failure.
void ExpectUniform(const Sharing& sharing, const std::vector<Symbol>& secret, unsigned size) {
  const Views views = EveryOutcome(sharing, secret);
  ForEachSubset(sharing.params().n, size, [&](const std::vector<unsigned>& coalition) {
    EXPECT_TRUE(IsUniform(views, coalition, Numbers(sharing.params(), sharing.granule()).share_bits))
        << ToString(sharing.params()) << ", coalition " << testing::PrintToString(coalition);
  });
}

std::vector<Symbol> SecretOf(const Sharing& sharing, unsigned number) {
  const Numbers numbers(sharing.params(), sharing.granule());
  std::vector<Symbol> secret;
  for (unsigned s = 0; s < numbers.secret_symbols; ++s)
    secret.emplace_back(number >> (s * numbers.symbol_bits) & ((1u << numbers.symbol_bits) - 1));
  return secret;
}

unsigned SecretsOf(const Sharing& sharing) {
  const Numbers numbers(sharing.params(), sharing.granule());
  return 1u << (numbers.secret_symbols * numbers.symbol_bits);
}

class EverySecretAndEveryRandomness : public testing::TestWithParam<SchemeParams> {};

TEST_P(EverySecretAndEveryRandomness, KMinusLSharesAreUniform) {
  const auto sharing = Make(GetParam());
  for (unsigned secret = 0; secret < SecretsOf(*sharing) && !HasFailure(); ++secret)
    ExpectUniform(*sharing, SecretOf(*sharing, secret), GetParam().k - GetParam().l);
}

constexpr SchemeKind kShamir = SchemeKind::kShamir, kRamp = SchemeKind::kRamp, kXor = SchemeKind::kXor;

INSTANTIATE_TEST_SUITE_P(Shamir, EverySecretAndEveryRandomness,
                         testing::Values(SchemeParams{kShamir, 2, 2, 1}, SchemeParams{kShamir, 2, 3, 1},
                                         SchemeParams{kShamir, 2, 4, 1}, SchemeParams{kShamir, 2, 5, 1},
                                         SchemeParams{kShamir, 2, 127, 1}, SchemeParams{kShamir, 3, 3, 1},
                                         SchemeParams{kShamir, 3, 4, 1}, SchemeParams{kShamir, 3, 5, 1},
                                         SchemeParams{kShamir, 3, 7, 1}),  // 7: points of its own
                         TestName);
INSTANTIATE_TEST_SUITE_P(Ramp, EverySecretAndEveryRandomness,
                         testing::Values(SchemeParams{kRamp, 3, 3, 2}, SchemeParams{kRamp, 3, 5, 2}),
                         TestName);
INSTANTIATE_TEST_SUITE_P(Xor, EverySecretAndEveryRandomness,
                         testing::Values(SchemeParams{kXor, 2, 2, 1}, SchemeParams{kXor, 2, 3, 1},
                                         SchemeParams{kXor, 3, 3, 1}, SchemeParams{kXor, 2, 4, 1},
                                         SchemeParams{kXor, 3, 4, 1}, SchemeParams{kXor, 4, 4, 1},
                                         SchemeParams{kXor, 2, 5, 1}, SchemeParams{kXor, 3, 5, 1},
                                         SchemeParams{kXor, 4, 5, 1}, SchemeParams{kXor, 5, 5, 1}),
                         TestName);

// Strongly secure: k-l+1 = 2 shares and one of the two pieces, the other piece being as good as random.
class EveryPiece : public testing::TestWithParam<SchemeParams> {};

TEST_P(EveryPiece, OneShareMoreSaysNothingAboutEachPieceAlone) {
  const auto sharing = Make(GetParam());
  for (const unsigned piece : {0u, 1u})
    for (unsigned value = 0; value < 256 && !HasFailure(); ++value) {
      std::vector<Symbol> secret(2);
      secret[piece] = value;
      ExpectUniform(*sharing, secret, 2);
    }
}

INSTANTIATE_TEST_SUITE_P(Ramp, EveryPiece,
                         testing::Values(SchemeParams{kRamp, 3, 3, 2}, SchemeParams{kRamp, 3, 5, 2}),
                         TestName);

// What follows shows that the counting above can fail.

template <typename Source>
int CoalitionsThatLearn(SchemeParams params, unsigned secret, unsigned size) {
  const auto sharing = Make(params);
  const Views views = EveryOutcome<Source>(*sharing, SecretOf(*sharing, secret));
  int learning = 0;
  ForEachSubset(params.n, size, [&](const std::vector<unsigned>& coalition) {
    if (!IsUniform(views, coalition, Numbers(params, sharing->granule()).share_bits)) ++learning;
  });
  return learning;
}

TEST(TheCounting, FindsThatKSharesAreNotUniform) {
  EXPECT_EQ(10, CoalitionsThatLearn<EveryValue>({kShamir, 2, 5, 1}, 7, 2));
  EXPECT_EQ(10, CoalitionsThatLearn<EveryValue>({kXor, 3, 5, 1}, 7, 3));
  EXPECT_EQ(10, CoalitionsThatLearn<EveryValue>({kRamp, 3, 5, 2}, 7, 2));  // k-l+1 shares of two known pieces
}

TEST(TheCounting, FindsARandomByteThatIsNeverZero) {
  EXPECT_EQ(5, CoalitionsThatLearn<NeverZero>({kShamir, 2, 5, 1}, 7, 1));
  EXPECT_EQ(10, CoalitionsThatLearn<NeverZero>({kShamir, 3, 5, 1}, 7, 2));
  EXPECT_EQ(5, CoalitionsThatLearn<NeverZero>({kRamp, 3, 5, 2}, 7, 1));
}

TEST(TheCounting, FindsARandomBlockThatIsUsedTwice) {
  EXPECT_EQ(10, CoalitionsThatLearn<Repeating>({kShamir, 3, 5, 1}, 7, 2));
  EXPECT_LT(0, CoalitionsThatLearn<Repeating>({kXor, 3, 5, 1}, 7, 2));
  EXPECT_LT(0, CoalitionsThatLearn<Repeating>({kXor, 5, 5, 1}, 7, 4));
}

}  // namespace
}  // namespace ssn
