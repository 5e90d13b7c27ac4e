// SPDX-License-Identifier: LGPL-2.1-or-later
// Combine and rebuild that look at more shares than they need: the first k predict the others.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <set>

#include "sharing/locate.h"
#include "sharing/sharing_impl.h"
#include "ssn/secret.h"

namespace ssn {
namespace {

// One tile of columns of all shares given. Offsets into it are columns.
struct Tile {
  std::span<const unsigned> indices;
  std::vector<const std::uint8_t*> inputs;  // blocks of the shares, share after share
  std::vector<std::uint8_t*> outputs;       // blocks of the target
  std::size_t length;
};

// A place in scratch for `count` blocks of one tile.
struct TileBlocks {
  std::uint8_t* bytes;
  std::size_t count;
  std::size_t stride;
  std::uint8_t* block(std::size_t b) const { return bytes + b * stride; }
};

// `disagreement` becomes 0 in the columns in which all `found` equal all `expected`.
void Compare(std::span<const std::uint8_t* const> found, const TileBlocks& expected, std::size_t length,
             std::uint8_t* disagreement) {
  std::memset(disagreement, 0, length);
  for (std::size_t b = 0; b < expected.count; ++b)
    for (std::size_t c = 0; c < length; ++c)
      disagreement[c] = static_cast<std::uint8_t>(disagreement[c] | (found[b][c] ^ expected.block(b)[c]));
}

bool AnyNonzero(const std::uint8_t* bytes, std::size_t length) {
  std::uint8_t all = 0;
  for (std::size_t i = 0; i < length; ++i) all |= bytes[i];
  return all != 0;
}

class Mender {
 public:
  Mender(const Sharing::Impl& impl, unsigned target) : impl_(impl), target_(target) {}

  // Columns that the shares agree on are in the outputs already; mends the others as far as possible.
  // `predicted` is what the first k shares say of the others; `spare` has room for as much and the target.
  void Mend(const Tile& tile, const TileBlocks& predicted, const TileBlocks& spare,
            std::uint8_t* disagreement) {
    const std::size_t k = impl_.params.k;
    const std::size_t blocks = impl_.generator.blocks;
    const std::size_t max_errors = (tile.indices.size() - k) / 2;
    std::vector<std::size_t> open;
    for (std::size_t c = 0; c < tile.length; ++c)
      if (disagreement[c] != 0) open.push_back(c);

    // What was wrong in earlier columns is tried first: a share that is wrong is so in many columns.
    for (const Positions& wrong : known_) {
      if (open.empty()) break;
      Settle(wrong, tile, spare, disagreement, open);
    }
    // Each round settles at least the first open column, or gives up on all that are left.
    std::vector<std::uint8_t> word(tile.inputs.size());
    while (!open.empty()) {
      for (std::size_t b = k * blocks; b < word.size(); ++b)
        word[b] =
            static_cast<std::uint8_t>(tile.inputs[b][open[0]] ^ predicted.block(b - k * blocks)[open[0]]);
      const auto wrong =
          LocateErrors(impl_.params, impl_.generator, tile.indices, word, max_errors, work_left_);
      if (!wrong || wrong->empty()) break;
      Settle(*wrong, tile, spare, disagreement, open);
      if (known_.size() == kMaxKnown) known_.pop_back();
      known_.push_front(*wrong);
    }
    Wipe(word);
    for (const std::size_t c : open)
      for (std::uint8_t* output : tile.outputs) output[c] = 0;
    undecided_ += open.size();
  }

  Findings findings() const { return {{wrong_.begin(), wrong_.end()}, undecided_}; }

 private:
  using Positions = std::vector<std::size_t>;
  static constexpr std::size_t kMaxKnown = 32;

  // Takes out of `open` the columns on which all shares but those at `wrong` agree, and writes their outputs.
  void Settle(const Positions& wrong, const Tile& tile, const TileBlocks& spare, std::uint8_t* disagreement,
              std::vector<std::size_t>& open) {
    RecoverWithout(wrong, tile, spare, disagreement);
    const std::size_t target_blocks = tile.outputs.size();
    const std::size_t settled = std::erase_if(open, [&](std::size_t c) {
      if (disagreement[c] != 0) return false;
      for (std::size_t b = 0; b < target_blocks; ++b)
        tile.outputs[b][c] = spare.block(spare.count - target_blocks + b)[c];
      return true;
    });
    if (settled > 0)
      for (const std::size_t position : wrong) wrong_.insert(tile.indices[position]);
  }

