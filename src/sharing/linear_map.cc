// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharing/linear_map.h"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "ssn/secret.h"

namespace ssn {
namespace {

constexpr std::size_t kTableBytes = 32;  // ISA-L: two nibble tables of 16 bytes for each coefficient
constexpr std::size_t kVector = 64;      // below this length ISA-L looks data up in tables

// ISA-L 2.30 returns with the upper halves of the vector registers in use, and every SSE instruction
// after it pays for that: AES-NI code was seen to run at half its speed.
#if defined(__x86_64__)
[[gnu::target("avx")]] void ZeroUpper() { __builtin_ia32_vzeroupper(); }
void LeaveVectorCode() {
  static const bool has_avx = __builtin_cpu_supports("avx");
  if (has_avx) ZeroUpper();
}
#else
void LeaveVectorCode() {}
#endif

// The blocks of a share are often a power of two apart, and then all fall into the few lines of the same
// cache sets. Where every input is used several times, it pays to copy as many columns of all inputs to one
// place as the L1 cache holds: combine (4,7) of 64 KiB takes a third of the time. Not for outputs in larger
// numbers than inputs: they push out of the cache what has been copied.
constexpr std::size_t kGatherBytes = 16 * 1024;
constexpr std::size_t kGatherUses = 4;

}  // namespace

LinearMap::LinearMap(const Matrix& matrix) : rows_(matrix.rows()), columns_(matrix.columns()) {
  bool is_xor = true;
  for (std::size_t r = 0; r < rows_; ++r)
    is_xor &= std::ranges::all_of(matrix.row(r), [](auto e) { return e <= 1; });
  if (is_xor) {
    std::size_t terms = 0;
    sums_.resize(rows_);
    for (std::size_t r = 0; r < rows_; ++r) {
      sums_[r].output = r;
      for (std::size_t c = 0; c < columns_; ++c)
        if (matrix(r, c) != 0) sums_[r].terms.push_back(static_cast<std::uint16_t>(c));
      terms += sums_[r].terms.size();
    }
    // Sums that begin with the same input follow each other, while it is in the L1 cache: 3 % of split (3,5)
    // at 64 KiB.
    std::ranges::stable_sort(sums_, {}, &XorSum::terms);
    gather_ = columns_ > rows_ && columns_ <= kGatherBytes / kVector && terms >= kGatherUses * columns_;
    return;
  }
  std::vector<std::uint8_t> coefficients;
  for (std::size_t r = 0; r < rows_; ++r)
    coefficients.insert(coefficients.end(), matrix.row(r).begin(), matrix.row(r).end());
  gf_tables_.resize(kTableBytes * rows_ * columns_);
  ec_init_tables(static_cast<int>(columns_), static_cast<int>(rows_), coefficients.data(), gf_tables_.data());
}

void LinearMap::Apply(std::size_t length, std::span<const std::uint8_t* const> inputs,
                      std::span<std::uint8_t* const> outputs, Stores stores) const {
  assert(inputs.size() == columns_ && outputs.size() == rows_ && length > 0);
  if (rows_ == 0) return;
  if (gf_tables_.empty())
    ApplyXor(length, inputs, outputs, stores);
  else if (length >= kVector)
    ApplyGf(length, inputs, outputs);
  else {
    // Short regions go through buffers of a full vector, wiped afterwards.
    std::vector<std::array<std::uint8_t, kVector>> in(columns_), out(rows_);
    std::vector<const std::uint8_t*> in_pointers;
    std::vector<std::uint8_t*> out_pointers;
    for (std::size_t c = 0; c < columns_; ++c) {
      std::memcpy(in[c].data(), inputs[c], length);
      in_pointers.push_back(in[c].data());
    }
    for (auto& region : out) out_pointers.push_back(region.data());
    ApplyGf(kVector, in_pointers, out_pointers);
    for (std::size_t r = 0; r < rows_; ++r) std::memcpy(outputs[r], out[r].data(), length);
    for (auto& region : in) Wipe(region);
    for (auto& region : out) Wipe(region);
  }
  LeaveVectorCode();
}

void LinearMap::ApplyGf(std::size_t length, std::span<const std::uint8_t* const> inputs,
                        std::span<std::uint8_t* const> outputs) const {
  // ISA-L's parameters are not const, but it writes to the outputs only.
  ec_encode_data(static_cast<int>(length), static_cast<int>(columns_), static_cast<int>(rows_),
                 const_cast<std::uint8_t*>(gf_tables_.data()), const_cast<std::uint8_t**>(inputs.data()),
                 const_cast<std::uint8_t**>(outputs.data()));
}

void LinearMap::ApplyXor(std::size_t length, std::span<const std::uint8_t* const> inputs,
                         std::span<std::uint8_t* const> outputs, Stores stores) const {
  const std::size_t fitting = kGatherBytes / columns_ / kVector * kVector;
  const bool gather = gather_ && fitting < length;  // shorter regions fit into the cache as they are
  const std::size_t chunk = gather ? fitting : length;
  alignas(kVector) std::array<std::uint8_t, kGatherBytes> gathered;
  std::vector<const std::uint8_t*> in(columns_);
  for (std::size_t column = 0; column < length; column += chunk) {
    const std::size_t bytes = std::min(chunk, length - column);
    for (std::size_t c = 0; c < columns_; ++c) {
      in[c] = inputs[c] + column;
      if (!gather) continue;
      std::memcpy(&gathered[c * chunk], in[c], bytes);
      in[c] = &gathered[c * chunk];
    }
    for (const XorSum& sum : sums_) {
      std::uint8_t* const out = outputs[sum.output] + column;
      if (sum.terms.empty())
        std::memset(out, 0, bytes);
      else
        XorKernels().front().sum(bytes, in.data(), sum.terms, out, stores);
    }
  }
  if (gather) Wipe(gathered);
  if (stores == Stores::kStreaming) StreamingFence();
}

std::size_t LinearMap::memory_bytes() const noexcept {
  std::size_t bytes = gf_tables_.size() + sums_.size() * sizeof(sums_[0]);
  for (const XorSum& sum : sums_) bytes += sum.terms.size() * sizeof(sum.terms[0]);
  return bytes;
}

}  // namespace ssn
