// SPDX-License-Identifier: LGPL-2.1-or-later
// sharing_impl.h - what the operations of ssn::Sharing have in common: the maps derived from the
// generator, checks of what callers hand in, and the cutting of long shares into tiles.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sharing/generator.h"
#include "sharing/linear_map.h"
#include "sharing/map_cache.h"
#include "ssn/sharing.h"

namespace ssn {

// How a sharing is made: which blocks of randomness are blocks of shares as they are, and the map
// that computes all other blocks from the secret and from the randomness.
struct SplitPlan {
  std::vector<std::size_t> random_blocks;    // for each random column a block of the shares, or kScratchBlock
  std::vector<std::size_t> computed_blocks;  // the blocks of the shares that `map` writes, in its order
  LinearMap map;  // from secret columns (none for a sharing of zero) and random columns
};
inline constexpr std::size_t kScratchBlock = SIZE_MAX;

inline constexpr unsigned kSecret = 255;  // as a target of MapFrom: the secret instead of a share's index

struct Sharing::Impl {
  explicit Impl(const SchemeParams& scheme);

  // MapFrom derives, or finds in the cache, the map from the blocks of k shares to those of `targets`.
  std::shared_ptr<const LinearMap> MapFrom(std::span<const unsigned> base,
                                           std::span<const unsigned> targets) const;

  // CheckShares refuses what no operation could use; on success all shares are `share_bytes` long.
  Status CheckShares(std::span<const Share> shares, std::size_t needed) const;
  Status CheckLength(const char* name, std::size_t bytes) const;

  Status Deal(const SplitPlan& plan, const std::uint8_t* secret, std::span<const MutableByteSpan> shares,
              RandomSource& random) const;
  Status Recover(std::span<const Share> shares, unsigned target, MutableByteSpan out) const;
  Result<Findings> RecoverChecked(std::span<const Share> shares, unsigned target, MutableByteSpan out) const;

  SchemeParams params;
  Generator generator;
  SplitPlan split;
  SplitPlan zero;
  mutable MapCache maps;
};

// TileBytes says how many columns to work on at once so that `regions` tiles stay in the cache.
std::size_t TileBytes(std::size_t regions);

// ApplyInTiles applies `map` to blocks of `block_bytes`, given by where each starts.
void ApplyInTiles(const LinearMap& map, std::size_t block_bytes, std::span<const std::uint8_t* const> inputs,
                  std::span<std::uint8_t* const> outputs);

// BlocksOf appends where each of the `count` blocks that lie one after the other at `bytes` starts.
template <typename Byte>
void BlocksOf(Byte* bytes, std::size_t count, std::size_t block_bytes, std::vector<Byte*>& out) {
  for (std::size_t block = 0; block < count; ++block) out.push_back(bytes + block * block_bytes);
}

// Scratch is this thread's secret memory for the length of one call, wiped at the end.
class Scratch {
 public:
  // REQUIRES: size <= kMaxScratchBytes; no other Scratch in use on this thread.
  explicit Scratch(std::size_t size);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::uint8_t* data() noexcept { return region_.data(); }
  MutableByteSpan span() noexcept { return region_; }

 private:
  MutableByteSpan region_;
};

}  // namespace ssn
