// SPDX-License-Identifier: LGPL-2.1-or-later
// pad_books.h - the checker of a soak: told of every byte of pad a program used, it finds any that is used
// again, by position and by content.
//
// Shapes:    an end is one node's side of one ordered pair.
// Method:    positions are kept as ranges for each end and epoch. Of the content, every 8 bytes in a row
//            whose last six bits are zero are remembered, wherever they begin: pad used again at any other
//            position or epoch repeats about one such mark in 64 bytes. Chance repeats one of N marks with
//            probability N^2 / 2^59.
// Threads:   any.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <unordered_set>

#include "ssn/pad_client.h"

namespace ssn::tools {

class PadBooks {
 public:
  struct End {
    NodeId node = 0;  // whose program used it
    NodeId from = 0;
    NodeId to = 0;
    auto operator<=>(const End&) const = default;
  };

  // Enter records pad that is being used.
  void Enter(const End& end, const PadEpoch& epoch, std::uint64_t position, ByteSpan pad);

  std::uint64_t bytes() const;
  // What was found, a line for each; empty if nothing.
  std::string findings() const;

 private:
  void EnterPosition(const End& end, const PadEpoch& epoch, std::uint64_t begin, std::uint64_t size);
  void EnterContent(const End& end, ByteSpan pad);
  void Find(const std::string& what);

  mutable std::mutex mutex_;
  std::map<std::pair<End, PadEpoch>, std::map<std::uint64_t, std::uint64_t>> used_;  // begin to end
  std::map<End, std::unordered_set<std::uint64_t>> marks_;
  std::uint64_t bytes_ = 0;
  unsigned num_findings_ = 0;
  std::string findings_;
};

}  // namespace ssn::tools
