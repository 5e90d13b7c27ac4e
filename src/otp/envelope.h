// SPDX-License-Identifier: LGPL-2.1-or-later
// envelope.h - the format of data sealed to one node with one-time pad and one-time MAC. Knows no proxy:
// the pad is given.
//
// Shapes:    an envelope is kEnvelopeHeaderBytes of header, the ciphertext, kOneTimeMacTagBytes of tag. It
//            takes kOneTimeMacKeyBytes more pad than it has plaintext. At most kMaxEnvelopeBytes of
//            plaintext.
// Bound:     a forged or altered envelope is taken with probability at most 8 * ceil(L / 16) / 2^106, with
//            L = 72 + context + plaintext bytes: under 2^-86 for 1 MiB. There is one try: the pad is gone
//            after it.
// Errors:    kInvalidArgument: sizes that do not fit together, which is the caller's doing. kCorrupt: bytes
//            that are not what was sealed.
// Ownership: nothing is kept after return. Seal and Unseal wipe all of `pad`, also when they fail.
// Timing:    constant in pad, plaintext and tag; depends on lengths.
// Threads:   pure functions.
// Spec:      ENVELOPE.md beside this file.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ssn/bytes.h"
#include "ssn/one_time_mac.h"
#include "ssn/pad_client.h"
#include "ssn/secret.h"
#include "ssn/status.h"

namespace ssn::otp {

inline constexpr std::size_t kEnvelopeHeaderBytes = 64;

// In clear, and under the MAC.
struct EnvelopeHeader {
  NodeId from = 0;
  NodeId to = 0;
  StreamId stream{};  // of the pad
  PadEpoch epoch{};   // and where it was taken from
  std::uint64_t position = 0;
  std::uint64_t length = 0;  // of the plaintext
};

// ParseEnvelopeHeader checks the form of the whole envelope: everything but the MAC.
Result<EnvelopeHeader> ParseEnvelopeHeader(ByteSpan envelope);

// SealEnvelope REQUIRES: header.length == plaintext.size(), and pad.size() == plaintext.size() +
// kOneTimeMacKeyBytes.
Result<std::vector<std::uint8_t>> SealEnvelope(const EnvelopeHeader& header, ByteSpan context,
                                               ByteSpan plaintext, MutableByteSpan pad);

// UnsealEnvelope gives the plaintext if `envelope` was sealed with this pad and this `context`.
Result<SecretBytes> UnsealEnvelope(ByteSpan envelope, ByteSpan context, MutableByteSpan pad);

}  // namespace ssn::otp
