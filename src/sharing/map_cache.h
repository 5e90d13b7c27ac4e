// SPDX-License-Identifier: LGPL-2.1-or-later
// map_cache.h - maps derived once for each set of shares. Nothing in them is secret.
//
// Memory:    tables of kMaxBytes at most; when full it starts again from nothing.
// Threads:   any number at once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "sharing/linear_map.h"

namespace ssn {

class MapCache {
 public:
  using Key = std::vector<std::uint8_t>;
  static constexpr std::size_t kMaxBytes = 16 << 20;

  // Get gives the map of `key`, made by `make()` the first time.
  template <typename Make>
  std::shared_ptr<const LinearMap> Get(const Key& key, Make make) {
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = maps_.find(key); found != maps_.end()) return found->second;
    }
    auto made = std::make_shared<const LinearMap>(make());
    const std::size_t bytes = made->memory_bytes();
    if (bytes > kMaxBytes) return made;
    const std::unique_lock lock(mutex_);
    if (bytes_ + bytes > kMaxBytes) {
      maps_.clear();
      bytes_ = 0;
    }
    if (maps_.emplace(key, made).second) bytes_ += bytes;
    return made;
  }

 private:
  std::shared_mutex mutex_;
  std::map<Key, std::shared_ptr<const LinearMap>> maps_;
  std::size_t bytes_ = 0;
};

}  // namespace ssn
