// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/otp_receiver.h"

#include <openssl/crypto.h>

#include "provider/tile.h"
#include "ssn/secret.h"

namespace ssn::provider {

void OtpReceiver::End() noexcept { pad_.reset(); }

void OtpReceiver::Begin(std::size_t bytes) {
  begun_ = true;
  if (pad_ && !(pad_->Reserve(mac_.KeyBytes() + bytes, wait_).ok() && mac_.Start(*pad_))) End();
}

void OtpReceiver::Update(ByteSpan in, MutableByteSpan out) {
  if (!begun_) Begin(in.size());
  if (pad_ && !pad_->Reserve(in.size(), wait_).ok()) End();
  for (; pad_ && !in.empty(); in = in.subspan(TileOf(in)), out = out.subspan(TileOf(out))) {
    const ByteSpan tile = in.first(TileOf(in));
    if (mac_.Add(tile))
      pad_->Xor(tile, out.first(tile.size()));
    else
      End();
    if (!pad_) break;
  }
  Wipe(out);  // nothing is left, or the stream has ended
}

bool OtpReceiver::Finish(ByteSpan tag) {
  if (!begun_) Begin(0);
  const auto expected = pad_ ? mac_.Finish() : std::nullopt;
  if (!expected || CRYPTO_memcmp(expected->data(), tag.data(), expected->size()) != 0) {
    End();
    return false;
  }
  pad_->Account();
  return true;
}

}  // namespace ssn::provider
