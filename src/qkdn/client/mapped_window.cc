// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/mapped_window.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace ssn::qkdn::client {
namespace {

Status Failure(const std::string& what) { return Status::Unavailable("pad proxy: window: " + what); }
Status SystemFailure(const char* call) { return Failure(std::string(call) + ": " + std::strerror(errno)); }

}  // namespace

Result<std::unique_ptr<MappedWindow>> MappedWindow::Map(int descriptor, std::uint64_t bytes,
                                                        const ForkPause&) {
  const int seals = fcntl(descriptor, F_GET_SEALS);
  if (seals < 0) return SystemFailure("F_GET_SEALS");
  constexpr int kNeeded = F_SEAL_SHRINK | F_SEAL_GROW;
  if ((seals & kNeeded) != kNeeded) return Failure("it is not sealed against changing its size");
  struct stat file {};
  if (fstat(descriptor, &file) != 0) return SystemFailure("fstat");
  if (bytes == 0 || bytes > SIZE_MAX / 2 || file.st_size != static_cast<off_t>(bytes))
    return Failure("window_bytes=" + std::to_string(bytes) + ", but the file has " +
                   std::to_string(file.st_size) + " bytes");
  std::unique_ptr<MappedWindow> window(new MappedWindow(bytes));
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
  if (data == MAP_FAILED) return SystemFailure("mmap");
  window->data_ = static_cast<std::uint8_t*>(data);
  if (madvise(data, bytes, MADV_DONTFORK) != 0) return SystemFailure("MADV_DONTFORK");
  if (madvise(data, bytes, MADV_DONTDUMP) != 0) return SystemFailure("MADV_DONTDUMP");
  return window;
}

MappedWindow::~MappedWindow() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace ssn::qkdn::client
