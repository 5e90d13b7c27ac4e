// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/link_store.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

namespace ssn::qkdn::sim {
namespace {

constexpr std::size_t kLeastChunk = 4096;  // secrets are kept in whole pages

}  // namespace

void LinkStore::Reset(std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  chunks_.clear();
  ranges_.clear();
  epoch_ = epoch;
  end_ = stored_ = 0;
}

Status LinkStore::Append(LinkKey key) {
  const std::lock_guard lock(mutex_);
  if (key.epoch != epoch_ || key.start != end_)
    return Status::Corrupt("link key at position " + std::to_string(key.start) +
                           " does not continue the stream, which ends at " + std::to_string(end_));
  const std::size_t size = key.bytes.size();
  if (size == 0) return {};
  Chunk* last = chunks_.empty() ? nullptr : &std::prev(chunks_.end())->second;
  // The chunk that the stream ended in may have left whole; an older one is not its end.
  const bool continues = last != nullptr && std::prev(chunks_.end())->first + last->filled == end_;
  if (!continues || last->bytes.size() - last->filled < size) {
    // A full chunk that was read out stays only while it is the last.
    if (last != nullptr && last->left == 0) chunks_.erase(std::prev(chunks_.end()));
    last = &chunks_[end_];
    if (size < kLeastChunk) last->bytes = PooledSecret(kLeastChunk);
  }
  if (last->bytes.size() == 0)
    last->bytes = std::move(key.bytes);
  else
    std::memcpy(last->bytes.data() + last->filled, key.bytes.data(), size);
  last->filled += size;
  last->left += size;
  if (!ranges_.empty() && std::prev(ranges_.end())->second == end_)
    std::prev(ranges_.end())->second = end_ + size;
  else
    ranges_[end_] = end_ + size;
  end_ += size;
  stored_ += size;
  return {};
}

std::optional<LinkKey> LinkStore::TakeNext(std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (size == 0 || stored_ < size) return std::nullopt;
  const std::uint64_t start = ranges_.begin()->first;
  return LinkKey{epoch_, start, Remove(start, size)};
}

Result<PooledSecret> LinkStore::TakeAt(std::uint64_t epoch, std::uint64_t start, std::size_t size) {
  const std::lock_guard lock(mutex_);
  const auto missing = [&] {
    return Status::Corrupt("link key at position " + std::to_string(start) + ", " + std::to_string(size) +
                           " bytes, is not held here");
  };
  if (epoch != epoch_ || size == 0 || start > UINT64_MAX - size) return missing();
  auto range = ranges_.upper_bound(start);
  if (range == ranges_.begin()) return missing();
  --range;
  if (range->second < start + size) return missing();
  return Remove(start, size);
}

std::uint64_t LinkStore::stored_bytes() const {
  const std::lock_guard lock(mutex_);
  return stored_;
}

// The range is held: the callers have looked.
PooledSecret LinkStore::Remove(std::uint64_t start, std::size_t size) {
  auto range = std::prev(ranges_.upper_bound(start));
  const std::uint64_t range_end = range->second;
  if (range->first == start)
    ranges_.erase(range);
  else
    range->second = start;
  if (range_end > start + size) ranges_[start + size] = range_end;
  stored_ -= size;

  const auto chunk = std::prev(chunks_.upper_bound(start));
  if (chunk->first == start && chunk->second.bytes.size() == size && chunk->second.left == size) {
    PooledSecret whole = std::move(chunk->second.bytes);
    chunks_.erase(chunk);
    return whole;
  }
  PooledSecret out(size);
  CopyOut(start, out.span());
  return out;
}

void LinkStore::CopyOut(std::uint64_t start, MutableByteSpan out) {
  auto chunk = std::prev(chunks_.upper_bound(start));
  while (!out.empty()) {
    Chunk& from = chunk->second;
    const std::size_t offset = static_cast<std::size_t>(start - chunk->first);
    const std::size_t size = std::min(out.size(), from.filled - offset);
    const MutableByteSpan taken = from.bytes.span().subspan(offset, size);
    std::memcpy(out.data(), taken.data(), size);
    Wipe(taken);
    from.left -= size;
    start += size;
    out = out.subspan(size);
    const auto next = std::next(chunk);
    if (from.left == 0 && next != chunks_.end()) chunks_.erase(chunk);
    chunk = next;
  }
}

}  // namespace ssn::qkdn::sim
