// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench_codes.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "tools/plugin_host.h"

namespace ssn::tools {
namespace {

struct Wanted {
  std::string label;
  std::string plugin;
  ceph::ErasureCodeProfile profile;
};

Result<std::vector<Wanted>> ParsePlugins(const std::vector<std::string>& options) {
  std::vector<Wanted> all;
  std::set<std::string> labels;
  for (const std::string& option : options) {
    const std::size_t equals = option.find('=');
    const std::string label = option.substr(0, equals);
    const std::string plugin = equals == std::string::npos ? option : option.substr(equals + 1);
    if (label.empty() || plugin.empty())
      return Status::InvalidArgument("-p " + option + " is not [LABEL=]PLUGIN");
    if (!labels.insert(label).second) {
      return Status::InvalidArgument("-p " + label + " twice: give one of them a label, LABEL=PLUGIN");
    }
    all.push_back({label, plugin, {}});
  }
  return all;
}

// AddParameter gives KEY=VALUE to the code whose label stands before it, or to all.
Status AddParameter(const std::string& option, std::vector<Wanted>& all) {
  const std::size_t equals = option.find('=');
  const std::size_t colon = option.substr(0, equals).find(':');
  const bool for_one = colon != std::string::npos;
  const std::string key = for_one ? option.substr(colon + 1, equals - colon - 1) : option.substr(0, equals);
  if (equals == std::string::npos || key.empty()) {
    return Status::InvalidArgument("-P " + option + " is not [LABEL:]KEY=VALUE");
  }
  bool known = false;
  for (Wanted& wanted : all) {
    if (for_one && wanted.label != option.substr(0, colon)) continue;
    wanted.profile[key] = option.substr(equals + 1);
    known = true;
  }
  if (!known) return Status::InvalidArgument("-P " + option + ": no -p has this label");
  return {};
}

std::string FindDirectory(const std::string& plugin, const std::string& first) {
  std::vector<std::string> directories;
  if (!first.empty()) directories.push_back(first);
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) directories.push_back((program.parent_path().parent_path() / "lib" / "erasure-code").string());
  directories.emplace_back(SSN_SYSTEM_PLUGIN_DIR);
  const auto found = std::ranges::find_if(directories, [&](const std::string& directory) {
    return std::filesystem::exists(directory + "/libec_" + plugin + ".so", error);
  });
  return found == directories.end() ? directories.back() : *found;
}

Result<Code> MakeCode(const Wanted& wanted, const std::string& first_directory) {
  const auto plugin = HostedPlugin::Load(wanted.plugin, FindDirectory(wanted.plugin, first_directory));
  if (!plugin.ok()) return plugin.status();
  const auto code = plugin.value().Instantiate(wanted.profile);
  if (!code.ok()) return code.status();
  return Code{wanted.label, code.value()};
}

}  // namespace

Result<std::vector<Code>> MakeCodes(const CodeOptions& options) {
  const auto parsed = ParsePlugins(options.plugins);
  if (!parsed.ok()) return parsed.status();
  std::vector<Wanted> all = parsed.value();
  for (const std::string& parameter : options.parameters) {
    if (Status status = AddParameter(parameter, all); !status.ok()) return status;
  }
  std::vector<Code> codes;
  for (const Wanted& wanted : all) {
    const Result<Code> code = MakeCode(wanted, options.directory);
    if (!code.ok()) return code.status();
    codes.push_back(code.value());
  }
  return codes;
}

}  // namespace ssn::tools
