// SPDX-License-Identifier: LGPL-2.1-or-later
// tile.h - data is encrypted and authenticated in pieces that stay in the first-level cache between the two.

#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace ssn::provider {

// TileOf is the size of the next piece.
template <typename Byte>
std::size_t TileOf(std::span<Byte> left) noexcept {
  constexpr std::size_t kTileBytes = 4096;
  return std::min(left.size(), kTileBytes);
}

}  // namespace ssn::provider
