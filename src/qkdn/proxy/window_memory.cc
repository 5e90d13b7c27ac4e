// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/window_memory.h"

#include "qkdn/proxy/window.h"

namespace ssn::qkdn::proxy {

bool WindowMemory::Reserve(std::uint64_t bytes, std::uint64_t left) {
  const std::uint64_t most = max_ - std::min(left, max_);
  if (bytes > most) return false;
  for (Window* window : windows_) {
    if (used_ <= most - bytes) break;
    window->Trim();
  }
  if (used_ > most - bytes) return false;
  used_ += bytes;
  return true;
}

}  // namespace ssn::qkdn::proxy
