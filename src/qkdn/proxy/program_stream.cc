// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/program_stream.h"

#include <algorithm>

namespace ssn::qkdn::proxy {

StreamOpening ProgramStream::Open() {
  const StreamOpening opening = name_.direction == PadDirection::kTransmit
                                    ? link_.link.OpenToTransmit(name_.id, name_.kind, *this)
                                    : link_.link.OpenToReceive(name_.id, name_.kind, *this);
  if (opening != StreamOpening::kOk) ended_ = north::Refusal::kStreamEnded;
  return opening;
}

void ProgramStream::Start(std::uint32_t request) {
  started_ = true;
  host_.Send(north::Opened{request, handle_, link_.link.epoch()});
  for (const Piece& piece : pieces_) SendGrant(piece);
  if (ended_) host_.Send(north::Ended{handle_, *ended_});
}

void ProgramStream::Request(const PadRequest& request) {
  ++requests_;
  link_.link.Request(name_.id, request);
}

void ProgramStream::RequestEnded() {
  --requests_;
  host_.RequestEnded();
}

void ProgramStream::SendGrant(const Piece& piece) {
  host_.Send(north::Grant{handle_, piece.offset, piece.position, host_.window().OffsetOf(piece.memory),
                          piece.memory.size()});
}

void ProgramStream::Granted(std::uint64_t offset, std::uint64_t position, MutableByteSpan memory) {
  pieces_.push_back({offset, position, memory});
  granted_ += memory.size();
  if (started_) SendGrant(pieces_.back());
}

bool ProgramStream::Release(std::uint64_t offset) {
  if (offset < used_ || offset > granted_) return false;
  const std::uint64_t bytes = offset - used_;
  if (bytes == 0) return true;
  ledger().Used(bytes, name_.id, pieces_.front().position + pieces_.front().used);
  host_.Used(name_.peer, name_.direction, bytes);
  used_ = offset;
  while (!pieces_.empty() && pieces_.front().offset < offset) {
    Piece& piece = pieces_.front();
    piece.used = std::min<std::uint64_t>(offset - piece.offset, piece.memory.size());
    if (piece.used < piece.memory.size()) break;
    host_.window().TakeBack(piece.memory);
    pieces_.pop_front();
  }
  return true;
}

void ProgramStream::Close(BurnReason reason, bool wipe) {
  if (!ended_) {
    if (name_.direction == PadDirection::kTransmit)
      link_.link.CloseToTransmit(name_.id);
    else
      link_.link.CloseToReceive(name_.id);
    ended_ = north::Refusal::kStreamEnded;
  }
  while (requests_ > 0) RequestEnded();
  for (const Piece& piece : pieces_) {
    ledger().BurntOfStream(name_.id, piece.memory.size() - piece.used, reason, piece.position + piece.used);
    if (wipe) Free(piece.memory);
  }
  pieces_.clear();
  used_ = granted_;
}

void ProgramStream::Done(std::uint32_t request) {
  RequestEnded();
  host_.Send(north::Done{request});
}

void ProgramStream::Refused(std::uint32_t request, north::Refusal reason, const std::string& message) {
  RequestEnded();
  host_.Send(north::Refused{request, reason, message});
}

void ProgramStream::Ended(north::Refusal reason) {
  ended_ = reason;
  if (started_) host_.Send(north::Ended{handle_, reason});
}

}  // namespace ssn::qkdn::proxy
