// SPDX-License-Identifier: LGPL-2.1-or-later
// config_reader.h - takes the keys out of a TOML document one by one and remembers which were asked for.
//
// Shapes:    a name is the path of a key, such as reservoir.low or peer[2].address.
// Errors:    the first error sticks; after it every read gives a default. kInvalidArgument with line, key
//            and value.
// Ownership: the document outlives its readers.
// Threads:   no locking of its own.

#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "qkdn/proxy/config.h"
#include "ssn/status.h"

namespace ssn::qkdn::proxy {

class ConfigReader {
 public:
  // `prefix` goes before the keys' names: "", "kme." or "peer[0]."; `status` receives the first error.
  ConfigReader(const toml::table& table, std::string prefix, Status& status)
      : table_(table), prefix_(std::move(prefix)), status_(status) {}

  const toml::table* Section(const std::string& key, bool required);
  std::vector<const toml::table*> Sections(const std::string& key);

  // Absent keys: an error if no `fallback` was given.
  std::string Text(const std::string& key, std::size_t max_bytes, const char* fallback = nullptr);
  std::string Path(const std::string& key, const std::string& folder, const char* fallback = nullptr);
  std::uint64_t Integer(const std::string& key, std::uint64_t least, std::uint64_t most);
  std::uint64_t Size(const std::string& key, std::uint64_t least, std::uint64_t most, const char* fallback);
  unsigned Percent(const std::string& key, unsigned least, unsigned most, const char* fallback);
  HostPort Address(const std::string& key, bool to_listen);
  // Integers as they are; text through `look_up`, which answers -1 for what it does not know.
  std::vector<std::uint32_t> Ids(const std::string& key, std::int64_t (*look_up)(const std::string&),
                                 const char* kind);

  // Fail with "line L: KEY=VALUE REASON".
  void Fail(const std::string& key, const std::string& reason);
  // Finish refuses every key nobody asked for.
  void Finish();
  bool ok() const noexcept { return status_.ok(); }

 private:
  const toml::node* Take(const std::string& key, bool required);

  const toml::table& table_;
  const std::string prefix_;
  Status& status_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace ssn::qkdn::proxy
