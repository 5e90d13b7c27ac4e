// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/etsi014/base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace ssn::qkdn::etsi014 {
namespace {

// OpenSSL counts in int.
constexpr std::size_t kPieceBytes = std::size_t{3} << 24;
constexpr std::size_t kPieceChars = Base64Size(kPieceBytes);

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Whole groups without padding. EVP_DecodeBlock reads `=` as zero bits wherever it stands and drops white
// space at both ends; the first is looked for here, the second shows in the count.
bool DecodeGroups(std::string_view text, std::uint8_t* out) {
  if (text.find('=') != std::string_view::npos) return false;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, kPieceChars);
    const int got = EVP_DecodeBlock(out, Bytes(piece), static_cast<int>(piece.size()));
    if (got < 0 || static_cast<std::size_t>(got) != piece.size() / 4 * 3) return false;
    out += got;
    text.remove_prefix(piece.size());
  }
  return true;
}

// The last group may hold padding. It is right if its bytes encode to the same four characters again.
bool DecodeLastGroup(std::string_view group, MutableByteSpan out) {
  std::array<std::uint8_t, 3> bytes{};
  std::array<char, 5> again{};
  bool right = EVP_DecodeBlock(bytes.data(), Bytes(group), 4) == 3;
  if (right) {
    EncodeBase64(ByteSpan(bytes).first(out.size()), again.data());
    right = CRYPTO_memcmp(again.data(), group.data(), group.size()) == 0;
    std::copy_n(bytes.begin(), out.size(), out.begin());
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
  OPENSSL_cleanse(again.data(), again.size());
  return right;
}

}  // namespace

std::optional<std::size_t> DecodedSize(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - padding;
}

bool DecodeBase64(std::string_view text, MutableByteSpan out) {
  if (text.empty()) return true;
  const std::size_t groups = text.size() - 4;
  return DecodeGroups(text.substr(0, groups), out.data()) &&
         DecodeLastGroup(text.substr(groups), out.subspan(groups / 4 * 3));
}

void EncodeBase64(ByteSpan bytes, char* text) {
  *text = '\0';
  while (!bytes.empty()) {
    const ByteSpan piece = bytes.first(std::min(bytes.size(), kPieceBytes));
    text +=
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text), piece.data(), static_cast<int>(piece.size()));
    bytes = bytes.subspan(piece.size());
  }
}

}  // namespace ssn::qkdn::etsi014
