// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/settings.h"

#include <algorithm>
#include <charconv>

#include "provider/command_line.h"

namespace ssn::provider {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMaxWait{10000};

milliseconds Milliseconds(const std::optional<std::string>& text, milliseconds otherwise) {
  if (!text) return otherwise;
  unsigned count = 0;
  const char* const end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, count);
  if (read.ec != std::errc() || read.ptr != end) return otherwise;
  return std::min(milliseconds(count), kMaxWait);
}

}  // namespace

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
