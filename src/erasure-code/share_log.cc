// SPDX-License-Identifier: LGPL-2.1-or-later
#include "erasure-code/share_log.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

// Exported by ceph-osd for object classes (rados/objclass.h); not there in a monitor or a tool.
extern "C" [[gnu::weak]] int cls_log(int level, const char* format, ...);

namespace ssn::erasure_code {
namespace {

void Tell(const std::string& line) {
  if (cls_log != nullptr)
    cls_log(0, "%s", line.c_str());
  else
    std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace

bool ShareLog::MayTell(std::atomic<std::int64_t>& last_ms) {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count();
  std::int64_t last = last_ms.load();
  return (last == 0 || now_ms - last >= 1000) && last_ms.compare_exchange_strong(last, now_ms);
}

void ShareLog::Record(const Findings& findings, const SchemeParams& scheme, const std::string& what) {
  for (const unsigned shard : findings.wrong) {
    const std::uint64_t count = ++corrected_[shard];
    if (MayTell(corrected_told_ms_[shard]))
      Tell(fmt::format(
          "ssn: {}: shard {} held wrong bytes, corrected from the other shares ({}; {} stripes so far)", what,
          shard, ToString(scheme), count));
  }
  if (findings.undecided_columns == 0) return;
  const std::uint64_t count = ++undecided_;
  if (MayTell(undecided_told_ms_))
    Tell(
        fmt::format("ssn: {}: the shares disagree in {} bytes and too few were read to tell which is wrong: "
                    "zero bytes in their place ({}; {} stripes so far)",
                    what, findings.undecided_columns, ToString(scheme), count));
}

void ShareLog::Failed(const std::string& message) { Tell("ssn: " + message); }

ShareLog& TheShareLog() {
  static ShareLog log;
  return log;
}

}  // namespace ssn::erasure_code
