// SPDX-License-Identifier: LGPL-2.1-or-later
// audit_log.h - the audit log in a file: every supply, grant, use and burn, one JSON object a line, each line
// with the SHA-256 of the one before it. Whoever changes or removes a line in the middle is found out; what
// was cut off at the end shows only to whoever noted the last line's hash elsewhere.
//
// Shapes:    {"seq","time","event","from","to","bytes","position","id","outcome","prev"}; time is UTC in
//            milliseconds, prev in hex. Two further events are the log's own: "recovered" (bytes of half a
//            line were cut off at its start) and "lost" (that many events, because the file could not be
//            written).
// Errors:    Open answers kUnavailable or kCorrupt. Later a file that cannot be written is warned of and
//            counted, and tried again; what waits is bounded.
// Ownership: the file. The destructor writes what waits.
// Threads:   Record and Reopen from any thread; a thread of its own writes.
// Spec:      ITU-T X.1712, accountability; FIPS 180-4; RFC 3339.

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "qkdn/proxy/ledger.h"
#include "ssn/status.h"

namespace ssn::qkdn::proxy {

class AuditLog final : public AuditSink {
 public:
  static constexpr std::size_t kMaxWaitingBytes = std::size_t{16} << 20;

  // Open goes on where an existing file ends.
  static Result<std::unique_ptr<AuditLog>> Open(const std::string& file);
  ~AuditLog() override;

  void Record(const AuditEvent& event) override;
  // Reopen closes the file and goes on with the one that has the name now, or with a new one.
  void Reopen();
  std::uint64_t failures() const noexcept { return failures_; }

 private:
  struct Chain {
    std::uint64_t seq = 0;  // of the last line
    std::string hash;       // of the last line
  };
  AuditLog(std::string file, int descriptor, Chain chain);
  static Result<int> OpenFile(const std::string& file);

  void Run();
  void AddLine(std::string& out, std::string_view body);
  bool WriteOut();
  void Warn(const char* what);

  const std::string file_;
  int fd_;  // from here on the writer's own
  Chain chain_;
  std::string unwritten_;  // whole lines, less what was written of the first
  bool warned_ = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::string waiting_;  // lines without seq and prev
  std::uint64_t lost_ = 0;
  bool reopen_ = false;
  bool ending_ = false;

  std::atomic<std::uint64_t> failures_{0};
  std::thread writer_;
};

// The chain is checked by the same rules that made it.
struct AuditSummary {
  std::uint64_t lines = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::string first_prev;  // the hash this file goes on from; zeros: it begins the chain
  std::string last_hash;   // of the last line
};
// VerifyAuditLog reads a whole file; kCorrupt names the first line that does not fit.
Result<AuditSummary> VerifyAuditLog(const std::string& file);

}  // namespace ssn::qkdn::proxy
