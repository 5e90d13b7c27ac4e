// SPDX-License-Identifier: LGPL-2.1-or-later
// sources.h - the random sources behind OpenRandomSource; contracts are those of ssn/random.h.

#pragma once

#include <memory>
#include <string>

#include "ssn/random.h"

namespace ssn::random {

// MakeDrbg: AES-256 CTR-DRBG of OpenSSL's provider, one for each thread, 256 bits of strength.
std::shared_ptr<RandomSource> MakeDrbg();

// MakeKernel: getrandom(2).
std::shared_ptr<RandomSource> MakeKernel();

// MakeFile: bytes of the device or pipe at `path`.
std::shared_ptr<RandomSource> MakeFile(std::string path);

}  // namespace ssn::random