  // Writes the target as the shares other than `wrong` have it to the end of `spare`, and where they
  // disagree.
  void RecoverWithout(const Positions& wrong, const Tile& tile, const TileBlocks& spare,
                      std::uint8_t* disagreement) {
    const std::size_t k = impl_.params.k;
    const std::size_t blocks = impl_.generator.blocks;
    std::vector<unsigned> base;
    std::vector<unsigned> targets;
    std::vector<const std::uint8_t*> base_blocks;
    std::vector<const std::uint8_t*> rest_blocks;
    for (std::size_t i = 0; i < tile.indices.size(); ++i) {
      if (std::ranges::find(wrong, i) != wrong.end()) continue;
      auto& kept = base.size() < k ? base_blocks : rest_blocks;
      (base.size() < k ? base : targets).push_back(tile.indices[i]);
      kept.insert(kept.end(), &tile.inputs[i * blocks], &tile.inputs[i * blocks] + blocks);
    }
    targets.push_back(target_);
    const auto map = impl_.MapFrom(base, targets);
    // The outputs are laid at the end of `spare`: first the rest of the shares, last the target.
    const std::size_t first = spare.count - map->rows();
    std::vector<std::uint8_t*> outputs;
    BlocksOf(spare.block(first), map->rows(), spare.stride, outputs);
    map->Apply(tile.length, base_blocks, outputs);
    Compare(rest_blocks, {spare.block(first), rest_blocks.size(), spare.stride}, tile.length, disagreement);
  }

  const Sharing::Impl& impl_;
  const unsigned target_;
  std::uint64_t work_left_ = kMaxLocateWork;
  std::deque<Positions> known_;  // sets of wrong shares, the last found first
  std::set<unsigned> wrong_;
  std::size_t undecided_ = 0;
};

}  // namespace

Result<Findings> Sharing::Impl::RecoverChecked(std::span<const Share> shares, unsigned target,
                                               MutableByteSpan out) const {
  if (Status status = CheckShares(shares, params.k); !status.ok()) return status;
  const std::size_t share_bytes = shares[0].bytes.size();
  const std::size_t out_bytes = target == kSecret ? params.l * share_bytes : share_bytes;
  if (out.size() != out_bytes)
    return Status::InvalidArgument(fmt::format("output of {} bytes: must have {}", out.size(), out_bytes));

  std::vector<unsigned> indices;
  for (const Share& share : shares) indices.push_back(share.index);
  std::vector<unsigned> targets(indices.begin() + params.k, indices.end());
  targets.push_back(target);
  const auto map = MapFrom(std::span(indices).first(params.k), targets);

  const std::size_t blocks = generator.blocks;
  const std::size_t block_bytes = share_bytes / blocks;
  const std::size_t rest_blocks = (shares.size() - params.k) * blocks;
  const std::size_t target_blocks = map->rows() - rest_blocks;
  const std::size_t scratch_blocks = 2 * rest_blocks + target_blocks + 1;
  // XOR schemes with p = 257 have so many blocks that a tile of them all must be narrow.
  const std::size_t tile_bytes =
      std::min(TileBytes(map->columns() + map->rows() + scratch_blocks), kMaxScratchBytes / scratch_blocks);
  Scratch scratch(scratch_blocks * tile_bytes);
  const TileBlocks predicted{scratch.data(), rest_blocks, tile_bytes};
  const TileBlocks spare{predicted.block(rest_blocks), rest_blocks + target_blocks, tile_bytes};
  std::uint8_t* const disagreement = spare.block(spare.count);

  Mender mender(*this, target);
  for (std::size_t column = 0; column < block_bytes; column += tile_bytes) {
    Tile tile{.indices = indices,
              .inputs = {},
              .outputs = {},
              .length = std::min(tile_bytes, block_bytes - column)};
    for (const Share& share : shares) BlocksOf(share.bytes.data() + column, blocks, block_bytes, tile.inputs);
    BlocksOf(out.data() + column, target_blocks, block_bytes, tile.outputs);
    std::vector<std::uint8_t*> outputs;
    BlocksOf(predicted.bytes, rest_blocks, tile_bytes, outputs);
    outputs.insert(outputs.end(), tile.outputs.begin(), tile.outputs.end());
    const std::span inputs(tile.inputs);
    map->Apply(tile.length, inputs.first(map->columns()), outputs);
    Compare(inputs.subspan(map->columns()), predicted, tile.length, disagreement);
    if (AnyNonzero(disagreement, tile.length)) mender.Mend(tile, predicted, spare, disagreement);
  }
  return mender.findings();
}

Result<Findings> Sharing::CombineChecked(std::span<const Share> shares, MutableByteSpan secret) const {
  return impl_->RecoverChecked(shares, kSecret, secret);
}

Result<Findings> Sharing::RebuildChecked(std::span<const Share> shares, unsigned index,
                                         MutableByteSpan share) const {
  if (index >= impl_->params.n)
    return Status::InvalidArgument(
        fmt::format("share index {} is outside 0..{}", index, impl_->params.n - 1));
  return impl_->RecoverChecked(shares, index, share);
}

}  // namespace ssn
