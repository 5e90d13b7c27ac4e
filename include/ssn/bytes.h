// SPDX-License-Identifier: LGPL-2.1-or-later
// bytes.h - the two views of memory every call of this library takes.
//
// Ownership: views own nothing; what they point at must outlive the call, not longer.

#pragma once

#include <cstdint>
#include <span>

namespace ssn {

using ByteSpan = std::span<const std::uint8_t>;
using MutableByteSpan = std::span<std::uint8_t>;

}  // namespace ssn
