// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/scheme.h"

#include <fmt/format.h>

namespace ssn {
namespace {

constexpr unsigned kMaxSmallXorShares = 17;  // above it p is 257
constexpr unsigned kMaxLargeXorThreshold = 4;

}  // namespace

Status Validate(const SchemeParams& params) {
  const auto [kind, k, n, l] = params;
  if (n < 2 || n > kMaxShares)
    return Status::InvalidArgument(fmt::format("n={} is outside 2..{}", n, kMaxShares));
  if (k < 2 || k > n) return Status::InvalidArgument(fmt::format("k={} is outside 2..n={}", k, n));
  if (kind != SchemeKind::kRamp && l != 1)
    return Status::InvalidArgument(
        fmt::format("l={} with scheme {}: only ramp takes l", l, SchemeName(kind)));
  if (kind == SchemeKind::kRamp && k < 3)
    return Status::InvalidArgument(fmt::format("k={} with scheme ramp is outside 3..n={}", k, n));
  if (kind == SchemeKind::kRamp && (l < 2 || l >= k))
    return Status::InvalidArgument(fmt::format("l={} with scheme ramp is outside 2..{}", l, k - 1));
  if (kind == SchemeKind::kXor && n > kMaxSmallXorShares && k > kMaxLargeXorThreshold)
    return Status::InvalidArgument(
        fmt::format("k={} with scheme xor and n={} is outside 2..{} (any k up to n={})", k, n,
                    kMaxLargeXorThreshold, kMaxSmallXorShares));
  return {};
}

std::string_view SchemeName(SchemeKind kind) {
  switch (kind) {
    case SchemeKind::kShamir:
      return "shamir";
    case SchemeKind::kRamp:
      return "ramp";
    case SchemeKind::kXor:
      return "xor";
  }
  return "?";
}

Result<SchemeKind> ParseSchemeName(std::string_view name) {
  for (const SchemeKind kind : {SchemeKind::kShamir, SchemeKind::kRamp, SchemeKind::kXor})
    if (name == SchemeName(kind)) return kind;
  return Status::InvalidArgument(fmt::format("scheme={} is not one of shamir, ramp, xor", name));
}

std::string ToString(const SchemeParams& params) {
  if (params.kind == SchemeKind::kRamp) return fmt::format("ramp ({},{},{})", params.k, params.l, params.n);
  return fmt::format("{} ({},{})", SchemeName(params.kind), params.k, params.n);
}

}  // namespace ssn
