// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/pad_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace ssn::qkdn::proxy {
namespace {

constexpr std::uint64_t kPieceBytes = 16384;

}  // namespace

template <typename F>
void PadBuffer::ForEachPart(std::uint64_t position, std::uint64_t length, F&& f) {
  for (std::uint64_t done = 0; done < length;) {
    const std::uint64_t start = (position + done) % capacity();
    const std::uint64_t part = std::min(length - done, capacity() - start);
    f(region_.span().subspan(start, part), done);
    done += part;
  }
}

void PadBuffer::Append(ByteSpan pad) {
  assert(held() + pad.size() <= capacity());
  ForEachPart(end_, pad.size(), [&](MutableByteSpan part, std::uint64_t done) {
    std::memcpy(part.data(), pad.data() + done, part.size());
  });
  end_ += pad.size();
}

bool PadBuffer::Take(std::uint64_t position, MutableByteSpan out, std::uint64_t* burnt) {
  *burnt = 0;
  if (position < begin_ || position > end_ || out.size() > end_ - position) return false;
  *burnt = BurnBelow(position);
  // Wiped piece by piece, while it is in the nearest cache.
  while (!out.empty()) {
    const std::uint64_t piece = std::min<std::uint64_t>(out.size(), kPieceBytes);
    ForEachPart(position, piece, [&](MutableByteSpan part, std::uint64_t done) {
      std::memcpy(out.data() + done, part.data(), part.size());
    });
    position += piece;
    BurnBelow(position);
    out = out.subspan(piece);
  }
  return true;
}

std::uint64_t PadBuffer::BurnBelow(std::uint64_t position) {
  if (position <= begin_) return 0;
  const std::uint64_t burnt = std::min(position, end_) - begin_;
  ForEachPart(begin_, burnt, [](MutableByteSpan part, std::uint64_t) { Wipe(part); });
  begin_ = position;
  end_ = std::max(end_, position);
  return burnt;
}

std::uint64_t PadBuffer::BurnFrom(std::uint64_t position) {
  assert(position >= begin_);
  if (position >= end_) return 0;
  const std::uint64_t burnt = end_ - position;
  ForEachPart(position, burnt, [](MutableByteSpan part, std::uint64_t) { Wipe(part); });
  end_ = position;
  return burnt;
}

std::uint64_t PadBuffer::Reset() {
  const std::uint64_t burnt = BurnFrom(begin_);
  begin_ = end_ = 0;
  return burnt;
}

}  // namespace ssn::qkdn::proxy
