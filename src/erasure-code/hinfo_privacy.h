// SPDX-License-Identifier: LGPL-2.1-or-later
// hinfo_privacy.h - what Ceph's list of checksums tells a coalition of shareholders about the secret.
//
// In an erasure-coded pool the xattr hinfo_key of every shard holds the CRC32C of all n shards. A CRC is a
// linear function over GF(2), so a coalition that reads the list knows linear functions of every share.
// PRIVACY.md states and proves the criterion that is computed here.
//
// Shapes:    a coalition is a set of share indices; whoever holds one share holds the list.
// Errors:    none; params that do not pass Validate and indices out of range are our own bugs and assert.
// Threads:   pure functions; HinfoPrivacy remembers its answers, behind a lock.
// Spec:      PRIVACY.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sharing/generator.h"
#include "ssn/scheme.h"

namespace ssn {

// HinfoLeakBits gives how many bits of the secret the list adds to what the coalition's shares tell alone
// (which is nothing up to k-l shares), for every segment that was appended. The list alone, with no share, is
// the coalition of nobody. Exact when a segment gives every share at least 32 bytes, and for xor every block
// at least 4: always so in a pool. An object written at once is one segment.
std::size_t HinfoLeakBits(const SchemeParams& params, std::span<const unsigned> coalition);

// The same for shares over GF(2^8) made with any generator.
// REQUIRES: generator.blocks == 1.
std::size_t HinfoLeakBits(const Generator& generator, std::span<const unsigned> coalition);

// HinfoPrivacy gives the largest c such that no c shareholders learn anything from their shares and the list.
// It is at most k-l-1. At 0 a single shareholder learns something.
//
// It is stored in pool profiles, which every daemon computes again and compares: it depends on `params`
// and on nothing else. A c with more coalitions than kMaxHinfoWork allows is passed over; the result then
// is a proved lower bound. Below n = 18 nothing is passed over. It takes about a millisecond for n <= 8, up
// to half a second for n <= 17, and about two seconds at most.
unsigned HinfoPrivacy(const SchemeParams& params);

// The most that C(n,c) * n * k may be. A larger value would change the profile of pools that exist.
inline constexpr std::uint64_t kMaxHinfoWork = std::uint64_t{1} << 23;

}  // namespace ssn
