// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/window_memory.h"

#include "qkdn/proxy/window.h"

namespace ssn::qkdn::proxy {

bool WindowMemory::Reserve(std::uint64_t bytes) {
  if (bytes > max_) return false;
  for (Window* window : windows_) {
    if (used_ <= max_ - bytes) break;
    window->Trim();
  }
  if (used_ > max_ - bytes) return false;
  used_ += bytes;
  return true;
}

}  // namespace ssn::qkdn::proxy
