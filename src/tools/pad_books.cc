// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/pad_books.h"

#include <cstring>
#include <iterator>

namespace ssn::tools {
namespace {

constexpr unsigned kMaxFindings = 20;
constexpr std::uint64_t kMarkMask = 63;

std::string Name(const PadBooks::End& end) {
  return "node " + std::to_string(end.node) + ", " + std::to_string(end.from) + " to " +
         std::to_string(end.to);
}

}  // namespace

void PadBooks::Enter(const End& end, const PadEpoch& epoch, std::uint64_t position, ByteSpan pad) {
  const std::lock_guard lock(mutex_);
  bytes_ += pad.size();
  EnterPosition(end, epoch, position, pad.size());
  EnterContent(end, pad);
}

void PadBooks::EnterPosition(const End& end, const PadEpoch& epoch, std::uint64_t begin, std::uint64_t size) {
  if (size == 0) return;
  auto& ranges = used_[{end, epoch}];
  auto next = ranges.lower_bound(begin);
  const bool overlaps_next = next != ranges.end() && next->first < begin + size;
  const bool overlaps_previous = next != ranges.begin() && std::prev(next)->second > begin;
  if (overlaps_next || overlaps_previous) {
    Find(Name(end) + ": position " + std::to_string(begin) + " is used again");
    return;
  }
  if (next != ranges.begin() && std::prev(next)->second == begin)
    std::prev(next)->second += size;
  else
    ranges.emplace_hint(next, begin, begin + size);
}

void PadBooks::EnterContent(const End& end, ByteSpan pad) {
  auto& marks = marks_[end];
  for (std::size_t i = 0; i + 8 <= pad.size(); ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, pad.data() + i, sizeof word);
    if ((word & kMarkMask) == 0 && !marks.insert(word).second)
      Find(Name(end) + ": bytes of pad are used again");
  }
}

void PadBooks::Find(const std::string& what) {
  if (++num_findings_ <= kMaxFindings) findings_ += what + "\n";
}

std::uint64_t PadBooks::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::string PadBooks::findings() const {
  const std::lock_guard lock(mutex_);
  return findings_;
}

}  // namespace ssn::tools
