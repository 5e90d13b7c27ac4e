// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/settings.h"

#include <algorithm>
#include <charconv>

namespace ssn::provider {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxProgramBytes = 32;
constexpr milliseconds kMaxWait{10000};

milliseconds Milliseconds(const std::optional<std::string>& text, milliseconds otherwise) {
  if (!text) return otherwise;
  unsigned count = 0;
  const char* const end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, count);
  if (read.ec != std::errc() || read.ptr != end) return otherwise;
  return std::min(milliseconds(count), kMaxWait);
}

// The value of an option, as "-i 3", "--id 3" or "--id=3".
std::optional<std::string> Option(const std::vector<std::string>& arguments, const std::string& brief,
                                  const std::string& full) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if ((arguments[i] == brief || arguments[i] == full) && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with(full + "=")) return arguments[i].substr(full.size() + 1);
  }
  return std::nullopt;
}

}  // namespace

std::string ProgramName(const std::vector<std::string>& arguments) {
  std::string file = arguments.empty() ? "" : arguments[0];
  file = file.substr(file.rfind('/') + 1);
  std::string name = file.empty() ? "unknown" : file;
  if (const auto full = Option(arguments, "-n", "--name"))
    name = *full;
  else if (const auto id = Option(arguments, "-i", "--id"); id && file.starts_with("ceph-"))
    name = file.substr(5) + "." + *id;
  for (char& c : name)
    if (c < ' ' || c > '~') c = '?';
  return name.substr(0, kMaxProgramBytes);
}

Settings ReadSettings(const std::function<std::optional<std::string>(const char* key)>& value,
                      const std::vector<std::string>& arguments) {
  Settings settings;
  if (const auto socket = value("socket")) settings.client.socket_path = *socket;
  settings.client.program = ProgramName(arguments);
  settings.wait = Milliseconds(value("wait_ms"), settings.wait);
  settings.client.dry_wait = Milliseconds(value("dry_wait_ms"), milliseconds(20));
  settings.client.connect_timeout = std::max(settings.wait, milliseconds(1));
  return settings;
}

}  // namespace ssn::provider
