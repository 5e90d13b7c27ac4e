// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/toml_reader.h"

#include <fmt/format.h>

namespace ssn::qkdn::sim {

void TomlReader::Fail(const std::string& message) {
  if (status_.ok()) status_ = Status::InvalidArgument(where_.empty() ? message : where_ + "." + message);
}

const toml::node* TomlReader::Find(const std::string& key) {
  read_.insert(key);
  return table_.get(key);
}

std::optional<std::string> TomlReader::OptionalText(const std::string& key) {
  const toml::node* node = Find(key);
  if (node == nullptr) return std::nullopt;
  std::optional<std::string> text = node->value_exact<std::string>();
  if (!text) Fail(key + " is not a text in quotes");
  return text;
}

std::string TomlReader::Text(const std::string& key) {
  const std::optional<std::string> text = OptionalText(key);
  if (!text || text->empty()) Fail(key + (text ? "=\"\" is empty" : " is missing"));
  return text.value_or("");
}

std::vector<std::string> TomlReader::Texts(const std::string& key) {
  std::vector<std::string> texts;
  const toml::node* node = Find(key);
  const toml::array* array = node == nullptr ? nullptr : node->as_array();
  if (array == nullptr) return Fail(key + " must be a list of texts, such as [\"a\", \"b\"]"), texts;
  for (const toml::node& element : *array) {
    const std::optional<std::string> text = element.value_exact<std::string>();
    if (!text) return Fail(key + " holds something that is not a text in quotes"), texts;
    texts.push_back(*text);
  }
  return texts;
}

std::uint64_t TomlReader::Number(const std::string& key, std::uint64_t fallback, std::uint64_t least,
                                 std::uint64_t most) {
  const toml::node* node = Find(key);
  if (node == nullptr) return fallback;
  const std::optional<std::int64_t> value = node->value_exact<std::int64_t>();
  if (!value) return Fail(fmt::format("{} is not a whole number in {}..{}", key, least, most)), fallback;
  if (*value < 0 || static_cast<std::uint64_t>(*value) < least || static_cast<std::uint64_t>(*value) > most)
    return Fail(fmt::format("{}={} is outside {}..{}", key, *value, least, most)), fallback;
  return static_cast<std::uint64_t>(*value);
}

double TomlReader::Real(const std::string& key, double fallback, double least, double most) {
  const toml::node* node = Find(key);
  if (node == nullptr) return fallback;
  const std::optional<double> value = node->value<double>();
  if (!value) return Fail(fmt::format("{} is not a number in {}..{}", key, least, most)), fallback;
  if (!(*value >= least && *value <= most))
    return Fail(fmt::format("{}={} is outside {}..{}", key, *value, least, most)), fallback;
  return *value;
}

std::vector<std::pair<double, double>> TomlReader::Windows(const std::string& key) {
  std::vector<std::pair<double, double>> windows;
  const toml::node* node = Find(key);
  if (node == nullptr) return windows;
  const std::string wanted =
      key + " must be a list of [start, end] in seconds, in order, with 0 <= start < end";
  const toml::array* list = node->as_array();
  if (list == nullptr) return Fail(wanted), windows;
  double last = 0;
  for (const toml::node& element : *list) {
    const toml::array* pair = element.as_array();
    if (pair == nullptr || pair->size() != 2) return Fail(wanted), windows;
    const std::optional<double> start = pair->get(0)->value<double>();
    const std::optional<double> end = pair->get(1)->value<double>();
    if (!start || !end || !(*start >= last && *end > *start && *end < 1e9))
      return Fail(wanted + fmt::format("; found [{}, {}]", start.value_or(-1), end.value_or(-1))), windows;
    windows.emplace_back(*start, *end);
    last = *end;
  }
  return windows;
}

void TomlReader::Finish() {
  for (const auto& [key, value] : table_) {
    if (!read_.contains(key.str())) Fail(fmt::format("{}: there is no such key", key.str()));
  }
}

}  // namespace ssn::qkdn::sim
