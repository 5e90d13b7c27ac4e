// SPDX-License-Identifier: LGPL-2.1-or-later
// sharing.h - split a secret into shares, and everything that can be done with shares.
//
// Shapes:    all shares of one secret have the same length, share_bytes, a multiple of granule() above 0.
//            The secret is l * share_bytes long: piece after piece. Padding is the caller's;
//            src/sharing/FORMAT.md says what a share's bytes are. Buffers may have any alignment (64 bytes
//            is fastest) and must not overlap.
// Errors:    a call that fails writes nothing the caller may use.
//              kInvalidArgument   lengths, indices or duplicates, with parameter and value
//              kNotEnoughShares   fewer than k (or than the operation needs)
//              kUnavailable       the random source failed
//            Wrong share contents are found by CombineChecked and RebuildChecked only.
// Memory:    at most kMaxScratchBytes for secrets beside the caller's buffers, whatever the length; wiped
//            after use. DealSubshares takes the length of the secret more. (Matrices for sets of shares are
//            cached; they hold nothing secret.)
// Timing:    split, combine and rebuild are constant in the bytes of secret and shares, not in lengths and
//            indices. The checked calls are constant as long as the shares agree, and beyond that depend on
//            the errors only, never on the secret.
// Threads:   a Sharing is immutable to its users: any number of threads may use one.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "ssn/bytes.h"
#include "ssn/random.h"
#include "ssn/scheme.h"
#include "ssn/status.h"

namespace ssn {

inline constexpr std::size_t kMaxScratchBytes = 512 * 1024;

// One share as the caller holds it.
struct Share {
  unsigned index = 0;
  ByteSpan bytes;
};

// What a checked call found out.
struct Findings {
  std::vector<unsigned> wrong;  // indices of shares with wrong bytes, ascending; their bytes were not used
  std::size_t undecided_columns = 0;  // where the shares disagree beyond repair: zero in the output
};

class Sharing {
 public:
  struct Impl;  // the matrices, for this library's own files

  // Create builds the matrices of a scheme. The result is meant to be kept and shared.
  static Result<std::shared_ptr<const Sharing>> Create(const SchemeParams& params);
  ~Sharing();
  Sharing(const Sharing&) = delete;
  Sharing& operator=(const Sharing&) = delete;

  const SchemeParams& params() const noexcept;
  // The share length must be a multiple of this: the number of blocks in a share (1, or p-1 for xor).
  // 32 times it keeps every block aligned for the fastest path.
  std::size_t granule() const noexcept;

  // Split makes all n shares of `secret`. `shares` are n buffers of secret.size() / l bytes, by index.
  Status Split(ByteSpan secret, std::span<const MutableByteSpan> shares, RandomSource& random) const;

  // Combine writes the secret from the first k of `shares`; their indices must differ.
  Status Combine(std::span<const Share> shares, MutableByteSpan secret) const;

  // Rebuild writes the share `index` from the first k of `shares`. The secret appears nowhere.
  Status Rebuild(std::span<const Share> shares, unsigned index, MutableByteSpan share) const;

  // CombineChecked and RebuildChecked use all m >= k shares given. A column is the set of bytes that are
  // coded together: one byte of each share (each of its blocks, for xor) at the same offset.
  // With m >= k + 2e every column with at most e wrong shares comes out right; with m >= k + e it is
  // noticed. Columns that are noticed but cannot be corrected are zero in the output and counted. The search
  // for wrong shares is bounded, to about a second for each call: every case with n <= 17, and hundreds of
  // different sets of wrong shares beyond; columns it does not come to are zero and counted too.
  Result<Findings> CombineChecked(std::span<const Share> shares, MutableByteSpan secret) const;
  Result<Findings> RebuildChecked(std::span<const Share> shares, unsigned index, MutableByteSpan share) const;

  // DealZero makes n shares of the all-zero secret. Shareholder i adds share i to the one it has (AddShare):
  // the secret stays, and shares from before and after do not combine.
  Status DealZero(std::span<const MutableByteSpan> shares, RandomSource& random) const;

  // DealSubshares is one shareholder's part in a change of scheme (Y. Desmedt, S. Jajodia, 1997):
  // the holder of `share`, one of the k different indices in `dealers`, makes a sub-share for each
  // shareholder of `next`. The sum (AddShare) of the k sub-shares a new shareholder gets, one from
  // each dealer, is its share. `subshares` are next.n buffers of l * share.size() / next.l bytes.
  Status DealSubshares(std::span<const unsigned> dealers, const Share& share, const Sharing& next,
                       std::span<const MutableByteSpan> subshares, RandomSource& random) const;

 private:
  explicit Sharing(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// AddShare adds `delta` to `share`, byte by byte in GF(2^8). REQUIRES: equal lengths.
void AddShare(MutableByteSpan share, ByteSpan delta) noexcept;

}  // namespace ssn
