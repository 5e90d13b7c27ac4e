// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/command_line.h"

namespace ssn::provider {
namespace {

constexpr std::size_t kMaxProgramBytes = 32;

}  // namespace

std::optional<std::string> OptionValue(const std::vector<std::string>& arguments, const std::string& brief,
                                       const std::string& full) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if ((arguments[i] == brief || arguments[i] == full) && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with(full + "=")) return arguments[i].substr(full.size() + 1);
  }
  return std::nullopt;
}

std::string ProgramName(const std::vector<std::string>& arguments) {
  std::string file = arguments.empty() ? "" : arguments[0];
  file = file.substr(file.rfind('/') + 1);
  std::string name = file.empty() ? "unknown" : file;
  if (const auto full = OptionValue(arguments, "-n", "--name"))
    name = *full;
  else if (const auto id = OptionValue(arguments, "-i", "--id"); id && file.starts_with("ceph-"))
    name = file.substr(5) + "." + *id;
  if (name.empty()) name = "unknown";
  for (char& c : name)
    if (c < ' ' || c > '~') c = '?';
  return name.substr(0, kMaxProgramBytes);
}

}  // namespace ssn::provider
