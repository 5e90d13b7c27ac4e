// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <chrono>
#include <new>
#include <string>
#include <thread>

#include "qkdn/client/sealed.h"
#include "qkdn/client/stream.h"

namespace ssn::qkdn::client {
namespace {

using north::Refusal;
using north::StreamKind;
using std::chrono::milliseconds;

// Pad of an envelope is kept until the other side asks for it, so neither has to be there first; beyond
// that size a session, whose larger part waits for the other side. Both sides know `bytes`, so both choose
// the same.
StreamKind KindFor(std::size_t bytes) {
  return bytes <= kMaxEnvelopeBytes ? StreamKind::kEnvelope : StreamKind::kSession;
}

// The proxy has no answer for later when nothing is kept for an envelope yet.
Result<std::unique_ptr<Stream>> OpenOnceKept(const ConnectionPtr& connection, const Stream::Plan& plan,
                                             Deadline deadline) {
  milliseconds pause{1};
  for (;;) {
    Refusal reason{};
    auto stream = Stream::Open(connection, plan, deadline, &reason);
    if (stream.ok() || reason != Refusal::kNoSuchStream || Clock::now() >= deadline) return stream;
    std::this_thread::sleep_until(std::min(deadline, Clock::now() + pause));
    pause = std::min(2 * pause, milliseconds(50));
  }
}

}  // namespace

Result<SecretBytes> TakeSharedPad(const ConnectionPtr& connection, NodeId peer, const StreamId& label,
                                  std::size_t bytes, Deadline deadline) try {
  SecretBytes pad(bytes);
  if (bytes == 0) return pad;
  const bool transmit = connection->node().id < peer;
  Stream::Plan plan{.id = label,
                    .peer = peer,
                    .direction = transmit ? PadDirection::kTransmit : PadDirection::kReceive,
                    .kind = KindFor(bytes),
                    .fetch_ahead = false};
  if (transmit) plan.need = plan.want = bytes;
  auto opened = OpenOnceKept(connection, plan, deadline);
  if (!opened.ok()) return opened.status();
  Stream& stream = *opened.value();
  if (Status status = stream.ReserveUntil(bytes, deadline, 0, nullptr); !status.ok()) return status;
  if (stream.available() < bytes)
    return Status::Unavailable("shared pad: the connection to the pad proxy is lost");
  stream.Xor(pad.span(), pad.span());  // zeros become pad
  return pad;
} catch (const std::bad_alloc&) {
  return Status::Unavailable("shared pad: no memory for " + std::to_string(bytes) + " bytes");
}

}  // namespace ssn::qkdn::client
