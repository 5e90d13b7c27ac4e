// SPDX-License-Identifier: LGPL-2.1-or-later
// repeated_keys.h - remembers the keys a KME delivered, so that one that comes again is noticed: a KME
// restored from a snapshot gives the same key bytes under new ids, and pad made of them would serve twice.
//
// Shapes:    the kLimit newest keys are remembered, each by hashes of its id and of its bytes.
// Secrecy:   the hashes are those of a polynomial over a secret point, kept in locked memory and never
//            told; they are wiped with the object.
// Limit:     it forgets at the end of the process. A KME that goes back in time while the proxy is not
//            running is not noticed.
// Threads:   no locking of its own.

#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>
#include <utility>

#include "qkdn/etsi014/objects.h"
#include "ssn/secret.h"

namespace ssn::qkdn::proxy {

class RepeatedKeys {
 public:
  static constexpr std::size_t kLimit = std::size_t{1} << 17;

  // `point`: 32 random bytes.
  explicit RepeatedKeys(SecretBytes point) : point_(std::move(point)) {}

  // Check is true if an id or the bytes of one of the keys came before, in an earlier call or in this one. It
  // remembers all of them.
  bool Check(const etsi014::Keys& keys);

 private:
  bool Remember(ByteSpan bytes);

  SecretBytes point_;
  std::unordered_set<std::uint64_t> hashes_;
  std::deque<std::uint64_t> order_;
};

}  // namespace ssn::qkdn::proxy
