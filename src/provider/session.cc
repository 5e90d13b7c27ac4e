// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/session.h"

#include <unistd.h>

#include "provider/session_id.h"
#include "ssn/secret.h"

namespace ssn::provider {
namespace {

// The peer rejects it, and learns nothing from it.
Session::Tag RandomTag() {
  Session::Tag tag{};
  if (getentropy(tag.data(), tag.size()) != 0) tag.fill(0);
  return tag;
}

Session::Tag AesTag(AesGcm& aes) {
  Session::Tag tag;
  std::size_t written = 0;
  return aes.Final(nullptr, &written, 0) == 1 && aes.GetTag(tag) == 1 ? tag : RandomTag();
}

bool AesVerifies(AesGcm& aes, const Session::Tag& tag) {
  std::size_t written = 0;
  return aes.SetTag(tag) == 1 && aes.Final(nullptr, &written, 0) == 1;
}

}  // namespace

Session::~Session() { Wipe(key_); }

bool Session::Next(const FirstIv& iv) noexcept {
  if (begun_) return false;
  first_iv_ = iv;
  return begun_ = true;
}

void Session::RunAes(ByteSpan in, MutableByteSpan out) {
  std::size_t written = 0;
  if (aes_.Update(out.data(), &written, in.data(), in.size()) != 1 || written != out.size()) Wipe(out);
}

bool Session::Identify() {
  return MakeSessionId(services_.aes, key_, session_) &&
         MakeStreamId(services_.aes, key_, first_iv_, stream_);
}

TransmitSession::~TransmitSession() {
  if (attached_) services_.client->Detach(stream_);
}

void TransmitSession::End() noexcept {
  state_ = State::kEnded;
  sender_.reset();
}

void TransmitSession::BeginRecord(const FirstIv& iv) {
  const bool first = Next(iv);
  if (!first && undecided()) End();  // record 0 was left unfinished
  if (state_ == State::kOpen) FindPeer();
  if (first || state_ == State::kAes) aes_.Init(true, nullptr, iv.data());
  if (sender_) sender_->BeginRecord();
}

// The peer's record 0 has come before Ceph sends a record 1: it says to whom this half speaks.
void TransmitSession::FindPeer() {
  const auto peer = services_.peers.Find(session_, first_iv_);
  const auto self = services_.client->Self();
  if (!peer || !self.ok()) return End();
  state_ = peer->same_node ? State::kAes : State::kPad;
  if (peer->same_node) return;
  sender_.emplace(*services_.client, StreamLabel{stream_, self.value().id, peer->node}, services_.wait);
}

void TransmitSession::Update(ByteSpan in, MutableByteSpan out) {
  if (undecided()) first_.Add(in);  // before it is overwritten
  if (undecided() || state_ == State::kAes)
    RunAes(in, out);
  else if (sender_)
    sender_->Update(in, out);
  else
    Wipe(out);
}

Session::Tag TransmitSession::Finish() {
  if (state_ == State::kAes) return AesTag(aes_);
  if (undecided() && !first_.IsMsgr2()) {
    state_ = State::kForeign;
    return AesTag(aes_);
  }
  Tag tag{};
  if (sender_) {
    sender_->Finish(tag);
  } else if (!undecided() || !SealFirst(tag)) {
    End();
    tag = RandomTag();
  }
  return tag;
}

bool TransmitSession::SealFirst(Tag& tag) {
  state_ = State::kOpen;
  const auto self = services_.client->Self();
  // The proxy has to know this half before the peer can ask for it.
  // One that did not answer in time may yet do it.
  attached_ = self.ok() && Identify();
  const bool sealed =
      attached_ && services_.client->Attach(stream_, services_.wait).ok() &&
      SealFirstRecord(services_.aes, key_, first_iv_, first_.plaintext(), self.value().id, tag);
  first_.Clear();
  Wipe(key_);
  return sealed;
}

ReceiveSession::~ReceiveSession() {
  if (in_table_) services_.peers.Remove(session_, first_iv_);
}

void ReceiveSession::End() noexcept {
  state_ = State::kEnded;
  receiver_.reset();
}

void ReceiveSession::BeginRecord(const FirstIv& iv) {
  const bool first = Next(iv);
  if (!first && undecided()) End();
  if (first || state_ == State::kAes) aes_.Init(false, nullptr, iv.data());
  if (receiver_) receiver_->BeginRecord();
}

void ReceiveSession::Update(ByteSpan in, MutableByteSpan out) {
  if (undecided() || state_ == State::kAes)
    RunAes(in, out);
  else if (receiver_)
    receiver_->Update(in, out);
  else
    Wipe(out);
  if (undecided()) first_.Add(out);
}

bool ReceiveSession::Finish(const Tag& tag) {
  if (state_ == State::kAes) return AesVerifies(aes_, tag);
  if (undecided() && !first_.IsMsgr2()) {
    state_ = State::kForeign;
    return AesVerifies(aes_, tag);
  }
  if (receiver_) return receiver_->Finish(tag);
  if (undecided() && OpenFirst(tag)) return true;
  End();
  return false;
}

bool ReceiveSession::OpenFirst(const Tag& tag) {
  const auto sender = OpenFirstRecord(services_.aes, key_, first_iv_, first_.plaintext(), tag);
  const bool admitted = sender && Identify() && Admit(*sender);
  first_.Clear();
  Wipe(key_);
  if (!admitted) return false;
  in_table_ = true;
  services_.peers.Add(session_, first_iv_, {*sender, state_ == State::kAes});
  return true;
}

// Makes ready for what the sender's node sends from record 1 on. False: it cannot be received.
bool ReceiveSession::Admit(NodeId sender) {
  PadClient& client = *services_.client;
  const auto self = client.Self();
  if (!self.ok()) return false;
  if (sender == self.value().id) {
    const auto here = client.IsAttached(stream_, services_.wait);
    if (!here.ok() || !here.value()) return false;  // another host has our number
    state_ = State::kAes;
    return true;
  }
  auto pad = client.Open(stream_, sender, PadDirection::kReceive, 0, services_.wait);
  if (!pad.ok()) return false;
  state_ = State::kPad;
  receiver_.emplace(std::move(pad).value(), StreamLabel{stream_, sender, self.value().id}, services_.wait);
  return true;
}

}  // namespace ssn::provider
