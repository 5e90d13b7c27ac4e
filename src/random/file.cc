// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "random/sources.h"

namespace ssn::random {
namespace {

class File final : public RandomSource {
 public:
  explicit File(std::string path) : path_(std::move(path)) {}
  ~File() override {
    if (fd_ >= 0) close(fd_);
  }

  Status Fill(MutableByteSpan out) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (fd_ < 0) {
      fd_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
      if (fd_ < 0) return Failure("open", std::strerror(errno));
      // A regular file would give its bytes again to whoever opens it next.
      struct stat kind = {};
      if (fstat(fd_, &kind) != 0) return Failure("fstat", std::strerror(errno));
      if (!S_ISCHR(kind.st_mode) && !S_ISFIFO(kind.st_mode))
        return Failure("open", "neither a character device nor a pipe");
    }
    while (!out.empty()) {
      const ssize_t got = read(fd_, out.data(), out.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Failure("read", std::strerror(errno));
      if (got == 0) return Failure("read", "end of file");
      out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
  }

 private:
  // Closes too, so that a device that was pulled and plugged in again is found at the next call.
  Status Failure(const char* call, const char* reason) {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
    return Status::Unavailable("random source " + path_ + ": " + call + ": " + reason);
  }

  const std::string path_;
  std::mutex mutex_;
  int fd_ = -1;  // parent and child of a fork share its position, so neither reads what the other did
};

}  // namespace

std::shared_ptr<RandomSource> MakeFile(std::string path) { return std::make_shared<File>(std::move(path)); }

}  // namespace ssn::random
