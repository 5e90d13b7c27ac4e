// SPDX-License-Identifier: LGPL-2.1-or-later
// base64.h - strict base64 of key material, from and to memory the caller owns.
//
// Shapes:    text is whole groups of four characters, `=` only at its end.
// Errors:    bad characters, bad padding and trailing bits that are not zero are refused: every sequence of
//            bytes has exactly one text.
// Ownership: nothing is kept.
// Threads:   pure functions.
// Spec:      RFC 4648, section 4.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "ssn/bytes.h"

namespace ssn::qkdn::etsi014 {

// Base64Size is the number of characters for `bytes` bytes.
constexpr std::size_t Base64Size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

// DecodedSize tells from length and padding how many bytes `text` stands for; nothing if it cannot be base64.
std::optional<std::size_t> DecodedSize(std::string_view text);

// DecodeBase64 fills `out`, or answers false; `out` then holds nothing of use.
// REQUIRES: out.size() == DecodedSize(text).
bool DecodeBase64(std::string_view text, MutableByteSpan out);

// EncodeBase64 writes Base64Size(bytes.size()) characters to `text`, and one zero behind them.
void EncodeBase64(ByteSpan bytes, char* text);

}  // namespace ssn::qkdn::etsi014
