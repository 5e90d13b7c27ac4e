// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace ssn::qkdn::sim {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kByteUnits = {Unit{"B", 1}, Unit{"KiB", 1024}, Unit{"MiB", 1048576},
                                   Unit{"GiB", 1073741824}};
constexpr std::array kTimeUnits = {Unit{"ms", 0.001}, Unit{"s", 1}, Unit{"min", 60}, Unit{"h", 3600},
                                   Unit{"d", 86400}};
constexpr std::array kRateUnits = {Unit{"bit/s", 1}, Unit{"kbit/s", 1e3}, Unit{"Mbit/s", 1e6},
                                   Unit{"Gbit/s", 1e9}};
constexpr double kMost = 1e15;  // far below where a double stops counting in ones

// A positive decimal number, then one of the units.
std::optional<double> Parse(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  const char* end_of_text = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), end_of_text, number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || number <= 0) return std::nullopt;
  const std::string_view suffix(end, static_cast<std::size_t>(end_of_text - end));
  for (const Unit& unit : units) {
    if (unit.name == suffix && number * unit.factor <= kMost) return number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

Result<std::uint64_t> ParseBytes(std::string_view text) {
  const std::optional<double> bytes = Parse(text, kByteUnits);
  if (!bytes || *bytes != std::floor(*bytes))
    return Status::InvalidArgument("a size is a number and B, KiB, MiB or GiB, such as \"16MiB\"");
  return static_cast<std::uint64_t>(*bytes);
}

Result<double> ParseSeconds(std::string_view text) {
  const std::optional<double> seconds = Parse(text, kTimeUnits);
  if (!seconds) return Status::InvalidArgument("a time is a number and ms, s, min, h or d, such as \"30s\"");
  return *seconds;
}

Result<std::uint64_t> ParseRate(std::string_view text) {
  if (text == "unlimited") return kUnlimited;
  const std::optional<double> rate = Parse(text, kRateUnits);
  if (!rate || *rate < 1)
    return Status::InvalidArgument(
        "a rate is \"unlimited\" or a number and bit/s, kbit/s, Mbit/s or Gbit/s, such as \"1.5Mbit/s\"");
  return static_cast<std::uint64_t>(*rate);
}

std::string FormatBytes(std::uint64_t bytes) {
  std::size_t unit = 0;
  for (; unit + 1 < kByteUnits.size() && bytes != 0 && bytes % 1024 == 0; ++unit) bytes /= 1024;
  return fmt::format("{}{}", bytes, kByteUnits[unit].name);
}

std::string FormatRate(std::uint64_t bits_per_second) {
  if (bits_per_second == kUnlimited) return "unlimited";
  return fmt::format("{}bit/s", bits_per_second);
}

}  // namespace ssn::qkdn::sim
