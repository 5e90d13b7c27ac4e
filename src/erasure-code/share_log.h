// SPDX-License-Identifier: LGPL-2.1-or-later
// share_log.h - what `verify` found: counted by shard, and told to the operator.
//
// A plugin has no way to fail a read without ending the OSD, so wrong shares are told in the OSD's own log
// (subsystem objclass, level 0), elsewhere on standard error: the first time, and from then on once a second
// at most, with the counts of this process so far.
//
// Threads:   any number at once.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "ssn/scheme.h"
#include "ssn/sharing.h"

namespace ssn::erasure_code {

class ShareLog {
 public:
  // Record takes in what one checked call found. `scheme` and `what` ("read", "recovery") go into the line.
  void Record(const Findings& findings, const SchemeParams& scheme, const std::string& what);

  // Failed tells of an error that is about to end this OSD, or to end a tool's call.
  void Failed(const std::string& message);

 private:
  // True at the first call and then once a second at most.
  static bool MayTell(std::atomic<std::int64_t>& last_ms);

  std::array<std::atomic<std::uint64_t>, kMaxShares> corrected_{};  // stripes, by shard
  std::array<std::atomic<std::int64_t>, kMaxShares> corrected_told_ms_{};
  std::atomic<std::uint64_t> undecided_{0};  // stripes
  std::atomic<std::int64_t> undecided_told_ms_{0};
};

ShareLog& TheShareLog();

}  // namespace ssn::erasure_code
