// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "random/sources.h"

namespace ssn::random {
namespace {

class Kernel final : public RandomSource {
 public:
  Status Fill(MutableByteSpan out) override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Status::Unavailable(std::string("getrandom: ") + std::strerror(errno));
      out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
  }
};

}  // namespace

std::shared_ptr<RandomSource> MakeKernel() { return std::make_shared<Kernel>(); }

}  // namespace ssn::random
