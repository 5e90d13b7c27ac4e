// SPDX-License-Identifier: LGPL-2.1-or-later
// test_util.h - what the tests of this folder share: schemes to try, buffers, subsets, a seeded source.

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ssn/sharing.h"

namespace ssn::testing_util {

using Bytes = std::vector<std::uint8_t>;

// A repeatable stream of bytes, for tests only; its seed is printed with every failure.
class SeededSource final : public RandomSource {
 public:
  explicit SeededSource(std::uint64_t seed) : engine_(seed) {}
  Status Fill(MutableByteSpan out) override {
    drawn_ += out.size();
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
    return {};
  }
  std::size_t drawn() const { return drawn_; }

 private:
  std::mt19937_64 engine_;
  std::size_t drawn_ = 0;
};

inline Bytes RandomBytes(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  EXPECT_TRUE(SeededSource(seed).Fill(bytes).ok());
  return bytes;
}

inline std::shared_ptr<const Sharing> Make(SchemeParams params) {
  auto sharing = Sharing::Create(params);
  EXPECT_TRUE(sharing.ok()) << sharing.status().message();
  return sharing.value();
}

inline std::vector<MutableByteSpan> Spans(std::vector<Bytes>& buffers) {
  return {buffers.begin(), buffers.end()};
}

inline std::vector<Bytes> Split(const Sharing& sharing, const Bytes& secret, std::uint64_t seed) {
  std::vector<Bytes> shares(sharing.params().n, Bytes(secret.size() / sharing.params().l));
  SeededSource random(seed);
  const Status status = sharing.Split(secret, Spans(shares), random);
  EXPECT_TRUE(status.ok()) << status.message();
  return shares;
}

inline std::vector<Share> Pick(const std::vector<Bytes>& shares, const std::vector<unsigned>& indices) {
  std::vector<Share> picked;
  for (const unsigned index : indices) picked.push_back({index, shares[index]});
  return picked;
}

// Calls `use` with every ascending set of `size` numbers below n.
inline void ForEachSubset(unsigned n, unsigned size,
                          const std::function<void(const std::vector<unsigned>&)>& use) {
  std::vector<unsigned> chosen;
  const std::function<void(unsigned)> extend = [&](unsigned first) {
    if (chosen.size() == size) return use(chosen);
    for (unsigned next = first; next < n; ++next) {
      chosen.push_back(next);
      extend(next + 1);
      chosen.pop_back();
    }
  };
  extend(0);
}

inline std::vector<SchemeParams> SmallSchemes() {
  std::vector<SchemeParams> all;
  for (unsigned n = 2; n <= 7; ++n)
    for (unsigned k = 2; k <= n; ++k) {
      all.push_back({SchemeKind::kShamir, k, n, 1});
      all.push_back({SchemeKind::kXor, k, n, 1});
      for (unsigned l = 2; l < k; ++l) all.push_back({SchemeKind::kRamp, k, n, l});
    }
  return all;
}

// For the names of parameterised tests, which take letters, digits and underscores only.
inline std::string TestName(const ::testing::TestParamInfo<SchemeParams>& scheme) {
  std::string name;
  for (const char c : ToString(scheme.param)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
    if (c == ',') name += '_';
  }
  return name;
}

}  // namespace ssn::testing_util
