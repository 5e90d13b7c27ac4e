// SPDX-License-Identifier: LGPL-2.1-or-later
// north.h - the messages between a local program and the qkdn-proxy of its node.
//
// Shapes:    one message is one datagram of a SOCK_SEQPACKET Unix socket, at most kMaxMessageBytes;
//            integers are little-endian. The memory for pad comes as a file descriptor beside Welcome.
// Errors:    Decode answers kInvalidArgument that names the field; any bytes are safe to decode.
// Threads:   pure functions.
// Spec:      NORTH.md beside this file.

#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ssn/bytes.h"
#include "ssn/pad_client.h"
#include "ssn/status.h"

namespace ssn::qkdn::north {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kMaxMessageBytes = 65536;
inline constexpr std::size_t kMaxNameBytes = 32;
inline constexpr std::uint32_t kMaxWaitMs = 10000;  // a longer wait is refused

enum class StreamKind : std::uint8_t {
  kSession =
      1,  // pad as it is asked for; its first grant is small until the other end has opened the stream too
  kEnvelope = 2,  // one grant of exactly the pad asked for, kept at the other end until it is fetched
};

enum class Refusal : std::uint16_t {
  kMalformed = 1,      // not a message of this protocol, or not now; the proxy closes the connection
  kNotPermitted = 2,   // user or group of the program; the proxy closes the connection
  kUnknownPeer = 3,    // no such node, or this node itself
  kStreamExists = 4,   // this id is or was in use in this direction
  kTooLarge = 5,       // more than the link can ever hold
  kDry = 6,            // no pad in time
  kLinkDown = 7,       // the other proxy is not connected
  kStreamEnded = 8,    // the other end closed it, or the link began a new epoch
  kWindowFull = 9,     // no room for that much pad at hand
  kNoSuchStream = 10,  // no stream of that handle, nothing kept for that envelope, or not attached here
};

// From the program. `request` is any number it likes; the answer repeats it.
struct Hello {
  std::uint64_t window_bytes = 0;
  std::string program;
};
struct Open {
  std::uint32_t request = 0;
  StreamId stream{};
  NodeId peer = 0;
  PadDirection direction = PadDirection::kTransmit;
  StreamKind kind = StreamKind::kSession;
  std::uint64_t need = 0;  // to transmit: as in More; to receive: 0
  std::uint64_t want = 0;
  std::uint32_t wait_ms = 0;
};
struct More {  // to transmit only
  std::uint32_t request = 0;
  std::uint32_t handle = 0;
  std::uint64_t need =
      0;  // Done comes when this much was granted since this request, Refused when it cannot be
  std::uint64_t want = 0;  // the proxy may grant up to this much
  std::uint32_t wait_ms = 0;
};
struct Release {  // no answer
  std::uint32_t handle = 0;
  std::uint64_t offset = 0;  // all pad of the stream below it is used and wiped
};
struct Close {  // no answer; the handle is free for the proxy to use again
  std::uint32_t handle = 0;
};
struct GetStatus {
  std::uint32_t request = 0;
};
struct Attach {  // Done: from now on this node's programs find that the stream's transmitting end is here
  std::uint32_t request = 0;
  StreamId stream{};
};
struct Detach {  // no answer
  StreamId stream{};
};
struct Find {  // Done: the stream is attached here; Refused with kNoSuchStream: it is not
  std::uint32_t request = 0;
  StreamId stream{};
};

// From the proxy.
struct Welcome {  // with the descriptor of the window
  NodeId node = 0;
  std::uint64_t window_bytes = 0;  // as granted; the file's size
  std::string node_name;
};
struct Opened {
  std::uint32_t request = 0;
  std::uint32_t handle = 0;
  PadEpoch epoch{};
};
struct Grant {  // comes unasked on a stream to receive
  std::uint32_t handle = 0;
  std::uint64_t offset = 0;         // in the stream: where the last grant ended
  std::uint64_t position = 0;       // in the pad of the ordered pair
  std::uint64_t window_offset = 0;  // where it lies
  std::uint64_t length = 0;         // at least 1
};
struct Done {  // after the grants of a request to transmit
  std::uint32_t request = 0;
};
struct Refused {
  std::uint32_t request = 0;
  Refusal reason = Refusal::kMalformed;
  std::string message;
};
struct Ended {  // no more grants will come; what was granted remains
  std::uint32_t handle = 0;
  Refusal reason = Refusal::kStreamEnded;
};
struct StatusText {
  std::uint32_t request = 0;
  std::string json;
};

using FromProgram = std::variant<Hello, Open, More, Release, Close, GetStatus, Attach, Detach, Find>;
using FromProxy = std::variant<Welcome, Opened, Grant, Done, Refused, Ended, StatusText>;

std::vector<std::uint8_t> Encode(const FromProgram& message);
std::vector<std::uint8_t> Encode(const FromProxy& message);  // text that does not fit is cut
Result<FromProgram> DecodeFromProgram(ByteSpan datagram);
Result<FromProxy> DecodeFromProxy(ByteSpan datagram);

}  // namespace ssn::qkdn::north
