// SPDX-License-Identifier: LGPL-2.1-or-later
#include "otp/envelope.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <string_view>

#include "otp/one_time_pad.h"

namespace ssn::otp {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic = {'S', 'S', 'N', 'E', 1, 0, 0, 0};  // the fifth is the version
constexpr std::size_t kFromAt = 8;
constexpr std::size_t kToAt = 12;
constexpr std::size_t kStreamAt = 16;
constexpr std::size_t kEpochAt = 32;
constexpr std::size_t kPositionAt = 48;
constexpr std::size_t kLengthAt = 56;

void Put(MutableByteSpan out, std::uint64_t value) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(value >> 8 * i);
}

std::uint64_t Get(ByteSpan in) {
  std::uint64_t value = 0;
  for (std::size_t i = in.size(); i-- > 0;) value = value << 8 | in[i];
  return value;
}

Status Corrupt(std::string_view what) { return Status::Corrupt(std::string("envelope: ").append(what)); }

class WipeAtEnd {
 public:
  explicit WipeAtEnd(MutableByteSpan region) : region_(region) {}
  ~WipeAtEnd() { Wipe(region_); }
  WipeAtEnd(const WipeAtEnd&) = delete;
  WipeAtEnd& operator=(const WipeAtEnd&) = delete;

 private:
  MutableByteSpan region_;
};

}  // namespace

Result<EnvelopeHeader> ParseEnvelopeHeader(ByteSpan envelope) {
  if (envelope.size() < kEnvelopeHeaderBytes + kOneTimeMacTagBytes)
    return Corrupt(std::to_string(envelope.size()) + " bytes are too few");
  if (!std::equal(kMagic.begin(), kMagic.end(), envelope.begin()))
    return Corrupt("it does not begin as one of version 1 does");
  EnvelopeHeader header;
  header.from = static_cast<NodeId>(Get(envelope.subspan(kFromAt, 4)));
  header.to = static_cast<NodeId>(Get(envelope.subspan(kToAt, 4)));
  std::copy_n(envelope.begin() + kStreamAt, header.stream.size(), header.stream.begin());
  std::copy_n(envelope.begin() + kEpochAt, header.epoch.size(), header.epoch.begin());
  header.position = Get(envelope.subspan(kPositionAt, 8));
  header.length = Get(envelope.subspan(kLengthAt, 8));
  const std::size_t body = envelope.size() - kEnvelopeHeaderBytes - kOneTimeMacTagBytes;
  if (header.length != body || header.length > kMaxEnvelopeBytes)
    return Corrupt("length=" + std::to_string(header.length) + " in the header, " + std::to_string(body) +
                   " bytes of ciphertext, at most " + std::to_string(kMaxEnvelopeBytes));
  return header;
}

Result<std::vector<std::uint8_t>> SealEnvelope(const EnvelopeHeader& header, ByteSpan context,
                                               ByteSpan plaintext, MutableByteSpan pad) {
  const WipeAtEnd wipe(pad);
  if (header.length != plaintext.size() || header.length > kMaxEnvelopeBytes ||
      pad.size() != plaintext.size() + kOneTimeMacKeyBytes)
    return Status::InvalidArgument("envelope: header.length=" + std::to_string(header.length) + ", " +
                                   std::to_string(plaintext.size()) + " bytes of plaintext and " +
                                   std::to_string(pad.size()) + " of pad do not fit together");
  std::vector<std::uint8_t> envelope(kEnvelopeHeaderBytes + plaintext.size() + kOneTimeMacTagBytes);
  const MutableByteSpan all(envelope);
  std::copy(kMagic.begin(), kMagic.end(), all.begin());
  Put(all.subspan(kFromAt, 4), header.from);
  Put(all.subspan(kToAt, 4), header.to);
  std::copy(header.stream.begin(), header.stream.end(), all.begin() + kStreamAt);
  std::copy(header.epoch.begin(), header.epoch.end(), all.begin() + kEpochAt);
  Put(all.subspan(kPositionAt, 8), header.position);
  Put(all.subspan(kLengthAt, 8), header.length);
  const MutableByteSpan ciphertext = all.subspan(kEnvelopeHeaderBytes, plaintext.size());
  XorAndWipe(pad.subspan(kOneTimeMacKeyBytes), plaintext, ciphertext);
  std::array<std::uint8_t, 8> context_length;
  Put(context_length, context.size());
  const Result<OneTimeMacTag> tag = OneTimeMac(
      pad.first(kOneTimeMacKeyBytes), {all.first(kEnvelopeHeaderBytes), context_length, context, ciphertext});
  if (!tag.ok()) return tag.status();
  std::copy(tag.value().begin(), tag.value().end(), all.end() - kOneTimeMacTagBytes);
  return envelope;
}

Result<SecretBytes> UnsealEnvelope(ByteSpan envelope, ByteSpan context, MutableByteSpan pad) {
  const WipeAtEnd wipe(pad);
  const Result<EnvelopeHeader> header = ParseEnvelopeHeader(envelope);
  if (!header.ok()) return header.status();
  const auto length = static_cast<std::size_t>(header.value().length);
  if (pad.size() != length + kOneTimeMacKeyBytes)
    return Corrupt(std::to_string(length) + " bytes of ciphertext do not go with " +
                   std::to_string(pad.size()) + " bytes of pad");
  const ByteSpan ciphertext = envelope.subspan(kEnvelopeHeaderBytes, length);
  std::array<std::uint8_t, 8> context_length;
  Put(context_length, context.size());
  if (!VerifyOneTimeMac(pad.first(kOneTimeMacKeyBytes),
                        {envelope.first(kEnvelopeHeaderBytes), context_length, context, ciphertext},
                        envelope.last(kOneTimeMacTagBytes)))
    return Corrupt("the tag is wrong");
  try {
    SecretBytes plaintext(length);
    XorAndWipe(pad.subspan(kOneTimeMacKeyBytes), ciphertext, plaintext.span());
    return plaintext;
  } catch (const std::bad_alloc&) {
    return Status::Unavailable("envelope: no memory for " + std::to_string(length) + " bytes of plaintext");
  }
}

}  // namespace ssn::otp
