// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench_options.h"

namespace ssn::tools {
namespace {

constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 30;  // peers take lengths of type int

}  // namespace

void AddTimingOptions(CLI::App& app, Timing& timing) {
  app.add_option("--seconds", timing.seconds, "Least time of one repeat")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 3600.0).description(""))
      ->capture_default_str();
  app.add_option("--repeat", timing.repeats, "Repeats; their median is reported")
      ->type_name("COUNT")
      ->check(CLI::Range(1u, 100000u).description(""))
      ->capture_default_str();
}

void AddSizeOption(CLI::App& app, const std::string& names, std::uint64_t& size, const std::string& of_what) {
  app.add_option(names, size, "Bytes of " + of_what + ", at most 1GiB; suffixes KiB, MiB, GiB")
      ->type_name("BYTES")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->check(CLI::Range(std::uint64_t{1}, kMaxSize).description(""))
      ->default_str(size >> 20 > 0 ? std::to_string(size >> 20) + "MiB" : std::to_string(size >> 10) + "KiB");
}

void AddJsonOption(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "Print JSON instead of a table");
}

}  // namespace ssn::tools
