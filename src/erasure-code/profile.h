// SPDX-License-Identifier: LGPL-2.1-or-later
// profile.h - the keys of an erasure-code profile with plugin=ssn: read, checked, and made complete.
//
// Shapes:    strings, as Ceph keeps them. ceph-ec-ssn(7) describes every key; the names are read by
//            operators, the threshold's is `t` because Ceph takes `k` and `m` for capacity.
// Errors:    kInvalidArgument with key, value and what is allowed. Nothing is corrected silently.
// Threads:   pure functions: the same profile gives the same result on every daemon.

#pragma once

#include <map>
#include <string>

#include "ssn/scheme.h"
#include "ssn/status.h"

namespace ssn::erasure_code {

using ProfileKeys = std::map<std::string, std::string>;

struct Profile {
  SchemeParams scheme;  // k of it is the profile's t
  unsigned verify = 0;  // shares to read beyond t
  std::string random = "drbg";
  std::string crush_root;
  std::string crush_failure_domain;
  std::string crush_device_class;
};

// ParseProfile reads `keys` and writes the defaults, and what follows from the others, back into them:
// parsing its own result changes nothing. On error `keys` is as it was.
Result<Profile> ParseProfile(ProfileKeys& keys);

// Chunks are multiples of this many bytes: whole vectors, and for xor whole blocks of them.
unsigned ChunkAlignment(const SchemeParams& scheme);

}  // namespace ssn::erasure_code
