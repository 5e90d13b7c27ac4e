// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_bench_peers.h - what our library is measured against: libgfshare, bare ISA-L and memcpy.
//
// Shapes:    each subject works on the workplace's secret and shares, with the same k, l and n.
// Ownership: a subject holds what it needs beside the workplace, which must outlive it.
// Errors:    peers whose result could be wrong are checked here, once, before they are measured.

#pragma once

#include <memory>
#include <vector>

#include "ssn/status.h"
#include "tools/ssn_bench_measure.h"
#include "tools/ssn_bench_sharing.h"

namespace ssn::tools {

// libgfshare knows Shamir only, so that these two need l = 1. It is given its randomness: the bytes it asks
// for are copied from memory.
Subject GfshareSplit(const Workplace& place);
Subject GfshareCombine(const Workplace& place);
// CheckGfshare splits with libgfshare, combines with it, and compares.
Status CheckGfshare(const Workplace& place);

// Bare ISA-L: RAND_bytes for the k-l random blocks, then ec_encode_data for all n rows. Its AVX-512 kernels
// leave the upper halves of the vector registers dirty, which slows down the AES of the next RAND_bytes;
// with `clean` they are zeroed in between.
Subject IsalSplit(const Workplace& place, bool clean);
// ec_encode_data of k inputs to `outputs` regions as long as a share.
Subject IsalCombine(const Workplace& place, unsigned outputs);

// memcpy of `bytes` bytes: what moving the data alone costs.
Subject MemoryCopy(const Workplace& place, std::size_t bytes);

}  // namespace ssn::tools
