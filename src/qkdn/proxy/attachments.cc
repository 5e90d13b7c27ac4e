// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/attachments.h"

namespace ssn::qkdn::proxy {

Attachments::Outcome Attachments::Add(const StreamId& stream, const void* owner) {
  if (owners_.contains(stream)) return Outcome::kExists;
  if (CountOf(owner) >= kMaxOfAnOwner) return Outcome::kTooMany;
  owners_.emplace(stream, owner);
  ++counts_[owner];
  return Outcome::kOk;
}

void Attachments::Remove(const StreamId& stream, const void* owner) {
  const auto found = owners_.find(stream);
  if (found == owners_.end() || found->second != owner) return;
  owners_.erase(found);
  if (--counts_[owner] == 0) counts_.erase(owner);
}

void Attachments::RemoveAll(const void* owner) {
  if (counts_.erase(owner) == 0) return;
  std::erase_if(owners_, [owner](const auto& each) { return each.second == owner; });
}

std::size_t Attachments::CountOf(const void* owner) const {
  const auto found = counts_.find(owner);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace ssn::qkdn::proxy
