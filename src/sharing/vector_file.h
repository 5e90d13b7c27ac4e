// SPDX-License-Identifier: LGPL-2.1-or-later
// vector_file.h - known answers in files, for tests. A file is lines of `key = value` in records that blank
// lines end; `[Section]` holds for the records after it, and `#` begins a comment. In a document, the
// records are what stands between ```vec and ```.
//
// Errors:    a file that cannot be read, a key that is missing and a key that nobody asked for fail the test.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sharing/test_util.h"

namespace ssn::testing_util {

inline std::string ToHex(ByteSpan bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

inline Bytes FromHex(const std::string& hex) {
  EXPECT_EQ(0u, hex.size() % 2) << hex;
  EXPECT_EQ(std::string::npos, hex.find_first_not_of("0123456789abcdef")) << hex;
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16)));
  return bytes;
}

class Record {
 public:
  explicit Record(std::string section) : section_(std::move(section)) {}
  const std::string& section() const { return section_; }
  bool empty() const { return fields_.empty(); }
  void Add(std::string key, std::string value) { fields_.emplace_back(std::move(key), std::move(value)); }
  bool Has(const std::string& key) const {
    return std::ranges::any_of(fields_, [&](const auto& field) { return field.first == key; });
  }

  // Take gives the first value of `key` and crosses it out.
  std::string Take(const std::string& key) {
    for (auto field = fields_.begin(); field != fields_.end(); ++field)
      if (field->first == key) {
        std::string value = field->second;
        fields_.erase(field);
        return value;
      }
    ADD_FAILURE() << "no '" << key << "' in a record of [" << section_ << "]";
    return {};
  }
  Bytes TakeHex(const std::string& key) { return FromHex(Take(key)); }
  // All values of a key that stands on several lines, one after the other.
  Bytes TakeAllHex(const std::string& key) {
    Bytes all = TakeHex(key);
    while (Has(key)) {
      const Bytes more = TakeHex(key);
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }
  // "shamir 3 5 1": name, k, n, l.
  SchemeParams TakeScheme() {
    std::istringstream words(Take("scheme"));
    std::string name;
    SchemeParams params;
    words >> name >> params.k >> params.n >> params.l;
    EXPECT_TRUE(words) << "scheme = name k n l";
    params.kind = ParseSchemeName(name).value();
    EXPECT_TRUE(Validate(params).ok());
    return params;
  }
  // The shares there are: share.0, share.1, ...; absent ones stay empty.
  std::vector<Bytes> TakeShares(unsigned n) {
    std::vector<Bytes> shares(n);
    for (unsigned i = 0; i < n; ++i)
      if (const std::string key = "share." + std::to_string(i); Has(key)) shares[i] = TakeHex(key);
    return shares;
  }
  void ExpectAllTaken() const {
    for (const auto& [key, value] : fields_)
      ADD_FAILURE() << "nobody asked for '" << key << " = " << value << "'";
  }

 private:
  std::string section_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << "cannot read " << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<Record> ReadRecords(const std::string& path) {
  const bool document = path.ends_with(".md");
  bool reading = !document;
  std::vector<Record> records;
  std::string section;
  bool open = false;
  std::istringstream text(ReadText(path));
  for (std::string line; std::getline(text, line);) {
    if (document && line.starts_with("```")) {
      reading = line == "```vec";
      open = false;
    } else if (!reading || line.starts_with('#')) {
      continue;
    } else if (line.empty()) {
      open = false;
    } else if (line.starts_with('[')) {
      section = line.substr(1, line.find(']') - 1);
      open = false;
    } else {
      const std::size_t equals = line.find(" = ");
      EXPECT_NE(std::string::npos, equals) << path << ": " << line;
      if (!open) records.emplace_back(section);
      open = true;
      if (equals != std::string::npos) records.back().Add(line.substr(0, equals), line.substr(equals + 3));
    }
  }
  EXPECT_FALSE(records.empty()) << "nothing in " << path;
  return records;
}

// Files of this folder and of its testdata.
inline std::string Here(const std::string& file) { return std::string(SSN_SHARING_FOLDER) + "/" + file; }

// ExpectFrozen compares a file of testdata with what the test makes of it today. A released file never
// changes: SSN_WRITE_VECTORS=1 in the environment writes it anew, for a new format.
inline void ExpectFrozen(const std::string& file, const std::string& text) {
  const std::string path = Here("testdata/" + file);
  if (std::getenv("SSN_WRITE_VECTORS") != nullptr) std::ofstream(path) << text;
  EXPECT_TRUE(text == ReadText(path)) << file << " is no longer what this test makes; it would be:\n" << text;
}

}  // namespace ssn::testing_util
