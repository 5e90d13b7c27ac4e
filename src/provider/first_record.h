// SPDX-License-Identifier: LGPL-2.1-or-later
// first_record.h - record 0 of each direction of a session: AES-128-GCM, whose tag field also says on which
// trusted node the sender is.
//
// Shapes:    tag field of 16 bytes: 12 bytes of the tag, 4 of the node's id, little-endian. The tag is that
//            of GCM with kNodeLabel and the id as associated data; key, IV and ciphertext are those of
//            msgr2.
// Errors:    SealFirstRecord is false if OpenSSL failed; OpenFirstRecord says nothing of a record that is
//            not authentic.
// Ownership: what is kept of the plaintext is wiped at the end.
// Timing:    the comparison of tags is constant in them.
// Threads:   no locking of its own.
// Spec:      SESSION.md, "Record 0".

#pragma once

#include <array>
#include <optional>

#include "provider/aes_gcm.h"
#include "provider/msgr2_frame.h"
#include "ssn/pad_client.h"

namespace ssn::provider {

// The plaintext of a record as far as it can be record 0 of msgr2.
class FirstRecord {
 public:
  ~FirstRecord() { Clear(); }
  void Clear() noexcept;
  void Add(ByteSpan plaintext) noexcept;
  // Whole and as msgr2 writes it; anything else belongs to another user of AES-128-GCM.
  bool IsMsgr2() const noexcept { return size_ == bytes_.size() && ParseFrame(bytes_).has_value(); }
  ByteSpan plaintext() const noexcept { return bytes_; }

 private:
  std::array<std::uint8_t, kFirstRecordBytes> bytes_{};
  std::size_t size_ = 0;  // above kFirstRecordBytes: more came than is kept
};

bool SealFirstRecord(AesGcmLibrary& library, ByteSpan key, ByteSpan iv, ByteSpan plaintext, NodeId self,
                     MutableByteSpan tag_field);
// The node of the sender.
std::optional<NodeId> OpenFirstRecord(AesGcmLibrary& library, ByteSpan key, ByteSpan iv, ByteSpan plaintext,
                                      ByteSpan tag_field);

}  // namespace ssn::provider
