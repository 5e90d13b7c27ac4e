// SPDX-License-Identifier: LGPL-2.1-or-later
// link.h - all that this proxy has agreed with the proxy of one other node: the pad of both directions, its
// streams, and the rules by which a byte of pad is never used twice. No I/O: messages, keys and time come in,
// calls of LinkIo go out.
//
// Errors:    what the peer does wrong ends the connection and the epoch, never the process.
// Ownership: the link keeps references to its LinkIo, its ledgers and the sinks of open streams; see
//            pad_sink.h.
// Threads:   one.
// Spec:      src/qkdn/protocol/SIDEWAYS.md.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "qkdn/etsi014/objects.h"
#include "qkdn/protocol/sideways.h"
#include "qkdn/proxy/ledger.h"
#include "qkdn/proxy/pad_sink.h"
#include "qkdn/proxy/receiver.h"
#include "qkdn/proxy/transmitter.h"

namespace ssn::qkdn::proxy {

class Link {
 public:
  // `settings.self` and `settings.peer` differ.
  Link(const LinkSettings& settings, LinkIo& io, Ledger& tx_ledger, Ledger& rx_ledger);

  // The connection to the peer. OnConnected sends our Hello; OnMessage takes every frame after that; false:
  // the peer broke the protocol, the connection has to be closed (then OnDisconnected as ever).
  void OnConnected();
  bool OnMessage(sideways::Message message);
  void OnDisconnected();

  // Answers to LinkIo::FetchKeys, FetchKeysWithIds. `keys` without ids: the fetch was given up.
  void OnKeys(etsi014::Keys keys) { transmitter_.OnKeys(std::move(keys)); }
  void OnKeysWithIds(std::uint32_t batch, etsi014::Keys keys) {
    receiver_.OnKeysWithIds(batch, std::move(keys));
  }

  // Ends what waited too long. Call it at least ten times a second.
  void Tick();

  // Streams of local programs. kOk: `sink` is in use from now on; Granted, and even Ended, may have been
  // called already.
  using Opening = StreamOpening;
  Opening OpenToTransmit(const StreamId& stream, north::StreamKind kind, PadSink& sink);
  Opening OpenToReceive(const StreamId& stream, north::StreamKind kind, PadSink& sink);
  // Request asks for pad of an open stream to transmit; ends in PadSink::Done or Refused, perhaps before it
  // returns.
  void Request(const StreamId& stream, const PadRequest& request) { transmitter_.Request(stream, request); }
  void CloseToTransmit(const StreamId& stream) { transmitter_.Close(stream); }
  void CloseToReceive(const StreamId& stream) { receiver_.Close(stream); }

  // Shutdown burns all that is held and ends every stream.
  void Shutdown();

  bool up() const noexcept { return up_; }  // connected, and both Hellos exchanged
  bool has_epoch() const noexcept { return known_peer_ != sideways::Instance{}; }
  PadEpoch epoch() const noexcept;
  const Transmitter& transmitter() const noexcept { return transmitter_; }
  const Receiver& receiver() const noexcept { return receiver_; }

 private:
  bool OnHello(const sideways::Hello& hello);
  void NewInstance();
  bool Violation(const std::string& what);

  const LinkSettings settings_;
  LinkIo& io_;
  Transmitter transmitter_;
  Receiver receiver_;
  sideways::Instance instance_{};
  sideways::Instance known_peer_{};
  bool connected_ = false;
  bool up_ = false;
};

}  // namespace ssn::qkdn::proxy
