// SPDX-License-Identifier: LGPL-2.1-or-later
// pad_client.h - one-time pad for a local program, from the qkdn-proxy of its trusted node.
//
// A stream is pad of which two programs on two nodes hold the same bytes: one opens it to transmit, the
// other, under the same id, to receive. Nothing but the id has to be agreed between them, and how they
// agree on it is their affair.
//
// Shapes:    sizes and positions in bytes; a position counts the agreed pad of one ordered pair of nodes
//            since the two proxies began the epoch, and (epoch, ordered pair, position) is never handed out
//            twice.
// Errors:    kUnavailable: no pad in time, proxy gone, stream ended, or another process after fork();
//            trying anew may help. kInvalidArgument: the proxy refuses such a request for good. kCorrupt:
//            an envelope that is not what the other node sealed. Every wait is bounded by the caller.
//            std::bad_alloc is thrown as it comes; what is at hand is still there after it.
// Ownership: a stream keeps its client's connection open. Pad belongs to the stream, in memory shared with
//            the proxy; what is used is wiped at once.
// Threads:   PadClient may be used by any number of threads; one PadStream by one thread at a time.
// Fork:      safe. In a child every stream of the parent answers kUnavailable, its pad is not mapped, and
//            the client connects anew at its next call.
// Spec:      src/qkdn/protocol/NORTH.md.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ssn/bytes.h"
#include "ssn/secret.h"
#include "ssn/status.h"

namespace ssn {

using NodeId = std::uint32_t;  // number of a trusted node, from its proxy's configuration
// Unlike all other ids between the two nodes; need not be secret.
using StreamId = std::array<std::uint8_t, 16>;
// Changes when either proxy forgot what it had agreed on.
using PadEpoch = std::array<std::uint8_t, 16>;

enum class PadDirection : std::uint8_t { kTransmit = 1, kReceive = 2 };

class PadStream {
 public:
  virtual ~PadStream() = default;  // closes the stream; pad not used is wiped and burnt at both ends

  // Reserve returns when at least `bytes` of unused pad are at hand, or kUnavailable after `wait`; a proxy
  // gives up after 10 s. Nothing that is at hand is lost by a failure. Without a wait it never blocks: what
  // is missing is asked for, and a later call finds it.
  virtual Status Reserve(std::size_t bytes, std::chrono::milliseconds wait) = 0;
  // What is at hand. What comes later is counted from the next Reserve on; 0 when the connection is lost.
  virtual std::size_t available() const noexcept = 0;

  // The next pad at hand, without a gap in position: at most `limit` bytes, empty if there is none. It may
  // be read, and overwritten, until Use, Reserve or the end of the stream.
  struct Piece {
    MutableByteSpan pad;
    std::uint64_t position = 0;  // of pad[0]
  };
  virtual Piece Next(std::size_t limit) noexcept = 0;
  // Use wipes the next `bytes` at hand and goes past them. REQUIRES: bytes <= available().
  virtual void Use(std::size_t bytes) noexcept = 0;
  // Xor writes in ^ pad to `out` and uses the pad. `in` and `out` are the same memory or do not overlap.
  // REQUIRES: in.size() == out.size() and in.size() <= available(). What has no pad comes out as zeros.
  virtual void Xor(ByteSpan in, MutableByteSpan out) noexcept = 0;
  // Account tells the proxy what was used, if that is 64 KiB or more since it was told. For the end of a
  // message: within one, the proxy is told of each MiB, or of less if the window is small.
  virtual void Account() noexcept = 0;

  virtual const PadEpoch& epoch() const noexcept = 0;
};

class PadClient {
 public:
  struct Options {
    std::string socket_path = "/run/ssn/pad.sock";
    std::string program;  // shown by `ssn keys`, such as osd.3; at most 32 bytes
    // Address space for pad at hand; memory is used as pad comes.
    std::size_t window_bytes = std::size_t{1} << 30;
    std::chrono::milliseconds connect_timeout{1000};
    // The longest that the proxy waits for pad it does not have. Pad that it has may take the whole wait of
    // a call to come: a program that would rather fail than wait sets this low and its waits high.
    std::chrono::milliseconds dry_wait{10000};
  };
  // Make checks the options; the connection is made by the first call that needs it.
  static Result<std::shared_ptr<PadClient>> Make(Options options);
  virtual ~PadClient() = default;

  struct Node {
    NodeId id = 0;
    std::string name;
  };
  // The trusted node this program runs on, as its proxy knows it.
  virtual Result<Node> Self() = 0;

  // Open opens a stream to or from `peer`. To transmit, it returns with at least `reserve` bytes at hand
  // (0: none asked for yet). To receive, `reserve` is 0, and pad comes as the other side asks for it. A
  // stream to transmit asks for more than it is told to when less than half of that is left: 4 KiB at first,
  // double if the last lasted for less than a second, up to 4 MiB, and half if for more. What it holds when
  // it is closed is burnt.
  virtual Result<std::unique_ptr<PadStream>> Open(const StreamId& id, NodeId peer, PadDirection direction,
                                                  std::size_t reserve, std::chrono::milliseconds wait) = 0;

  // Seal puts `plaintext` into an envelope that only `peer` opens, once: one-time pad and one-time MAC over
  // header, `context` and ciphertext. Format: src/otp/ENVELOPE.md. At most kMaxEnvelopeBytes of plaintext.
  virtual Result<std::vector<std::uint8_t>> Seal(NodeId peer, ByteSpan context, ByteSpan plaintext,
                                                 std::chrono::milliseconds wait) = 0;
  // Unseal opens an envelope sealed to this node with the same `context`; `from` receives who sealed it. A
  // second try on the same envelope is kUnavailable: its pad is gone.
  virtual Result<SecretBytes> Unseal(ByteSpan envelope, ByteSpan context, std::chrono::milliseconds wait,
                                     NodeId* from) = 0;

  // SharedPad gives the same `bytes` of fresh pad to the callers on both nodes that name each other and the
  // same `label` and size, without any message between the two: masks for blind repair of shares. A label
  // serves once. Beyond kMaxEnvelopeBytes the two have to call within each other's `wait`.
  virtual Result<SecretBytes> SharedPad(NodeId peer, const StreamId& label, std::size_t bytes,
                                        std::chrono::milliseconds wait) = 0;

  // Between programs of one node there is no pad. Attach says that the transmitting end of stream `id` is
  // this program, before its first message; IsAttached, asked by the program that received it, is true if
  // that end is a program at the same proxy, whatever number of a node the message claims. Until Detach, or
  // until the connection is lost.
  virtual Status Attach(const StreamId& id, std::chrono::milliseconds wait) = 0;
  virtual void Detach(const StreamId& id) = 0;
  virtual Result<bool> IsAttached(const StreamId& id, std::chrono::milliseconds wait) = 0;

  // What the proxy says of itself and its links, as JSON.
  virtual Result<std::string> ProxyStatus(std::chrono::milliseconds wait) = 0;
};

inline constexpr std::size_t kMaxEnvelopeBytes = std::size_t{1} << 20;

}  // namespace ssn
