// SPDX-License-Identifier: LGPL-2.1-or-later
// linear_map.h - a matrix made ready to be applied to regions of bytes.
//
// Shapes:    rows() output regions, each the combination of columns() input regions that its row says;
//            all of one length. Output regions must not overlap inputs or each other.
// Errors:    none.
// Timing:    constant in the bytes of the regions: shuffles and exclusive-ors, no table indexed by data
//            (on x86-64 with SSSE3 and on aarch64, where ISA-L has vector code for every length used here).
// Threads:   immutable.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sharing/matrix.h"
#include "sharing/xor_kernel.h"

namespace ssn {

class LinearMap {
 public:
  LinearMap() = default;
  // With entries 0 and 1 only, the map adds regions up (xor_kernel.h), otherwise it runs on ISA-L's GF(2^8)
  // dot products.
  explicit LinearMap(const Matrix& matrix);

  std::size_t rows() const noexcept { return rows_; }
  std::size_t columns() const noexcept { return columns_; }

  // REQUIRES: inputs.size() == columns(), outputs.size() == rows(), length > 0.
  // Only sums know kStreaming; it pays when the outputs of all calls together are larger than a cache.
  void Apply(std::size_t length, std::span<const std::uint8_t* const> inputs,
             std::span<std::uint8_t* const> outputs, Stores stores = Stores::kCached) const;

  // What the tables take, for bounding a cache.
  std::size_t memory_bytes() const noexcept;

 private:
  void ApplyXor(std::size_t length, std::span<const std::uint8_t* const> inputs,
                std::span<std::uint8_t* const> outputs, Stores stores) const;
  void ApplyGf(std::size_t length, std::span<const std::uint8_t* const> inputs,
               std::span<std::uint8_t* const> outputs) const;

  struct XorSum {
    std::vector<std::uint16_t> terms;  // the inputs to add up
    std::size_t output = 0;
  };

  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::vector<std::uint8_t> gf_tables_;  // ISA-L's 32 bytes for each entry; empty for an XOR map
  std::vector<XorSum> sums_;             // those of an XOR map
  bool gather_ = false;                  // whether to bring the inputs of sums together first
};

}  // namespace ssn
