// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/status.h"

#include <cerrno>

namespace ssn {

int Status::ToErrno() const noexcept {
  switch (code_) {
    case Code::kOk:
      return 0;
    case Code::kInvalidArgument:
      return -EINVAL;
    case Code::kNotEnoughShares:
      return -EIO;
    case Code::kCorrupt:
      return -EBADMSG;
    case Code::kUnavailable:
      return -EAGAIN;
  }
  return -EIO;
}

}  // namespace ssn
