// SPDX-License-Identifier: LGPL-2.1-or-later
// toml_reader.h - reads one TOML table key by key and says exactly what is wrong with it.
//
// Errors:    the first one of all readers that share a Status sticks; later reads give their fallbacks.
// Ownership: refers to the table and the Status it was made with.
// Threads:   no locking of its own.

#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ssn/status.h"

namespace ssn::qkdn::sim {

class TomlReader {
 public:
  // `where` names the table in messages: "node[1]".
  TomlReader(const toml::table& table, std::string where, Status& status)
      : table_(table), where_(std::move(where)), status_(status) {}

  std::optional<std::string> OptionalText(const std::string& key);
  std::string Text(const std::string& key);  // must be there and not be empty
  std::vector<std::string> Texts(const std::string& key);
  std::uint64_t Number(const std::string& key, std::uint64_t fallback, std::uint64_t least,
                       std::uint64_t most);
  double Real(const std::string& key, double fallback, double least, double most);
  std::vector<std::pair<double, double>> Windows(const std::string& key);

  // Parsed reads text with a function of units.h or ParseAddress.
  template <typename T, typename Parse>
  T Parsed(const std::string& key, std::optional<T> fallback, Parse parse) {
    const std::optional<std::string> text = OptionalText(key);
    if (!text) {
      if (!fallback) Fail(key + " is missing");
      return fallback.value_or(T());
    }
    auto value = parse(*text);
    if (!value.ok()) return Fail(key + "=\"" + *text + "\": " + value.status().message()), T();
    return std::move(value).value();
  }

  // Finish refuses keys that nobody read.
  void Finish();
  void Fail(const std::string& message);
  bool ok() const { return status_.ok(); }

 private:
  const toml::node* Find(const std::string& key);

  const toml::table& table_;
  const std::string where_;
  Status& status_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace ssn::qkdn::sim
