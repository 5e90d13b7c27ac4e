// SPDX-License-Identifier: LGPL-2.1-or-later
// warn_limit.h - keeps a cause that comes again and again from filling the log: each is logged once a minute.
//
// Threads:   no locking of its own.

#pragma once

#include <spdlog/spdlog.h>

#include <chrono>
#include <map>
#include <string>

namespace ssn::qkdn::proxy {

class WarnLimit {
 public:
  // `detail` is logged behind the cause and does not tell one cause from another.
  void Warn(const std::string& cause, const std::string& detail = "") {
    constexpr auto kQuiet = std::chrono::minutes(1);
    constexpr std::size_t kMaxCauses = 256;
    const auto now = std::chrono::steady_clock::now();
    const auto known = last_.find(cause);
    if (known != last_.end() && now - known->second < kQuiet) return;
    if (last_.size() >= kMaxCauses) last_.clear();
    last_[cause] = now;
    spdlog::warn("{}{}", cause, detail);
  }

 private:
  std::map<std::string, std::chrono::steady_clock::time_point> last_;
};

}  // namespace ssn::qkdn::proxy
