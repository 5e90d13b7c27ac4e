// SPDX-License-Identifier: LGPL-2.1-or-later
// scheme.h - which secret sharing, and its numbers. The letters are fixed here for the whole project:
//
//   n  shares, one for each shareholder, with indices 0 .. n-1
//   k  threshold: any k shares rebuild the secret (the pool profile's key `t`)
//   l  pieces the secret is cut into; a share is as long as one piece. 1 except for ramp schemes
//
//   shamir  Shamir (k, n) over GF(2^8) modulo x^8+x^4+x^3+x^2+1 (0x11d). Any k-1 shares are independent of
//           the secret. A. Shamir, "How to share a secret", CACM 22(11), 1979.
//   ramp    (k, l, n) over the same field. Any k-l shares are independent of the secret; strongly secure:
//           k-l+j shares are independent of every l-j of its pieces. H. Yamamoto, 1986. The
//           l pieces are values of the polynomial, not coefficients.
//   xor     (k, n) with exclusive-or only. Any k-1 shares are independent of the secret. J. Kurihara et al.,
//           "A new (k,n)-threshold secret sharing scheme and its extension", ISC 2008.
//
// Errors:    kInvalidArgument names the number and its range.
// Threads:   values.

#pragma once

#include <string>
#include <string_view>

#include "ssn/status.h"

namespace ssn {

enum class SchemeKind { kShamir, kRamp, kXor };

inline constexpr unsigned kMaxShares = 127;  // Ceph's shard_id is a signed byte

struct SchemeParams {
  SchemeKind kind = SchemeKind::kShamir;
  unsigned k = 3;
  unsigned n = 5;
  unsigned l = 1;

  friend bool operator==(const SchemeParams&, const SchemeParams&) = default;
  friend auto operator<=>(const SchemeParams&, const SchemeParams&) = default;
};

// Validate says whether such a scheme exists: 2 <= k <= n <= kMaxShares; l = 1 for shamir and xor,
// 2 <= l < k for ramp; for xor with n > 17 also k <= 4, because its matrices grow with (256 k)^2.
Status Validate(const SchemeParams& params);

// The names are those of the pool profile: shamir, ramp, xor.
std::string_view SchemeName(SchemeKind kind);
Result<SchemeKind> ParseSchemeName(std::string_view name);

// ToString gives "shamir (3,5)", "ramp (4,2,6)" as (k,l,n), "xor (3,5)".
std::string ToString(const SchemeParams& params);

}  // namespace ssn
