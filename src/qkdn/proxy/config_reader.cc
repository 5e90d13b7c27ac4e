// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/config_reader.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <optional>
#include <sstream>

namespace ssn::qkdn::proxy {
namespace {

std::string Show(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  std::string text = out.str();
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

bool IsPrintable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<std::uint64_t> ParseNumber(std::string_view text, std::string_view* rest) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  *rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<std::uint64_t> ParseSize(std::string_view text) {
  std::string_view suffix;
  const std::optional<std::uint64_t> number = ParseNumber(text, &suffix);
  if (!number) return std::nullopt;
  unsigned shift = 0;
  if (suffix == "KiB")
    shift = 10;
  else if (suffix == "MiB")
    shift = 20;
  else if (suffix == "GiB")
    shift = 30;
  else if (!suffix.empty())
    return std::nullopt;
  if (*number > (std::numeric_limits<std::uint64_t>::max() >> shift)) return std::nullopt;
  return *number << shift;
}

std::optional<HostPort> ParseAddress(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  std::string_view rest;
  const std::optional<std::uint64_t> port = ParseNumber(text.substr(colon + 1), &rest);
  if (!port || !rest.empty() || *port > 65535) return std::nullopt;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || !IsPrintable(host) || (!bracketed && host.find(':') != std::string_view::npos))
    return std::nullopt;
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool IsNumericHost(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

void ConfigReader::Fail(const std::string& key, const std::string& reason) {
  if (!status_.ok()) return;
  const toml::node* node = table_.get(key);
  status_ =
      Status::InvalidArgument(node == nullptr ? fmt::format("{}{} {}", prefix_, key, reason)
                                              : fmt::format("line {}: {}{}={} {}", node->source().begin.line,
                                                            prefix_, key, Show(*node), reason));
}

const toml::node* ConfigReader::Take(const std::string& key, bool required) {
  known_.insert(key);
  const toml::node* node = table_.get(key);
  if (node == nullptr && required) Fail(key, "is missing");
  return node;
}

const toml::table* ConfigReader::Section(const std::string& key, bool required) {
  const toml::node* node = Take(key, required);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) Fail(key, fmt::format("has to be a section, [{}]", key));
  return node->as_table();
}

std::vector<const toml::table*> ConfigReader::Sections(const std::string& key) {
  std::vector<const toml::table*> sections;
  const toml::node* node = Take(key, false);
  if (node == nullptr) return sections;
  const toml::array* array = node->as_array();
  if (array == nullptr) return Fail(key, fmt::format("has to be sections, [[{}]]", key)), sections;
  for (const toml::node& element : *array) {
    if (!element.is_table()) return Fail(key, fmt::format("has to be sections, [[{}]]", key)), sections;
    sections.push_back(element.as_table());
  }
  return sections;
}

std::string ConfigReader::Text(const std::string& key, std::size_t max_bytes, const char* fallback) {
  const toml::node* node = Take(key, fallback == nullptr);
  if (node == nullptr) return fallback == nullptr ? "" : fallback;
  const std::optional<std::string> text = node->value_exact<std::string>();
  if (!text || text->empty() || text->size() > max_bytes || !IsPrintable(*text))
    return Fail(key, fmt::format("is not text of 1..{} printable characters without spaces", max_bytes)), "";
  return *text;
}

std::string ConfigReader::Path(const std::string& key, const std::string& folder, const char* fallback) {
  const toml::node* node = Take(key, fallback == nullptr);
  if (node == nullptr) return fallback == nullptr ? "" : fallback;
  const std::optional<std::string> text = node->value_exact<std::string>();
  if (!text || text->empty() || text->find('\0') != std::string::npos)
    return Fail(key, "is not the path of a file"), "";
  return (std::filesystem::path(folder) / *text).lexically_normal().string();
}

std::uint64_t ConfigReader::Integer(const std::string& key, std::uint64_t least, std::uint64_t most) {
  const toml::node* node = Take(key, true);
  if (node == nullptr) return least;
  const std::optional<std::int64_t> value = node->value_exact<std::int64_t>();
  if (!value || *value < 0 || static_cast<std::uint64_t>(*value) < least ||
      static_cast<std::uint64_t>(*value) > most)
    return Fail(key, fmt::format("is not an integer in {}..{}", least, most)), least;
  return static_cast<std::uint64_t>(*value);
}

std::uint64_t ConfigReader::Size(const std::string& key, std::uint64_t least, std::uint64_t most,
                                 const char* fallback) {
  const toml::node* node = Take(key, fallback == nullptr);
  std::optional<std::uint64_t> bytes;
  if (node == nullptr) {
    if (fallback == nullptr) return least;
    bytes = ParseSize(fallback);
  } else if (const auto text = node->value_exact<std::string>()) {
    bytes = ParseSize(*text);
  } else if (const auto integer = node->value_exact<std::int64_t>(); integer && *integer >= 0) {
    bytes = static_cast<std::uint64_t>(*integer);
  }
  if (!bytes || *bytes < least || *bytes > most)
    return Fail(key, fmt::format("is not a size in {}..{} bytes (suffixes KiB, MiB, GiB)", least, most)),
           least;
  return *bytes;
}

unsigned ConfigReader::Percent(const std::string& key, unsigned least, unsigned most, const char* fallback) {
  const toml::node* node = Take(key, false);
  const std::string text = node == nullptr ? fallback : node->value_exact<std::string>().value_or("");
  std::string_view rest;
  const std::optional<std::uint64_t> value = ParseNumber(text, &rest);
  if (!value || rest != "%" || *value < least || *value > most)
    return Fail(key, fmt::format("is not in \"{}%\"..\"{}%\"", least, most)), least;
  return static_cast<unsigned>(*value);
}

HostPort ConfigReader::Address(const std::string& key, bool to_listen) {
  const std::string text = Text(key, 260);
  if (!ok()) return {};
  const std::optional<HostPort> address = ParseAddress(text);
  const bool fits = address && (to_listen ? IsNumericHost(address->host) : address->port != 0);
  if (!fits) {
    Fail(key, to_listen ? "is not ADDRESS:PORT or [ADDRESS]:PORT with a port in 0..65535"
                        : "is not HOST:PORT or [ADDRESS]:PORT with a port in 1..65535");
    return {};
  }
  return *address;
}

std::vector<std::uint32_t> ConfigReader::Ids(const std::string& key,
                                             std::int64_t (*look_up)(const std::string&), const char* kind) {
  std::vector<std::uint32_t> ids;
  const toml::node* node = Take(key, false);
  if (node == nullptr) return ids;
  const toml::array* array = node->as_array();
  if (array == nullptr) return Fail(key, fmt::format("is not a list of {}s", kind)), ids;
  for (const toml::node& element : *array) {
    std::int64_t id = -1;
    if (const auto number = element.value_exact<std::int64_t>())
      id = *number;
    else if (const auto name = element.value_exact<std::string>())
      id = look_up(*name);
    if (id < 0 || id >= std::numeric_limits<std::uint32_t>::max())
      return Fail(key, fmt::format("holds {}: no such {} on this host", Show(element), kind)), ids;
    ids.push_back(static_cast<std::uint32_t>(id));
  }
  return ids;
}

void ConfigReader::Finish() {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    if (known_.contains(name)) continue;
    std::string known;
    for (const std::string& each : known_) known += (known.empty() ? "" : " ") + each;
    return Fail(name, fmt::format("is not a key of qkdn-proxy (here it has: {})", known));
  }
}

}  // namespace ssn::qkdn::proxy
