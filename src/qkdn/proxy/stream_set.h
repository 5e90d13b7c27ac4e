// SPDX-License-Identifier: LGPL-2.1-or-later
// stream_set.h - the ids of the streams that ended last, so that none is used a second time.
//
// Shapes:    holds the kLimit newest; older ids are forgotten. What follows from that: SIDEWAYS.md.
// Threads:   no locking of its own.

#pragma once

#include <deque>
#include <set>

#include "ssn/pad_client.h"

namespace ssn::qkdn::proxy {

class StreamSet {
 public:
  static constexpr std::size_t kLimit = 65536;

  void Add(const StreamId& id) {
    if (!ids_.insert(id).second) return;
    order_.push_back(id);
    if (order_.size() > kLimit) {
      ids_.erase(order_.front());
      order_.pop_front();
    }
  }
  bool Contains(const StreamId& id) const { return ids_.contains(id); }
  void Clear() {
    ids_.clear();
    order_.clear();
  }

 private:
  std::set<StreamId> ids_;
  std::deque<StreamId> order_;
};

}  // namespace ssn::qkdn::proxy
