// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/repeated_keys.h"

#include <cstring>

#include "ssn/one_time_mac.h"

namespace ssn::qkdn::proxy {

bool RepeatedKeys::Check(const etsi014::Keys& keys) {
  bool repeated = false;
  for (std::size_t i = 0; i < keys.ids.size(); ++i) {
    const std::string& id = keys.ids[i];
    repeated |= Remember({reinterpret_cast<const std::uint8_t*>(id.data()), id.size()});
    repeated |= Remember(keys.material.span().subspan(i * keys.key_bytes, keys.key_bytes));
  }
  return repeated;
}

// Poly1305 as a universal hash: two inputs collide with the probability of its forgery bound, cut to 64 bits,
// over the choice of the point. No tag leaves this object, so that the point may serve for all of them.
bool RepeatedKeys::Remember(ByteSpan bytes) {
  const auto tag = OneTimeMac(point_.span(), {bytes});
  if (!tag.ok()) return true;  // what cannot be checked is not used
  std::uint64_t hash = 0;
  std::memcpy(&hash, tag.value().data(), sizeof hash);
  if (!hashes_.insert(hash).second) return true;
  order_.push_back(hash);
  if (order_.size() > 2 * kLimit) {
    hashes_.erase(order_.front());
    order_.pop_front();
  }
  return false;
}

}  // namespace ssn::qkdn::proxy
