// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/sharing.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <cassert>

#include "sharing/sharing_impl.h"
#include "ssn/secret.h"

namespace ssn {
namespace {

constexpr std::size_t kCacheBytes =
    256 * 1024;  // what the tiles of one call may fill: about half an L2 cache
constexpr std::size_t kMaxTileBytes = 32 * 1024;
constexpr std::size_t kTileStep = 64;
constexpr std::size_t kRequestBytes = 64 * 1024;  // of randomness at once: the drbg source is at its best
// Shares of this many bytes together are stored around the caches. Medians on a busy Zen 4, xor (3,5): a
// secret of 4 MiB takes 0.81 s/GB instead of 1.37 (1.08 instead of 1.62 if a CRC of all shares follows), one
// of 1 MiB 0.62 instead of 0.85 (0.80 either way), one of 256 KiB 0.60 instead of 0.65 (0.88 instead of
// 0.76).
constexpr std::size_t kStreamFrom = 4 << 20;

std::size_t RoundUp(std::size_t bytes) { return (bytes + kTileStep - 1) / kTileStep * kTileStep; }

bool IsUnit(std::span<const std::uint8_t> row, std::size_t* column) {
  *column = static_cast<std::size_t>(std::ranges::find(row, 1) - row.begin());
  return *column < row.size() && std::ranges::count(row, 0) == static_cast<std::ptrdiff_t>(row.size() - 1);
}

SplitPlan MakePlan(const Generator& generator, bool with_secret) {
  const std::size_t secret_columns = generator.secret_columns;
  SplitPlan plan;
  plan.random_blocks.assign(generator.random_columns(), kScratchBlock);
  Matrix computed;
  for (std::size_t block = 0; block < generator.rows.rows(); ++block) {
    std::size_t column = 0;
    if (IsUnit(generator.rows.row(block), &column) && column >= secret_columns &&
        plan.random_blocks[column - secret_columns] == kScratchBlock) {
      plan.random_blocks[column - secret_columns] = block;
      continue;
    }
    plan.computed_blocks.push_back(block);
    computed.AppendRows(generator.rows.RowRange(block, 1));
  }
  plan.map =
      LinearMap(with_secret ? computed : computed.ColumnRange(secret_columns, generator.random_columns()));
  return plan;
}

// The tile of a split with randomness in scratch. An odd number of steps keeps the blocks in scratch from
// falling into the same cache sets.
std::size_t TileBytesWithScratch(std::size_t regions, std::size_t scratch_blocks) {
  const std::size_t steps =
      std::max<std::size_t>(1, std::min(TileBytes(regions), kRequestBytes / scratch_blocks) / kTileStep);
  return (steps - (steps + 1) % 2) * kTileStep;
}

thread_local bool scratch_in_use = false;

}  // namespace

std::size_t TileBytes(std::size_t regions) {
  const std::size_t tile = std::clamp(kCacheBytes / regions, kTileStep, kMaxTileBytes);
  return tile / kTileStep * kTileStep;
}

void ApplyInTiles(const LinearMap& map, std::size_t block_bytes, std::span<const std::uint8_t* const> inputs,
                  std::span<std::uint8_t* const> outputs) {
  const std::size_t tile = TileBytes(inputs.size() + outputs.size());
  std::vector<const std::uint8_t*> in(inputs.begin(), inputs.end());
  std::vector<std::uint8_t*> out(outputs.begin(), outputs.end());
  for (std::size_t column = 0; column < block_bytes; column += tile) {
    const std::size_t length = std::min(tile, block_bytes - column);
    map.Apply(length, in, out);
    for (auto& pointer : in) pointer += length;
    for (auto& pointer : out) pointer += length;
  }
}

Scratch::Scratch(std::size_t size) {
  thread_local SecretBytes memory;
  assert(size <= kMaxScratchBytes && !scratch_in_use);
  if (memory.size() == 0 && size > 0) memory = SecretBytes(kMaxScratchBytes);
  scratch_in_use = true;
  region_ = memory.span().first(size);
}

Scratch::~Scratch() {
  Wipe(region_);
  scratch_in_use = false;
}

Sharing::Impl::Impl(const SchemeParams& scheme)
    : params(scheme),
      generator(MakeGenerator(scheme)),
      split(MakePlan(generator, true)),
      zero(MakePlan(generator, false)) {}

std::shared_ptr<const LinearMap> Sharing::Impl::MapFrom(std::span<const unsigned> base,
                                                        std::span<const unsigned> targets) const {
  assert(base.size() == params.k);
  MapCache::Key key(base.begin(), base.end());
  key.insert(key.end(), targets.begin(), targets.end());
  return maps.Get(key, [&] {
    Matrix known;
    Matrix wanted;
    for (const unsigned index : base) known.AppendRows(generator.ShareRows(index));
    for (const unsigned target : targets)
      wanted.AppendRows(target == kSecret ? generator.SecretRows() : generator.ShareRows(target));
    const std::optional<Matrix> combination = Express(known, wanted);
    assert(combination.has_value());  // any k shares determine the secret and all other shares
    return LinearMap(*combination);
  });
}

Status Sharing::Impl::CheckLength(const char* name, std::size_t bytes) const {
  if (bytes == 0 || bytes % generator.blocks != 0)
    return Status::InvalidArgument(
        fmt::format("{} of {} bytes: must be a multiple of {} above 0", name, bytes, generator.blocks));
  return {};
}

Status Sharing::Impl::CheckShares(std::span<const Share> shares, std::size_t needed) const {
  if (shares.size() < needed)
    return Status::NotEnoughShares(
        fmt::format("{} shares given, {} needs {}", shares.size(), ToString(params), needed));
  if (Status status = CheckLength("share", shares[0].bytes.size()); !status.ok()) return status;
  std::bitset<kMaxShares> seen;
  for (const Share& share : shares) {
    if (share.index >= params.n)
      return Status::InvalidArgument(
          fmt::format("share index {} is outside 0..{}", share.index, params.n - 1));
    if (seen.test(share.index))
      return Status::InvalidArgument(fmt::format("share {} is given twice", share.index));
    seen.set(share.index);
    if (share.bytes.size() != shares[0].bytes.size())
      return Status::InvalidArgument(fmt::format("share {} has {} bytes, share {} has {}", share.index,
                                                 share.bytes.size(), shares[0].index,
                                                 shares[0].bytes.size()));
  }
  return {};
}

Status Sharing::Impl::Deal(const SplitPlan& plan, const std::uint8_t* secret,
                           std::span<const MutableByteSpan> shares, RandomSource& random) const {
  if (shares.size() != params.n)
    return Status::InvalidArgument(
        fmt::format("{} share buffers given, {} makes {}", shares.size(), ToString(params), params.n));
  const std::size_t share_bytes = shares[0].size();
  if (Status status = CheckLength("share", share_bytes); !status.ok()) return status;
  for (const MutableByteSpan& share : shares)
    if (share.size() != share_bytes)
      return Status::InvalidArgument(
          fmt::format("share buffers of {} and {} bytes", share_bytes, share.size()));

  const std::size_t blocks = generator.blocks;
  const std::size_t block_bytes = share_bytes / blocks;
  const auto place = [&](std::size_t block, std::size_t column) {
    return shares[block / blocks].data() + block % blocks * block_bytes + column;
  };
  const std::size_t secret_columns = secret == nullptr ? 0 : generator.secret_columns;
  const auto scratch_blocks = static_cast<std::size_t>(std::ranges::count(plan.random_blocks, kScratchBlock));
  const std::size_t regions = generator.secret_columns + generator.rows.rows() + scratch_blocks;
  const std::size_t tile =
      std::min(scratch_blocks == 0 ? TileBytes(regions) : TileBytesWithScratch(regions, scratch_blocks),
               RoundUp(block_bytes));
  const Stores stores = shares.size() * share_bytes >= kStreamFrom ? Stores::kStreaming : Stores::kCached;
  Scratch scratch(scratch_blocks * tile);

  std::vector<const std::uint8_t*> inputs(secret_columns + plan.random_blocks.size());
  std::vector<std::uint8_t*> outputs(plan.computed_blocks.size());
  for (std::size_t column = 0; column < block_bytes; column += tile) {
    const std::size_t length = std::min(tile, block_bytes - column);
    const std::size_t stride = RoundUp(length);  // keeps the blocks in scratch aligned
    for (std::size_t s = 0; s < secret_columns; ++s) inputs[s] = secret + s * block_bytes + column;
    if (scratch_blocks > 0)
      if (Status status = random.Fill(scratch.span().first(scratch_blocks * stride)); !status.ok())
        return status;
    std::uint8_t* free_scratch = scratch.data();
    for (std::size_t r = 0; r < plan.random_blocks.size(); ++r) {
      std::uint8_t* region = free_scratch;
      if (plan.random_blocks[r] == kScratchBlock) {
        free_scratch += stride;
      } else {
        region = place(plan.random_blocks[r], column);
        if (Status status = random.Fill({region, length}); !status.ok()) return status;
      }
      inputs[secret_columns + r] = region;
    }
    for (std::size_t c = 0; c < outputs.size(); ++c) outputs[c] = place(plan.computed_blocks[c], column);
    plan.map.Apply(length, inputs, outputs, stores);
  }
  return {};
}

Result<std::shared_ptr<const Sharing>> Sharing::Create(const SchemeParams& params) {
  if (Status status = Validate(params); !status.ok()) return status;
  return std::shared_ptr<const Sharing>(new Sharing(std::make_unique<Impl>(params)));
}

Sharing::Sharing(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sharing::~Sharing() = default;

const SchemeParams& Sharing::params() const noexcept { return impl_->params; }
std::size_t Sharing::granule() const noexcept { return impl_->generator.blocks; }

Status Sharing::Split(ByteSpan secret, std::span<const MutableByteSpan> shares, RandomSource& random) const {
  if (shares.empty() || secret.size() != impl_->params.l * shares[0].size())
    return Status::InvalidArgument(fmt::format("secret of {} bytes: must be l={} times the share's {}",
                                               secret.size(), impl_->params.l,
                                               shares.empty() ? 0 : shares[0].size()));
  return impl_->Deal(impl_->split, secret.data(), shares, random);
}

Status Sharing::DealZero(std::span<const MutableByteSpan> shares, RandomSource& random) const {
  return impl_->Deal(impl_->zero, nullptr, shares, random);
}

}  // namespace ssn
