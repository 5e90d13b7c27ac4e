// SPDX-License-Identifier: LGPL-2.1-or-later
// descriptor.h - a file descriptor that is closed at the end.
//
// Threads:   as an int.

#pragma once

#include <unistd.h>

#include <utility>

namespace ssn::tools {

struct Descriptor {
  int fd = -1;

  explicit Descriptor(int open) noexcept : fd(open) {}
  Descriptor(Descriptor&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

}  // namespace ssn::tools
