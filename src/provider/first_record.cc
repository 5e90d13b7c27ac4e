// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/first_record.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "ssn/secret.h"

namespace ssn::provider {
namespace {

constexpr char kNodeLabel[] = "ssnotp 1 node";
constexpr std::size_t kShortTagBytes = 12;

}  // namespace

void FirstRecord::Clear() noexcept {
  Wipe(bytes_);
  size_ = 0;
}

void FirstRecord::Add(ByteSpan plaintext) noexcept {
  const std::size_t room = bytes_.size() - std::min(size_, bytes_.size());
  std::copy_n(plaintext.begin(), std::min(room, plaintext.size()),
              bytes_.begin() + static_cast<std::ptrdiff_t>(bytes_.size() - room));
  size_ += plaintext.size();
}

// One nonce, one message: of the tags that could be made for it only this one ever leaves the process.
bool SealFirstRecord(AesGcmLibrary& library, ByteSpan key, ByteSpan iv, ByteSpan plaintext, NodeId self,
                     MutableByteSpan tag_field) {
  std::array<std::uint8_t, 4> id;
  for (unsigned i = 0; i < id.size(); ++i) id[i] = static_cast<std::uint8_t>(self >> 8 * i);
  std::array<std::uint8_t, kFirstRecordBytes> ciphertext;
  std::array<std::uint8_t, kTagBytes> tag;
  std::size_t written = 0;
  AesGcm aes(library);
  if (plaintext.size() > ciphertext.size() || !aes.ok() || aes.Init(true, key.data(), iv.data()) != 1 ||
      aes.Update(nullptr, &written, reinterpret_cast<const std::uint8_t*>(kNodeLabel), sizeof kNodeLabel) !=
          1 ||
      aes.Update(nullptr, &written, id.data(), id.size()) != 1 ||
      aes.Update(ciphertext.data(), &written, plaintext.data(), plaintext.size()) != 1 ||
      aes.Final(nullptr, &written, 0) != 1 || aes.GetTag(tag) != 1)
    return false;
  std::copy_n(tag.begin(), kShortTagBytes, tag_field.begin());
  std::copy(id.begin(), id.end(), tag_field.begin() + kShortTagBytes);
  return true;
}

// Whoever can make the ciphertext from the plaintext can make the tag as well: nothing is decrypted twice.
std::optional<NodeId> OpenFirstRecord(AesGcmLibrary& library, ByteSpan key, ByteSpan iv, ByteSpan plaintext,
                                      ByteSpan tag_field) {
  NodeId node = 0;
  for (unsigned i = 0; i < 4; ++i) node |= static_cast<NodeId>(tag_field[kShortTagBytes + i]) << 8 * i;
  std::array<std::uint8_t, kTagBytes> expected;
  if (!SealFirstRecord(library, key, iv, plaintext, node, expected) ||
      CRYPTO_memcmp(expected.data(), tag_field.data(), kShortTagBytes) != 0)
    return std::nullopt;
  return node;
}

}  // namespace ssn::provider
