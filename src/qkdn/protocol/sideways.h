// SPDX-License-Identifier: LGPL-2.1-or-later
// sideways.h - the messages between the proxies of two trusted nodes.
//
// Shapes:    a frame is a u32 length, then that many bytes: u8 type and the fields in the order of the
//            structs; integers are little-endian. Frames travel in a TLS 1.3 connection with certificates
//            on both sides.
// Errors:    Decode answers kInvalidArgument that names the field; any bytes are safe to decode.
// Threads:   pure functions.
// Spec:      SIDEWAYS.md beside this file.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "qkdn/protocol/north.h"
#include "ssn/bytes.h"
#include "ssn/one_time_mac.h"
#include "ssn/pad_client.h"
#include "ssn/status.h"

namespace ssn::qkdn::sideways {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kFrameHeaderBytes = 4;
inline constexpr std::size_t kMaxFrameBytes = std::size_t{1} << 18;
inline constexpr std::size_t kMaxKeyIdBytes = 128;
inline constexpr std::size_t kMaxKeysPerBatch = 1024;

// Random; a new one whenever a proxy forgets what it had agreed on over this link. All zero: none known.
using Instance = std::array<std::uint8_t, 8>;

// First frame in both directions. Positions are those of the ordered pairs "from me" (tx) and "to me" (rx).
struct Hello {
  std::uint8_t version = kVersion;
  NodeId node = 0;
  Instance instance{};
  Instance known_peer{};
  std::uint64_t capacity = 0;  // bytes of agreed pad this side can hold of one direction
  std::uint64_t tx_next = 0;   // all pad below was announced in a Grant, or burnt
  std::uint64_t tx_end = 0;
  std::uint64_t rx_end = 0;
};

// Transmitter to receiver: fetch these keys from your KME.
struct Keys {
  std::uint32_t batch = 0;
  std::uint32_t key_bytes = 0;
  std::vector<std::string> ids;
};
// Receiver to transmitter: fetched or not, and the one-time MAC of all but the first 32 bytes under these 32
// bytes.
struct KeysCheck {
  std::uint32_t batch = 0;
  bool fetched = false;
  OneTimeMacTag tag{};
};
// Transmitter to receiver: agreed keys, less their first 32 bytes, are the pad from `position` on.
struct KeysVerdict {
  std::uint32_t batch = 0;
  bool agreed = false;
  std::uint64_t position = 0;
};
// Transmitter to receiver: keys that nobody will use; fetch and wipe them.
struct DiscardKeys {
  std::vector<std::string> ids;
};

// Transmitter to receiver: this pad belongs to this stream. Positions only grow; what is skipped is burnt.
struct Grant {
  StreamId stream{};
  north::StreamKind kind = north::StreamKind::kSession;
  std::uint64_t offset = 0;
  std::uint64_t position = 0;
  std::uint64_t length = 0;
};
// Receiver to transmitter, one for each Grant, in order.
struct GrantAck {
  std::uint64_t position = 0;
  bool taken = false;   // false: burnt at the receiver; the transmitter burns it too and ends the stream
  bool opened = false;  // a program of the receiver has opened the stream
};
struct StreamOpened {  // receiver to transmitter
  StreamId stream{};
};
struct StreamClosed {  // either way
  StreamId stream{};
  bool by_transmitter = false;
};
struct Ping {
  std::uint64_t token = 0;
};
struct Pong {
  std::uint64_t token = 0;
};

using Message = std::variant<Hello, Keys, KeysCheck, KeysVerdict, DiscardKeys, Grant, GrantAck, StreamOpened,
                             StreamClosed, Ping, Pong>;

// Encode gives the whole frame, length included.
std::vector<std::uint8_t> Encode(const Message& message);
// Decode takes a frame without its length.
Result<Message> Decode(ByteSpan frame);

}  // namespace ssn::qkdn::sideways
