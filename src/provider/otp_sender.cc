// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/otp_sender.h"

#include <unistd.h>

#include <algorithm>

#include "provider/msgr2_frame.h"
#include "provider/tile.h"
#include "ssn/secret.h"
#ifdef SSN_RECORD_PAD
#include "provider/pad_record.h"
#endif

namespace ssn::provider {

void OtpSender::End() noexcept {
  ended_ = true;
  pad_.reset();
}

// The first piece of a frame has its preamble, and so says how much pad all of its records need.
bool OtpSender::SetAside(ByteSpan in) {
  if (records_set_aside_ == 0) {
    const auto frame = ParseFrame(in);
    records_set_aside_ = frame ? frame->num_records : 1;
    const std::uint64_t bytes =
        (frame ? frame->bytes() : in.size()) + mac_.KeyBytes() + 16 * std::uint64_t{records_set_aside_ - 1};
    if (pad_ == nullptr) {
      auto opened = client_.Open(label_.stream, label_.to, PadDirection::kTransmit, bytes, wait_);
      if (!opened.ok()) return false;
      pad_ = std::move(opened).value();
    } else if (!pad_->Reserve(bytes, wait_).ok()) {
      return false;
    }
  }
  --records_set_aside_;
  return pad_->Reserve(mac_.KeyBytes(), wait_).ok();
}

void OtpSender::Begin(ByteSpan in) {
  begun_ = true;
  if (!ended_ && !(SetAside(in) && mac_.Start(*pad_))) End();
}

void OtpSender::Update(ByteSpan in, MutableByteSpan out) {
  if (!begun_) Begin(in);
  if (!ended_ && !pad_->Reserve(in.size(), wait_).ok()) End();
  for (; !ended_ && !in.empty(); in = in.subspan(TileOf(in)), out = out.subspan(TileOf(out))) {
    const MutableByteSpan tile = out.first(TileOf(out));
#ifdef SSN_RECORD_PAD
    PadRecord record(in.first(tile.size()));
#endif
    pad_->Xor(in.first(tile.size()), tile);
#ifdef SSN_RECORD_PAD
    record.Write(label_.stream, tile);
#endif
    if (!mac_.Add(tile)) End();
  }
  Wipe(out);  // nothing is left, or the stream has ended
}

void OtpSender::Finish(MutableByteSpan tag) {
  if (!begun_) Begin({});
  const auto computed = ended_ ? std::nullopt : mac_.Finish();
  if (computed) {
    pad_->Account();
    std::copy(computed->begin(), computed->end(), tag.begin());
    return;
  }
  End();
  // Not from pad: what the peer rejects must say nothing of it.
  if (getentropy(tag.data(), tag.size()) != 0) Wipe(tag);
}

}  // namespace ssn::provider
