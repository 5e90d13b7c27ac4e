// SPDX-License-Identifier: LGPL-2.1-or-later
// units.h - sizes, times and rates as the configuration writes them.
//
// Shapes:    bytes, seconds, bits per second.
// Errors:    kInvalidArgument that says which forms are taken; the caller adds key and value.
// Threads:   pure functions.

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "ssn/status.h"

namespace ssn::qkdn::sim {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

Result<std::uint64_t> ParseBytes(std::string_view text);  // "512B", "64KiB", "16MiB", "1GiB"
Result<double> ParseSeconds(std::string_view text);       // "250ms", "30s", "10min", "12h", "7d"
Result<std::uint64_t> ParseRate(
    std::string_view text);                    // "64bit/s", "10kbit/s", "1.5Mbit/s", "1Gbit/s", "unlimited"
std::string FormatBytes(std::uint64_t bytes);  // in the largest unit that needs no fraction
std::string FormatRate(std::uint64_t bits_per_second);

}  // namespace ssn::qkdn::sim
