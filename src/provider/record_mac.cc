// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/record_mac.h"

#include "ssn/secret.h"

namespace ssn::provider {
namespace {

constexpr std::size_t kHalfBytes = 16;  // of the key
constexpr std::uint8_t kVersion = 1;

// What a record is, behind its ciphertext: the length tells where that ended.
struct Trailer {
  std::array<std::uint8_t, 80> bytes{};
  std::size_t size = 0;

  void Bytes(ByteSpan more) noexcept {
    for (const std::uint8_t byte : more) bytes[size++] = byte;
  }
  template <typename Integer>
  void Number(Integer value) noexcept {
    for (unsigned i = 0; i < sizeof value; ++i) bytes[size++] = static_cast<std::uint8_t>(value >> 8 * i);
  }
};

void Take(PadStream& pad, MutableByteSpan out) noexcept {
  Wipe(out);
  pad.Xor(out, out);  // zeros become pad
}

}  // namespace

RecordMac::~RecordMac() { Wipe(key_); }

bool RecordMac::Start(PadStream& pad) {
  if (pad.available() < KeyBytes()) return false;
  const MutableByteSpan key(key_);
  if (!has_r_) Take(pad, key.first(kHalfBytes));
  has_r_ = true;
  ++record_;
  length_ = 0;
  epoch_ = pad.epoch();
  position_ = pad.Next(1).position;
  Take(pad, key.subspan(kHalfBytes));
  const bool started = context_.Start(key_).ok();
  Wipe(key.subspan(kHalfBytes));
  return started;
}

bool RecordMac::Add(ByteSpan ciphertext) {
  length_ += ciphertext.size();
  return context_.Add(ciphertext).ok();
}

std::optional<OneTimeMacTag> RecordMac::Finish() {
  Trailer trailer;
  trailer.Number(kVersion);
  trailer.Bytes(label_.stream);
  trailer.Number(label_.from);
  trailer.Number(label_.to);
  trailer.Bytes(epoch_);
  trailer.Number(record_);
  trailer.Number(position_);
  trailer.Number(length_);
  if (!context_.Add(ByteSpan(trailer.bytes).first(trailer.size)).ok()) return std::nullopt;
  auto tag = context_.Finish();
  if (!tag.ok()) return std::nullopt;
  return tag.value();
}

}  // namespace ssn::provider
