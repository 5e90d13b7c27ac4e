// SPDX-License-Identifier: LGPL-2.1-or-later
// session.h - the two halves of a msgr2 session, as the records that its one key and two sequences of IVs
// belong to.
//
// Errors:    none but in ReceiveSession::Finish: Ceph ends the whole daemon when anything else fails. A half
//            that cannot go on sends what the peer rejects, or rejects what it receives.
// Ownership: the AES context is the caller's and outlives the half; key and plaintext kept here are wiped.
// Threads:   one at a time, each half by itself.
// Spec:      SESSION.md.

#pragma once

#include <optional>

#include "provider/first_record.h"
#include "provider/otp_receiver.h"
#include "provider/otp_sender.h"
#include "provider/peer_table.h"
#include "provider/services.h"

namespace ssn::provider {

// What both halves have: the key they were made with, and where they stand.
class Session {
 public:
  using Key = std::array<std::uint8_t, kAesKeyBytes>;
  using Tag = std::array<std::uint8_t, kTagBytes>;

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // True once record 0 was found to be none of msgr2: from there on the caller uses AES alone.
  bool foreign() const noexcept { return state_ == State::kForeign; }
  // True as long as it could still be found so.
  bool undecided() const noexcept { return state_ == State::kFirstRecord; }

 protected:
  enum class State {
    kFirstRecord,
    kForeign,
    kOpen,   // record 0 is done, no other has begun
    kAes,    // the peer is on this node
    kPad,    // it is on another
    kEnded,  // whatever comes is rejected
  };
  Session(Services& services, AesGcm& aes, const Key& key) : services_(services), aes_(aes), key_(key) {}
  ~Session();

  // True if this record is the first one.
  bool Next(const FirstIv& iv) noexcept;
  void RunAes(ByteSpan in, MutableByteSpan out);
  // Makes the ids out of key and first IV; false if OpenSSL failed.
  bool Identify();

  Services& services_;
  AesGcm& aes_;
  State state_ = State::kFirstRecord;
  Key key_;  // wiped after record 0
  FirstIv first_iv_{};
  bool begun_ = false;
  FirstRecord first_;
  SessionId session_{};
  StreamId stream_{};  // of this half's direction
};

class TransmitSession : public Session {
 public:
  TransmitSession(Services& services, AesGcm& aes, const Key& key) : Session(services, aes, key) {}
  ~TransmitSession();

  void BeginRecord(const FirstIv& iv);
  void Update(ByteSpan in, MutableByteSpan out);
  Tag Finish();
  void End() noexcept;

 private:
  void FindPeer();
  bool SealFirst(Tag& tag);

  bool attached_ = false;
  std::optional<OtpSender> sender_;
};

class ReceiveSession : public Session {
 public:
  ReceiveSession(Services& services, AesGcm& aes, const Key& key) : Session(services, aes, key) {}
  ~ReceiveSession();

  void BeginRecord(const FirstIv& iv);
  void Update(ByteSpan in, MutableByteSpan out);
  [[nodiscard]] bool Finish(const Tag& tag);
  void End() noexcept;

 private:
  bool OpenFirst(const Tag& tag);
  bool Admit(NodeId sender);

  bool in_table_ = false;
  std::optional<OtpReceiver> receiver_;
};

}  // namespace ssn::provider
