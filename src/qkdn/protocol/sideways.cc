// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/protocol/sideways.h"

#include <type_traits>
#include <utility>

#include "qkdn/protocol/byte_codec.h"

namespace ssn::qkdn::sideways {
namespace {

// The type of a message is its place in the variant, from 1.
template <std::size_t I = 0>
bool MakeOfType(std::uint8_t type, Message& message) {
  if constexpr (I == std::variant_size_v<Message>) {
    return false;
  } else {
    if (type != I + 1) return MakeOfType<I + 1>(type, message);
    message.emplace<I>();
    return true;
  }
}

bool ReadBool(Reader& r, std::string_view field) {
  const std::uint8_t value = r.U8(field);
  if (value > 1) r.Fail(field, "neither 0 nor 1");
  return value == 1;
}

void WriteIds(Writer& w, const std::vector<std::string>& ids) {
  w.U16(static_cast<std::uint16_t>(ids.size()));
  for (const std::string& id : ids) w.ShortText(id, kMaxKeyIdBytes);
}

std::vector<std::string> ReadIds(Reader& r) {
  std::vector<std::string> ids;
  const std::uint16_t count = r.U16("number of key ids");
  if (count == 0 || count > kMaxKeysPerBatch)
    r.Fail("number of key ids", std::to_string(count) + " is outside 1.." + std::to_string(kMaxKeysPerBatch));
  for (std::uint16_t i = 0; i < count && r.ok(); ++i) ids.push_back(r.ShortText("key id", 1, kMaxKeyIdBytes));
  return ids;
}

// One overload for each message writes its fields, another reads them, in the order of the struct.

void Write(Writer& w, const Hello& m) {
  w.U8(m.version);
  w.U32(m.node);
  w.Bytes(m.instance);
  w.Bytes(m.known_peer);
  w.U64(m.capacity);
  w.U64(m.tx_next);
  w.U64(m.tx_end);
  w.U64(m.rx_end);
}
void Read(Reader& r, Hello& m) {
  m.version = r.U8("version");
  m.node = r.U32("node");
  if (m.version != kVersion) {  // the rest is for those who speak it
    (void)r.View("rest", r.left());
    return;
  }
  r.Bytes("instance", m.instance);
  r.Bytes("known_peer", m.known_peer);
  m.capacity = r.U64("capacity");
  m.tx_next = r.U64("tx_next");
  m.tx_end = r.U64("tx_end");
  m.rx_end = r.U64("rx_end");
}

void Write(Writer& w, const Keys& m) {
  w.U32(m.batch);
  w.U32(m.key_bytes);
  WriteIds(w, m.ids);
}
void Read(Reader& r, Keys& m) {
  m.batch = r.U32("batch");
  m.key_bytes = r.U32("key_bytes");
  m.ids = ReadIds(r);
}

void Write(Writer& w, const KeysCheck& m) {
  w.U32(m.batch);
  w.U8(m.fetched);
  w.Bytes(m.tag);
}
void Read(Reader& r, KeysCheck& m) {
  m.batch = r.U32("batch");
  m.fetched = ReadBool(r, "fetched");
  r.Bytes("tag", m.tag);
}

void Write(Writer& w, const KeysVerdict& m) {
  w.U32(m.batch);
  w.U8(m.agreed);
  w.U64(m.position);
}
void Read(Reader& r, KeysVerdict& m) {
  m.batch = r.U32("batch");
  m.agreed = ReadBool(r, "agreed");
  m.position = r.U64("position");
}

void Write(Writer& w, const DiscardKeys& m) { WriteIds(w, m.ids); }
void Read(Reader& r, DiscardKeys& m) { m.ids = ReadIds(r); }

void Write(Writer& w, const Grant& m) {
  w.Bytes(m.stream);
  w.U8(static_cast<std::uint8_t>(m.kind));
  w.U64(m.offset);
  w.U64(m.position);
  w.U64(m.length);
}
void Read(Reader& r, Grant& m) {
  r.Bytes("stream", m.stream);
  m.kind = r.Choice("kind", north::StreamKind::kSession, north::StreamKind::kEnvelope);
  m.offset = r.U64("offset");
  m.position = r.U64("position");
  m.length = r.U64("length");
}

void Write(Writer& w, const GrantAck& m) {
  w.U64(m.position);
  w.U8(m.taken);
  w.U8(m.opened);
}
void Read(Reader& r, GrantAck& m) {
  m.position = r.U64("position");
  m.taken = ReadBool(r, "taken");
  m.opened = ReadBool(r, "opened");
}

void Write(Writer& w, const StreamOpened& m) { w.Bytes(m.stream); }
void Read(Reader& r, StreamOpened& m) { r.Bytes("stream", m.stream); }

void Write(Writer& w, const StreamClosed& m) {
  w.Bytes(m.stream);
  w.U8(m.by_transmitter);
}
void Read(Reader& r, StreamClosed& m) {
  r.Bytes("stream", m.stream);
  m.by_transmitter = ReadBool(r, "by_transmitter");
}

void Write(Writer& w, const Ping& m) { w.U64(m.token); }
void Read(Reader& r, Ping& m) { m.token = r.U64("token"); }
void Write(Writer& w, const Pong& m) { w.U64(m.token); }
void Read(Reader& r, Pong& m) { m.token = r.U64("token"); }

}  // namespace

std::vector<std::uint8_t> Encode(const Message& message) {
  Writer fields;
  fields.U8(static_cast<std::uint8_t>(message.index() + 1));
  std::visit([&](const auto& m) { Write(fields, m); }, message);
  Writer frame;
  frame.U32(static_cast<std::uint32_t>(fields.size()));
  frame.Bytes(std::move(fields).Take());
  return std::move(frame).Take();
}

Result<Message> Decode(ByteSpan frame) {
  Reader r(frame);
  Message message;
  const std::uint8_t type = r.U8("type");
  if (r.ok() && !MakeOfType(type, message)) r.Fail("type", "no such message: " + std::to_string(type));
  if (r.ok()) std::visit([&](auto& m) { Read(r, m); }, message);
  r.End();
  if (!r.ok()) return r.status();
  return message;
}

}  // namespace ssn::qkdn::sideways
