// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "sharing/sharing_impl.h"
#include "ssn/secret.h"

namespace ssn {

Status Sharing::DealSubshares(std::span<const unsigned> dealers, const Share& share, const Sharing& next,
                              std::span<const MutableByteSpan> subshares, RandomSource& random) const {
  const SchemeParams& params = impl_->params;
  if (dealers.size() != params.k)
    return Status::NotEnoughShares(
        fmt::format("{} dealers given, {} takes exactly {}", dealers.size(), ToString(params), params.k));
  std::vector<Share> as_shares;
  for (const unsigned dealer : dealers) as_shares.push_back({dealer, share.bytes});
  if (Status status = impl_->CheckShares(as_shares, params.k); !status.ok()) return status;
  const auto found = std::ranges::find(dealers, share.index);
  if (found == dealers.end())
    return Status::InvalidArgument(fmt::format("share {} is not one of the dealers", share.index));
  const auto position = static_cast<std::size_t>(found - dealers.begin());

  // The secret is a sum over the dealers of what each contributes: its columns of the map to the secret,
  // applied to its share. Each dealer splits its contribution anew.
  const Generator& generator = impl_->generator;
  Matrix known;
  for (const unsigned dealer : dealers) known.AppendRows(generator.ShareRows(dealer));
  const std::optional<Matrix> to_secret = Express(known, generator.SecretRows());
  assert(to_secret.has_value());  // any k shares determine the secret
  const LinearMap map(to_secret->ColumnRange(position * generator.blocks, generator.blocks));

  SecretBytes contribution(params.l * share.bytes.size());
  const std::size_t block_bytes = share.bytes.size() / generator.blocks;
  std::vector<const std::uint8_t*> inputs;
  std::vector<std::uint8_t*> outputs;
  BlocksOf(share.bytes.data(), map.columns(), block_bytes, inputs);
  BlocksOf(contribution.data(), map.rows(), block_bytes, outputs);
  ApplyInTiles(map, block_bytes, inputs, outputs);
  return next.Split(contribution.span(), subshares, random);
}

void AddShare(MutableByteSpan share, ByteSpan delta) noexcept {
  assert(share.size() == delta.size());
  for (std::size_t i = 0; i < share.size(); ++i) share[i] ^= delta[i];
}

}  // namespace ssn
