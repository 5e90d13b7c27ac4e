// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/audit_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "qkdn/proxy/audit_line.h"

namespace ssn::qkdn::proxy {
namespace {

constexpr auto kLongestWait =
    std::chrono::milliseconds(100);  // written at least every 200 ms, the write included

struct Tail {
  std::string last_line;  // empty: the file has no whole line
  std::uint64_t half_line_bytes = 0;
};

Result<Tail> ReadTail(int fd, const std::string& file) {
  struct stat info {};
  if (fstat(fd, &info) != 0)
    return Status::Unavailable(fmt::format("audit.file={}: {}", file, std::strerror(errno)));
  if (!S_ISREG(info.st_mode))
    return Status::Unavailable(fmt::format("audit.file={}: not a regular file", file));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  std::string text(std::min<std::uint64_t>(size, 2 * kMaxAuditLineBytes), '\0');
  const ssize_t got = pread(fd, text.data(), text.size(), static_cast<off_t>(size - text.size()));
  if (got != static_cast<ssize_t>(text.size()))
    return Status::Unavailable(fmt::format("audit.file={}: cannot be read", file));
  Tail tail;
  const std::size_t end = text.rfind('\n');
  tail.half_line_bytes = end == std::string::npos ? text.size() : text.size() - end - 1;
  if (end == std::string::npos) return tail;
  const std::size_t before = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  tail.last_line = text.substr(before == std::string::npos ? 0 : before + 1,
                               end - (before == std::string::npos ? 0 : before + 1));
  return tail;
}

}  // namespace

AuditLog::AuditLog(std::string file, int descriptor, Chain chain)
    : file_(std::move(file)), fd_(descriptor), chain_(std::move(chain)) {}

Result<int> AuditLog::OpenFile(const std::string& file) {
  const int fd = open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Status::Unavailable(fmt::format("audit.file={}: {}", file, std::strerror(errno)));
  return fd;
}

Result<std::unique_ptr<AuditLog>> AuditLog::Open(const std::string& file) {
  Result<int> opened = OpenFile(file);
  if (!opened.ok()) return opened.status();
  std::unique_ptr<AuditLog> log(new AuditLog(file, opened.value(), {0, AuditGenesis()}));
  Result<Tail> tail = ReadTail(log->fd_, file);
  if (!tail.ok()) return tail.status();
  if (!tail.value().last_line.empty()) {
    const std::optional<AuditLink> last = ParseAuditLine(tail.value().last_line);
    if (!last)
      return Status::Corrupt(fmt::format("audit.file={}: its last line is none of an audit log", file));
    log->chain_ = {last->seq, AuditHash(tail.value().last_line)};
  }
  if (const std::uint64_t half = tail.value().half_line_bytes; half > 0) {
    // The machine went down while a line was being written.
    struct stat info {};
    if (half >= kMaxAuditLineBytes || fstat(log->fd_, &info) != 0 ||
        ftruncate(log->fd_, info.st_size - static_cast<off_t>(half)) != 0)
      return Status::Corrupt(fmt::format("audit.file={}: it does not end in a line of an audit log", file));
    AuditEvent event;
    event.event = "recovered";
    event.bytes = half;
    log->Record(event);
  }
  log->writer_ = std::thread([raw = log.get()] { raw->Run(); });
  return log;
}

AuditLog::~AuditLog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (writer_.joinable()) writer_.join();
  if (fd_ >= 0) close(fd_);
}

void AuditLog::Record(const AuditEvent& event) {
  const std::string body = AuditBody(event, std::chrono::system_clock::now());
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMaxWaitingBytes) {
    ++lost_;
    return;
  }
  waiting_ += body;
  waiting_ += '\n';
}

void AuditLog::Reopen() {
  const std::lock_guard lock(mutex_);
  reopen_ = true;
  wake_.notify_all();
}

void AuditLog::Run() {
  for (bool ending = false; !ending;) {
    std::string bodies;
    std::uint64_t lost = 0;
    bool reopen = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kLongestWait, [this] { return ending_ || reopen_; });
      ending = ending_;
      reopen = std::exchange(reopen_, false);
      if (unwritten_.empty()) {
        bodies.swap(waiting_);
        lost = std::exchange(lost_, 0);
      }
    }
    if (lost > 0) {
      AuditEvent event;
      event.event = "lost";
      event.bytes = lost;
      bodies += AuditBody(event, std::chrono::system_clock::now()) + '\n';
    }
    std::string_view rest = bodies;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      AddLine(unwritten_, rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    WriteOut();
    if (!reopen) continue;
    // A line is never divided between two files.
    Result<int> opened = OpenFile(file_);
    if (!opened.ok()) {
      Warn(opened.status().message().c_str());
      continue;
    }
    if (unwritten_.empty()) {
      close(fd_);
      fd_ = opened.value();
    } else {
      close(opened.value());
      Reopen();
    }
  }
}

void AuditLog::AddLine(std::string& out, std::string_view body) {
  const std::string line = AuditLine(++chain_.seq, body, chain_.hash);
  chain_.hash = AuditHash(line);
  out += line;
  out += '\n';
}

bool AuditLog::WriteOut() {
  while (!unwritten_.empty()) {
    const ssize_t written = write(fd_, unwritten_.data(), unwritten_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      Warn(std::strerror(errno));
      return false;
    }
    unwritten_.erase(0, static_cast<std::size_t>(written));
  }
  if (std::exchange(warned_, false)) spdlog::info("audit log {} is written again", file_);
  return true;
}

void AuditLog::Warn(const char* what) {
  ++failures_;
  if (std::exchange(warned_, true)) return;
  spdlog::warn("audit log {} cannot be written: {}; {} bytes of it are kept to be written later", file_, what,
               kMaxWaitingBytes);
}

Result<AuditSummary> VerifyAuditLog(const std::string& file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "re"), &std::fclose);
  if (!in) return Status::Unavailable(fmt::format("{}: {}", file, std::strerror(errno)));
  AuditSummary summary;
  std::string buffer(kMaxAuditLineBytes + 2, '\0');
  const auto bad = [&](const char* why) {
    return Status::Corrupt(fmt::format("{}: line {}: {}", file, summary.lines + 1, why));
  };
  while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), in.get()) != nullptr) {
    const std::string_view text(buffer.data());
    if (!text.ends_with('\n')) return bad("not ended, or too long");
    const std::string_view line = text.substr(0, text.size() - 1);
    const std::optional<AuditLink> link = ParseAuditLine(line);
    if (!link) return bad("not a line of an audit log");
    if (summary.lines == 0) {
      if ((link->seq == 1) != (link->prev == AuditGenesis())) return bad("it does not begin a chain");
      summary.first_seq = link->seq;
      summary.first_prev = link->prev;
    } else if (link->seq != summary.last_seq + 1 || link->prev != summary.last_hash) {
      return bad(
          "it does not follow from the line before it: one of the two was changed, or lines were removed");
    }
    ++summary.lines;
    summary.last_seq = link->seq;
    summary.last_hash = AuditHash(line);
  }
  if (std::ferror(in.get()) != 0) return Status::Unavailable(fmt::format("{}: cannot be read", file));
  return summary;
}

}  // namespace ssn::qkdn::proxy
