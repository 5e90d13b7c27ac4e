// SPDX-License-Identifier: LGPL-2.1-or-later
// version.h - versions of what outlives a program.

#pragma once

namespace ssn {

// The share format of src/sharing/FORMAT.md. A pool profile records it as `ssn-format`.
inline constexpr unsigned kShareFormat = 1;

}  // namespace ssn
