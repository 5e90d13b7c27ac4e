// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/session_id.h"

#include <algorithm>
#include <string_view>

#include "ssn/secret.h"

namespace ssn::provider {
namespace {

bool Hash(AesGcmLibrary& library, std::string_view label, ByteSpan key, ByteSpan iv, SessionId& digest) {
  std::array<std::uint8_t, 64> text{};
  std::size_t size = 0;
  for (const char c : label) text[size++] = static_cast<std::uint8_t>(c);
  for (const ByteSpan part : {key, iv})
    for (const std::uint8_t byte : part) text[size++] = byte;
  std::size_t written = 0;
  const int done = EVP_Q_digest(library.context(), "SHA256", "provider=default", text.data(), size,
                                digest.data(), &written);
  Wipe(text);
  return done == 1 && written == digest.size();
}

}  // namespace

bool MakeSessionId(AesGcmLibrary& library, ByteSpan key, SessionId& id) {
  return Hash(library, "ssnotp 1 session", key, {}, id);
}

bool MakeStreamId(AesGcmLibrary& library, ByteSpan key, ByteSpan first_iv, StreamId& id) {
  SessionId digest;
  if (!Hash(library, "ssnotp 1 stream", key, first_iv, digest)) return false;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return true;
}

}  // namespace ssn::provider
