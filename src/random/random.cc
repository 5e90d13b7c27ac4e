// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/random.h"

#include <string>

#include "random/sources.h"

namespace ssn {

Result<std::shared_ptr<RandomSource>> OpenRandomSource(std::string_view name) {
  constexpr std::string_view kFilePrefix = "file:";
  if (name == "drbg") return random::MakeDrbg();
  if (name == "kernel") return random::MakeKernel();
  if (name.starts_with(kFilePrefix)) {
    const std::string_view path = name.substr(kFilePrefix.size());
    if (!path.starts_with('/'))
      return Status::InvalidArgument("random source '" + std::string(name) +
                                     "': the path after file: must be absolute");
    return random::MakeFile(std::string(path));
  }
  return Status::InvalidArgument("random source '" + std::string(name) +
                                 "' is not one of drbg, kernel, file:PATH");
}

}  // namespace ssn
