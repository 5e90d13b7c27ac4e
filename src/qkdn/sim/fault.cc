// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/fault.h"

#include <array>
#include <string_view>
#include <utility>

namespace ssn::qkdn::sim {
namespace {

constexpr std::array<std::pair<std::string_view, Fault>, 9> kNames = {
    {{"503", Fault::k503},
     {"garbage", Fault::kGarbage},
     {"truncated", Fault::kTruncated},
     {"different-keys", Fault::kDifferentKeys},
     {"missing-ids", Fault::kMissingIds},
     {"equal-keys-new-ids", Fault::kEqualKeysNewIds},
     {"short-keys", Fault::kShortKeys},
     {"bits-for-bytes", Fault::kBitsForBytes},
     {"slow", Fault::kSlow}}};
constexpr std::chrono::seconds kSlowest{30};

}  // namespace

Result<Fault> ParseFault(const std::string& name) {
  std::string known;
  for (const auto& [text, fault] : kNames) {
    if (text == name) return fault;
    known += known.empty() ? "" : ", ";
    known += text;
  }
  return Status::InvalidArgument("answer=\"" + name + "\" is not one of " + known + ", null");
}

void FaultSwitch::Set(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
  changed_.notify_all();
}

Fault FaultSwitch::Get() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

void FaultSwitch::WaitWhileSlow() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kSlowest, [this] { return fault_ != Fault::kSlow || closed_; });
}

void FaultSwitch::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace ssn::qkdn::sim
