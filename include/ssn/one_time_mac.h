// SPDX-License-Identifier: LGPL-2.1-or-later
// one_time_mac.h - a message authentication code whose forgery bound holds against any computing power:
// Poly1305 with a key that is uniform and used for one message.
//
// Shapes:    a key is 32 bytes of pad: r (16, clamped as the specification says) then s (16); a tag is 16
//            bytes.
// Bound:     one forgery attempt on messages of at most L bytes succeeds with probability at most
//            8 * ceil(L / 16) / 2^106: 2^-97 at 1 KiB, 2^-91 at 64 KiB, 2^-87 at 1 MiB. D attempts: D times
//            that.
// Errors:    kUnavailable when OpenSSL has no Poly1305; kInvalidArgument for a key of another size.
// Ownership: nothing is kept after return. The caller wipes the key and never uses it again.
// Timing:    constant in key, message and tag; depends on lengths.
// Threads:   pure functions; a OneTimeMacContext is used by one thread at a time.
// Spec:      RFC 8439, section 2.5; D. J. Bernstein, The Poly1305-AES message-authentication code (FSE
//            2005), theorem 3.3.

#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>

#include "ssn/bytes.h"
#include "ssn/status.h"

namespace ssn {

inline constexpr std::size_t kOneTimeMacKeyBytes = 32;
inline constexpr std::size_t kOneTimeMacTagBytes = 16;
using OneTimeMacTag = std::array<std::uint8_t, kOneTimeMacTagBytes>;

// OneTimeMac computes the tag of the concatenation of `parts`. Whoever needs the parts kept apart puts
// their lengths into the message.
Result<OneTimeMacTag> OneTimeMac(ByteSpan key, std::initializer_list<ByteSpan> parts);

// VerifyOneTimeMac is true if `tag` is the tag of `parts`; false too when it could not be computed.
bool VerifyOneTimeMac(ByteSpan key, std::initializer_list<ByteSpan> parts, ByteSpan tag);

// OneTimeMacContext computes tags of messages that come piece by piece, one message after the other: Start,
// Add as often as needed, Finish. It can be used again after any failure.
class OneTimeMacContext {
 public:
  OneTimeMacContext() noexcept;
  OneTimeMacContext(OneTimeMacContext&&) noexcept;
  OneTimeMacContext& operator=(OneTimeMacContext&&) noexcept;
  ~OneTimeMacContext();

  Status Start(ByteSpan key);
  // REQUIRES: Start succeeded, and no Finish since.
  Status Add(ByteSpan part);
  // Finish wipes the key out of the context.
  Result<OneTimeMacTag> Finish();

 private:
  struct Deleter {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, Deleter> context_;  // OpenSSL's, made by the first Start
};

}  // namespace ssn
