// SPDX-License-Identifier: LGPL-2.1-or-later
// locate.h - which shares are wrong in one column of bytes.
//
// Shapes:    `indices` are m >= k different share indices. `word` is a column of m * blocks bytes, share
//            after share: what was read minus what the first k shares predict, so zero for the first k. It
//            depends on the errors alone, never on the secret: a codeword was subtracted.
// Errors:    nothing when no set of at most `max_errors` shares explains the word, or when the work allowed
//            is used up.
// Threads:   pure functions.
// Spec:      L. Welch, E. Berlekamp, US patent 4,633,470 (1986, expired), for shamir and ramp.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sharing/generator.h"

namespace ssn {

// The work allowed for one checked call, in bytes combined: about a second. Enough for the longest search
// of any XOR scheme with n <= 17 and for five hundred different sets of wrong shares with m = 127.
inline constexpr std::uint64_t kMaxLocateWork = std::uint64_t{1} << 35;

// LocateErrors gives the positions in `indices` of the wrong shares, ascending.
// What it does is taken off `work_left`. REQUIRES: m >= k + 2 * max_errors.
std::optional<std::vector<std::size_t>> LocateErrors(const SchemeParams& params, const Generator& generator,
                                                     std::span<const unsigned> indices,
                                                     std::span<const std::uint8_t> word,
                                                     std::size_t max_errors, std::uint64_t& work_left);

}  // namespace ssn
