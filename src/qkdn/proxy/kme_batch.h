// SPDX-License-Identifier: LGPL-2.1-or-later
// kme_batch.h - how much to ask a KME for at once, by the limits it states.
//
// Shapes:    bytes; the status object speaks of bits.
// Threads:   pure functions.
// Spec:      ETSI GS QKD 014 V1.1.1 (2019-02), tables 8 and 10.

#pragma once

#include <cstdint>

#include "qkdn/etsi014/objects.h"

namespace ssn::qkdn::proxy {

struct KeyOrder {
  std::uint64_t number = 0;  // 0: nothing can be had
  std::uint64_t key_bytes = 0;
};

// Below it too much of a batch goes into comparing the two ends.
inline constexpr std::uint64_t kLeastBatchBytes = 1024;

// PlanOrder: one request of about `bytes`, of the largest keys the KME gives. `max_keys` bounds their number
// beside the KME's own limit.
KeyOrder PlanOrder(const etsi014::PoolStatus& limits, std::uint64_t bytes, std::uint64_t max_keys);

// PlanScarceOrder: the same when the KME has said that it cannot serve such an order: what `limits` says is
// stored.
KeyOrder PlanScarceOrder(const etsi014::PoolStatus& limits, std::uint64_t bytes, std::uint64_t max_keys);

}  // namespace ssn::qkdn::proxy
