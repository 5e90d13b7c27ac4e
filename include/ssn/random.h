// SPDX-License-Identifier: LGPL-2.1-or-later
// random.h - where the randomness of shares comes from. It decides what may be claimed of them:
// shares are as secret as their randomness is unpredictable.
//
// Errors:    a source that cannot deliver says so (kUnavailable); it never delivers weaker bytes instead.
// Ownership: OpenRandomSource gives a shared source; it keeps its device open until the last holder drops it.
// Threads:   Fill may be called by any number of threads at once. Safe across fork(): parent and child
//            never draw the same bytes.
// Spec:      NIST SP 800-90A Rev. 1, section 10.2.1 (CTR_DRBG); getrandom(2).

#pragma once

#include <memory>
#include <string_view>

#include "ssn/bytes.h"
#include "ssn/status.h"

namespace ssn {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Fill writes uniform random bytes to all of `out`. On error `out` holds nothing of use.
  virtual Status Fill(MutableByteSpan out) = 0;
};

// OpenRandomSource makes the source that `name` stands for:
//   drbg        a CTR-DRBG (AES-256) in each thread, seeded and reseeded from the kernel. Computational.
//   kernel      getrandom(2) for every byte. Computational.
//   file:PATH   reads a character device or a pipe, such as a hardware generator: the only source on which
//               an information-theoretic claim may rest. PATH is absolute. End of file is an error, and so is
//               a regular file, which would give the same bytes twice.
// Nothing is opened before the first Fill.
Result<std::shared_ptr<RandomSource>> OpenRandomSource(std::string_view name);

}  // namespace ssn
