// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "otp/envelope.h"
#include "qkdn/client/sealed.h"
#include "qkdn/client/stream.h"

namespace ssn::qkdn::client {
namespace {

using north::Refusal;
using north::StreamKind;

Result<StreamId> RandomId() {
  StreamId id;
  ssize_t got = 0;
  do {
    got = getrandom(id.data(), id.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(id.size()))
    return Status::Unavailable(std::string("getrandom: ") + std::strerror(errno));
  return id;
}

}  // namespace

Result<std::vector<std::uint8_t>> SealFor(const ConnectionPtr& connection, NodeId peer, ByteSpan context,
                                          ByteSpan plaintext, Deadline deadline) {
  if (plaintext.size() > kMaxEnvelopeBytes)
    return Status::InvalidArgument("envelope: " + std::to_string(plaintext.size()) +
                                   " bytes of plaintext, at most " + std::to_string(kMaxEnvelopeBytes));
  const Result<StreamId> id = RandomId();
  if (!id.ok()) return id.status();
  const std::size_t need = plaintext.size() + kOneTimeMacKeyBytes;
  auto stream = Stream::Open(
      connection, {id.value(), peer, PadDirection::kTransmit, StreamKind::kEnvelope, need, need}, deadline);
  if (!stream.ok()) return stream.status();
  const PadStream::Piece piece = stream.value()->Next(need);
  if (piece.pad.size() != need)
    return Status::Unavailable("envelope: its pad did not come in one piece, or the connection is lost");
  const otp::EnvelopeHeader header{.from = connection->node().id,
                                   .to = peer,
                                   .stream = id.value(),
                                   .epoch = stream.value()->epoch(),
                                   .position = piece.position,
                                   .length = plaintext.size()};
  auto envelope = otp::SealEnvelope(header, context, plaintext, piece.pad);
  stream.value()->Use(need);
  return envelope;
}

Result<SecretBytes> UnsealFrom(const ConnectionPtr& connection, ByteSpan envelope, ByteSpan context,
                               Deadline deadline, NodeId* from) {
  const auto header = otp::ParseEnvelopeHeader(envelope);
  if (!header.ok()) return header.status();
  const auto& [sender, receiver, id, epoch, position, length] = header.value();
  if (const NodeId here = connection->node().id; receiver != here)
    return Status::Corrupt("envelope: to node " + std::to_string(receiver) + ", and this is node " +
                           std::to_string(here));
  Refusal reason{};
  auto opened = Stream::Open(connection, {id, sender, PadDirection::kReceive, StreamKind::kEnvelope},
                             deadline, &reason);
  if (!opened.ok()) {
    if (reason != Refusal::kStreamExists) return opened.status();
    return Status::Unavailable("envelope: it was opened before, its pad is gone");
  }
  Stream& stream = *opened.value();
  if (Status status = stream.ReserveUntil(1, deadline, 0, nullptr); !status.ok()) return status;
  const PadStream::Piece piece = stream.Next(stream.available());
  if (piece.pad.empty()) return Status::Unavailable("envelope: the connection to the pad proxy is lost");
  if (piece.pad.size() != length + kOneTimeMacKeyBytes || piece.position != position ||
      stream.epoch() != epoch)
    return Status::Corrupt("envelope: length, position or epoch in its header is not that of its pad");
  auto plaintext = otp::UnsealEnvelope(envelope, context, piece.pad);
  stream.Use(piece.pad.size());
  if (plaintext.ok() && from != nullptr) *from = sender;
  return plaintext;
}

}  // namespace ssn::qkdn::client
