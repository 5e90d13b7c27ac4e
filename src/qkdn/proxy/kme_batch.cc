// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/kme_batch.h"

#include <algorithm>
#include <limits>

namespace ssn::qkdn::proxy {
namespace {

std::uint64_t WholeBytes(std::uint64_t bits) { return bits / 8; }
std::uint64_t BytesThatHold(std::uint64_t bits) { return bits / 8 + (bits % 8 != 0 ? 1 : 0); }

std::uint64_t KeysPerRequest(const etsi014::PoolStatus& limits, std::uint64_t max_keys) {
  return std::min(limits.max_key_per_request == 0 ? max_keys : limits.max_key_per_request, max_keys);
}

}  // namespace

KeyOrder PlanOrder(const etsi014::PoolStatus& limits, std::uint64_t bytes, std::uint64_t max_keys) {
  const std::uint64_t usual = std::max<std::uint64_t>(WholeBytes(limits.key_size_bits), 1);
  const std::uint64_t largest = std::max(WholeBytes(limits.max_key_size_bits), usual);
  const std::uint64_t smallest = std::max<std::uint64_t>(BytesThatHold(limits.min_key_size_bits), 1);
  if (bytes == 0 || max_keys == 0 || smallest > largest) return {};
  KeyOrder order;
  order.key_bytes = std::clamp(bytes, smallest, largest);
  order.number = std::clamp<std::uint64_t>(bytes / order.key_bytes, 1, KeysPerRequest(limits, max_keys));
  return order;
}

KeyOrder PlanScarceOrder(const etsi014::PoolStatus& limits, std::uint64_t bytes, std::uint64_t max_keys) {
  const std::uint64_t usual = WholeBytes(limits.key_size_bits);
  if (limits.stored_key_count == 0 || usual == 0) return {};
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / usual;
  const std::uint64_t stored = std::min(limits.stored_key_count, most) * usual;
  if (stored >= bytes) {
    // It holds enough and still refuses: perhaps it counts whole keys of its own size.
    const std::uint64_t number = std::min(limits.stored_key_count, std::max<std::uint64_t>(bytes / usual, 1));
    return {std::min(number, KeysPerRequest(limits, max_keys)), usual};
  }
  KeyOrder order = PlanOrder(limits, stored, max_keys);
  if (order.number * order.key_bytes > stored) return {};
  return order;
}

}  // namespace ssn::qkdn::proxy
