// SPDX-License-Identifier: LGPL-2.1-or-later
// session_id.h - names of a session and of its two directions, made from the key both ends have.
//
// Errors:    false if OpenSSL failed.
// Threads:   any number.
// Spec:      SESSION.md, "Names".

#pragma once

#include <array>

#include "provider/aes_gcm.h"
#include "ssn/pad_client.h"

namespace ssn::provider {

using SessionId = std::array<std::uint8_t, 32>;

// Both halves of a session at one end find each other by it; it never leaves the process.
bool MakeSessionId(AesGcmLibrary& library, ByteSpan key, SessionId& id);
// The stream of pad of the direction that begins with this IV.
bool MakeStreamId(AesGcmLibrary& library, ByteSpan key, ByteSpan first_iv, StreamId& id);

}  // namespace ssn::provider
