// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include "sharing/sharing_impl.h"

namespace ssn {

Status Sharing::Impl::Recover(std::span<const Share> shares, unsigned target, MutableByteSpan out) const {
  if (Status status = CheckShares(shares, params.k); !status.ok()) return status;
  shares = shares.first(params.k);
  const std::size_t share_bytes = shares[0].bytes.size();
  const std::size_t out_bytes = target == kSecret ? params.l * share_bytes : share_bytes;
  if (out.size() != out_bytes)
    return Status::InvalidArgument(fmt::format("output of {} bytes: must have {}", out.size(), out_bytes));

  std::vector<unsigned> base;
  for (const Share& share : shares) base.push_back(share.index);
  const auto map = MapFrom(base, {&target, 1});

  const std::size_t blocks = generator.blocks;
  const std::size_t block_bytes = share_bytes / blocks;
  std::vector<const std::uint8_t*> inputs;
  std::vector<std::uint8_t*> outputs;
  for (const Share& share : shares) BlocksOf(share.bytes.data(), blocks, block_bytes, inputs);
  BlocksOf(out.data(), map->rows(), block_bytes, outputs);
  ApplyInTiles(*map, block_bytes, inputs, outputs);
  return {};
}

Status Sharing::Combine(std::span<const Share> shares, MutableByteSpan secret) const {
  return impl_->Recover(shares, kSecret, secret);
}

Status Sharing::Rebuild(std::span<const Share> shares, unsigned index, MutableByteSpan share) const {
  if (index >= impl_->params.n)
    return Status::InvalidArgument(
        fmt::format("share index {} is outside 0..{}", index, impl_->params.n - 1));
  return impl_->Recover(shares, index, share);
}

}  // namespace ssn
