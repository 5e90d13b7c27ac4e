// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/protocol/north.h"

#include <utility>

#include "qkdn/protocol/byte_codec.h"

namespace ssn::qkdn::north {
namespace {

enum class Type : std::uint8_t {
  kHello = 1,
  kOpen = 2,
  kMore = 3,
  kRelease = 4,
  kClose = 5,
  kGetStatus = 6,
  kAttach = 7,
  kDetach = 8,
  kFind = 9,
  kWelcome = 129,
  kOpened = 130,
  kGrant = 131,
  kDone = 132,
  kRefused = 133,
  kEnded = 134,
  kStatusText = 135,
};

constexpr std::size_t kStatusTextHeaderBytes = 10;

Writer Start(Type type) {
  Writer writer;
  writer.U8(kVersion);
  writer.U8(static_cast<std::uint8_t>(type));
  writer.U16(0);
  return writer;
}

// One overload for each message writes its fields, another reads them, in the order of the struct.

Writer Write(const Hello& m) {
  Writer w = Start(Type::kHello);
  w.U64(m.window_bytes);
  w.ShortText(m.program, kMaxNameBytes);
  return w;
}

void Read(Reader& r, Hello& m) {
  m.window_bytes = r.U64("window_bytes");
  m.program = r.ShortText("program", 1, kMaxNameBytes);
}

Writer Write(const Open& m) {
  Writer w = Start(Type::kOpen);
  w.U32(m.request);
  w.Bytes(m.stream);
  w.U32(m.peer);
  w.U8(static_cast<std::uint8_t>(m.direction));
  w.U8(static_cast<std::uint8_t>(m.kind));
  w.U64(m.need);
  w.U64(m.want);
  w.U32(m.wait_ms);
  return w;
}

void CheckAmounts(Reader& r, std::uint64_t need, std::uint64_t want, std::uint32_t wait_ms) {
  if (want < need) r.Fail("want", std::to_string(want) + " is less than need=" + std::to_string(need));
  if (wait_ms > kMaxWaitMs)
    r.Fail("wait_ms", std::to_string(wait_ms) + " is more than " + std::to_string(kMaxWaitMs));
}

void Read(Reader& r, Open& m) {
  m.request = r.U32("request");
  r.Bytes("stream", m.stream);
  m.peer = r.U32("peer");
  m.direction = r.Choice("direction", PadDirection::kTransmit, PadDirection::kReceive);
  m.kind = r.Choice("kind", StreamKind::kSession, StreamKind::kEnvelope);
  m.need = r.U64("need");
  m.want = r.U64("want");
  m.wait_ms = r.U32("wait_ms");
  CheckAmounts(r, m.need, m.want, m.wait_ms);
  if (m.direction == PadDirection::kReceive && m.want != 0)
    r.Fail("want", std::to_string(m.want) + " on a stream to receive, which takes no amounts");
}

Writer Write(const More& m) {
  Writer w = Start(Type::kMore);
  w.U32(m.request);
  w.U32(m.handle);
  w.U64(m.need);
  w.U64(m.want);
  w.U32(m.wait_ms);
  return w;
}

void Read(Reader& r, More& m) {
  m.request = r.U32("request");
  m.handle = r.U32("handle");
  m.need = r.U64("need");
  m.want = r.U64("want");
  m.wait_ms = r.U32("wait_ms");
  CheckAmounts(r, m.need, m.want, m.wait_ms);
}

Writer Write(const Release& m) {
  Writer w = Start(Type::kRelease);
  w.U32(m.handle);
  w.U64(m.offset);
  return w;
}

void Read(Reader& r, Release& m) {
  m.handle = r.U32("handle");
  m.offset = r.U64("offset");
}

Writer Write(const Close& m) {
  Writer w = Start(Type::kClose);
  w.U32(m.handle);
  return w;
}

void Read(Reader& r, Close& m) { m.handle = r.U32("handle"); }

Writer Write(const GetStatus& m) {
  Writer w = Start(Type::kGetStatus);
  w.U32(m.request);
  return w;
}

void Read(Reader& r, GetStatus& m) { m.request = r.U32("request"); }

Writer Write(const Attach& m) {
  Writer w = Start(Type::kAttach);
  w.U32(m.request);
  w.Bytes(m.stream);
  return w;
}

void Read(Reader& r, Attach& m) {
  m.request = r.U32("request");
  r.Bytes("stream", m.stream);
}

Writer Write(const Detach& m) {
  Writer w = Start(Type::kDetach);
  w.Bytes(m.stream);
  return w;
}

void Read(Reader& r, Detach& m) { r.Bytes("stream", m.stream); }

Writer Write(const Find& m) {
  Writer w = Start(Type::kFind);
  w.U32(m.request);
  w.Bytes(m.stream);
  return w;
}

void Read(Reader& r, Find& m) {
  m.request = r.U32("request");
  r.Bytes("stream", m.stream);
}

Writer Write(const Welcome& m) {
  Writer w = Start(Type::kWelcome);
  w.U32(m.node);
  w.U64(m.window_bytes);
  w.ShortText(m.node_name, kMaxNameBytes);
  return w;
}

void Read(Reader& r, Welcome& m) {
  m.node = r.U32("node");
  m.window_bytes = r.U64("window_bytes");
  m.node_name = r.ShortText("node_name", 1, kMaxNameBytes);
}

Writer Write(const Opened& m) {
  Writer w = Start(Type::kOpened);
  w.U32(m.request);
  w.U32(m.handle);
  w.Bytes(m.epoch);
  return w;
}

void Read(Reader& r, Opened& m) {
  m.request = r.U32("request");
  m.handle = r.U32("handle");
  r.Bytes("epoch", m.epoch);
}

Writer Write(const Grant& m) {
  Writer w = Start(Type::kGrant);
  w.U32(m.handle);
  w.U64(m.offset);
  w.U64(m.position);
  w.U64(m.window_offset);
  w.U64(m.length);
  return w;
}

void Read(Reader& r, Grant& m) {
  m.handle = r.U32("handle");
  m.offset = r.U64("offset");
  m.position = r.U64("position");
  m.window_offset = r.U64("window_offset");
  m.length = r.U64("length");
  if (m.length == 0) r.Fail("length", "0 bytes are no grant");
  // Whoever adds a length to a start need not fear a sum that wraps.
  for (const std::uint64_t start : {m.offset, m.position, m.window_offset})
    if (m.length > UINT64_MAX - start) r.Fail("length", std::to_string(m.length) + " goes beyond 2^64");
}

Writer Write(const Done& m) {
  Writer w = Start(Type::kDone);
  w.U32(m.request);
  return w;
}

void Read(Reader& r, Done& m) { m.request = r.U32("request"); }

Writer Write(const Refused& m) {
  Writer w = Start(Type::kRefused);
  w.U32(m.request);
  w.U16(static_cast<std::uint16_t>(m.reason));
  w.ShortText(m.message);
  return w;
}

void Read(Reader& r, Refused& m) {
  m.request = r.U32("request");
  m.reason = r.Choice("reason", Refusal::kMalformed, Refusal::kNoSuchStream);
  m.message = r.ShortText("message");
}

Writer Write(const Ended& m) {
  Writer w = Start(Type::kEnded);
  w.U32(m.handle);
  w.U16(static_cast<std::uint16_t>(m.reason));
  return w;
}

void Read(Reader& r, Ended& m) {
  m.handle = r.U32("handle");
  m.reason = r.Choice("reason", Refusal::kMalformed, Refusal::kNoSuchStream);
}

Writer Write(const StatusText& m) {
  Writer w = Start(Type::kStatusText);
  w.U32(m.request);
  w.LongText(m.json, kMaxMessageBytes - kStatusTextHeaderBytes);
  return w;
}

void Read(Reader& r, StatusText& m) {
  m.request = r.U32("request");
  m.json = r.LongText("json");
}

template <typename Message, typename Side>
Result<Side> Finish(Reader& reader, const char* name) {
  Message message;
  Read(reader, message);
  reader.End();
  if (!reader.ok()) return Status::InvalidArgument(std::string(name) + ": " + reader.status().message());
  return Side(std::move(message));
}

// The common start; the type is 0 when it is wrong.
std::uint8_t ReadStart(Reader& reader, ByteSpan datagram) {
  const std::uint8_t version = reader.U8("version");
  const std::uint8_t type = reader.U8("type");
  const std::uint16_t zero = reader.U16("zero");
  if (reader.ok() && version != kVersion)
    reader.Fail("version",
                std::to_string(version) + ", only " + std::to_string(kVersion) + " is spoken here");
  if (zero != 0) reader.Fail("zero", std::to_string(zero) + " where 0 is reserved");
  if (datagram.size() > kMaxMessageBytes)
    reader.Fail("datagram",
                std::to_string(datagram.size()) + " bytes are more than " + std::to_string(kMaxMessageBytes));
  return reader.ok() ? type : std::uint8_t{0};
}

Status BadStart(const Reader& reader, std::uint8_t type) {
  if (!reader.ok()) return reader.status();
  return Status::InvalidArgument("type: " + std::to_string(type) + " is not sent by this side");
}

}  // namespace

std::vector<std::uint8_t> Encode(const FromProgram& message) {
  return std::visit([](const auto& m) { return Write(m).Take(); }, message);
}

std::vector<std::uint8_t> Encode(const FromProxy& message) {
  return std::visit([](const auto& m) { return Write(m).Take(); }, message);
}

Result<FromProgram> DecodeFromProgram(ByteSpan datagram) {
  Reader reader(datagram);
  const std::uint8_t type = ReadStart(reader, datagram);
  switch (static_cast<Type>(type)) {
    case Type::kHello:
      return Finish<Hello, FromProgram>(reader, "Hello");
    case Type::kOpen:
      return Finish<Open, FromProgram>(reader, "Open");
    case Type::kMore:
      return Finish<More, FromProgram>(reader, "More");
    case Type::kRelease:
      return Finish<Release, FromProgram>(reader, "Release");
    case Type::kClose:
      return Finish<Close, FromProgram>(reader, "Close");
    case Type::kGetStatus:
      return Finish<GetStatus, FromProgram>(reader, "GetStatus");
    case Type::kAttach:
      return Finish<Attach, FromProgram>(reader, "Attach");
    case Type::kDetach:
      return Finish<Detach, FromProgram>(reader, "Detach");
    case Type::kFind:
      return Finish<Find, FromProgram>(reader, "Find");
    default:
      return BadStart(reader, type);
  }
}

Result<FromProxy> DecodeFromProxy(ByteSpan datagram) {
  Reader reader(datagram);
  const std::uint8_t type = ReadStart(reader, datagram);
  switch (static_cast<Type>(type)) {
    case Type::kWelcome:
      return Finish<Welcome, FromProxy>(reader, "Welcome");
    case Type::kOpened:
      return Finish<Opened, FromProxy>(reader, "Opened");
    case Type::kGrant:
      return Finish<Grant, FromProxy>(reader, "Grant");
    case Type::kDone:
      return Finish<Done, FromProxy>(reader, "Done");
    case Type::kRefused:
      return Finish<Refused, FromProxy>(reader, "Refused");
    case Type::kEnded:
      return Finish<Ended, FromProxy>(reader, "Ended");
    case Type::kStatusText:
      return Finish<StatusText, FromProxy>(reader, "StatusText");
    default:
      return BadStart(reader, type);
  }
}

}  // namespace ssn::qkdn::north
