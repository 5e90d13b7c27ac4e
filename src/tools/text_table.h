// SPDX-License-Identifier: LGPL-2.1-or-later
// text_table.h - how ssn shows numbers to people.
//
// Threads:   pure functions.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ssn::tools {

// BytesText is like "12 B" or "1.5 MiB".
std::string BytesText(std::uint64_t bytes);

// TextTable pads columns with blanks; from column `first_number` on they are aligned to the right.
// REQUIRES: rows of equal length.
std::string TextTable(const std::vector<std::vector<std::string>>& rows, std::size_t first_number);

}  // namespace ssn::tools
