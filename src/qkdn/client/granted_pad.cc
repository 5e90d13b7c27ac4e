// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/granted_pad.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace ssn::qkdn::client {

Status GrantedPad::Open(std::uint32_t handle) {
  if (!streams_.try_emplace(handle).second)
    return Status::Unavailable("Opened: handle " + std::to_string(handle) + " is in use");
  return {};
}

Status GrantedPad::Add(const north::Grant& grant) {
  Stream& stream = streams_.at(grant.handle);
  const auto wrong = [&grant](const std::string& what) {
    return Status::Unavailable("Grant: handle " + std::to_string(grant.handle) + ": " + what);
  };
  const std::uint64_t begin = grant.window_offset, end = begin + grant.length;
  if (grant.offset != stream.next_offset)
    return wrong("offset=" + std::to_string(grant.offset) + " where " + std::to_string(stream.next_offset) +
                 " is next");
  if (end > window_bytes_)
    return wrong(std::to_string(grant.length) + " bytes at " + std::to_string(begin) + " of a window of " +
                 std::to_string(window_bytes_));
  const auto after = taken_.lower_bound(begin);
  if ((after != taken_.end() && after->first < end) ||
      (after != taken_.begin() && std::prev(after)->second > begin))
    return wrong(std::to_string(grant.length) + " bytes at " + std::to_string(begin) +
                 " of the window overlap pad at hand");
  taken_.emplace(begin, end);
  stream.next_offset += grant.length;
  stream.grants.push_back(grant);
  return {};
}

void GrantedPad::Release(std::uint32_t handle, std::uint64_t offset) noexcept {
  auto& grants = streams_.at(handle).grants;
  while (!grants.empty() && grants.front().offset < offset) {
    north::Grant& grant = grants.front();
    const std::uint64_t used = std::min(offset - grant.offset, grant.length);
    auto place = taken_.extract(grant.window_offset);
    grant.offset += used;
    grant.window_offset += used;
    grant.length -= used;
    if (grant.length > 0) {
      place.key() = grant.window_offset;  // its end stays
      taken_.insert(std::move(place));
    } else {
      grants.pop_front();
    }
  }
}

void GrantedPad::Close(std::uint32_t handle) noexcept {
  for (const north::Grant& grant : streams_.at(handle).grants) taken_.erase(grant.window_offset);
  streams_.erase(handle);
}

}  // namespace ssn::qkdn::client
