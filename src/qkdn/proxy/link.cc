// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/link.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace ssn::qkdn::proxy {
namespace {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

Link::Link(const LinkSettings& settings, LinkIo& io, Ledger& tx_ledger, Ledger& rx_ledger)
    : settings_(settings),
      io_(io),
      transmitter_(settings, io, tx_ledger),
      receiver_(settings, io, rx_ledger) {
  NewInstance();
}

void Link::NewInstance() {
  do {
    io_.FillRandom(instance_);
  } while (instance_ == sideways::Instance{});
}

void Link::OnConnected() {
  connected_ = true;
  up_ = false;
  io_.Send(sideways::Hello{sideways::kVersion, settings_.self, instance_, known_peer_, settings_.capacity,
                           transmitter_.next(), transmitter_.end(), receiver_.end()});
}

void Link::OnDisconnected() {
  connected_ = false;
  up_ = false;
  transmitter_.Suspend();
  receiver_.Suspend();
}

// Both sides see the same two Hellos and decide alike: on with what was agreed only if each knows the other's
// instance.
bool Link::OnHello(const sideways::Hello& hello) {
  if (hello.instance == sideways::Instance{}) return Violation("an instance of zeros");
  const bool same_epoch = hello.known_peer == instance_ && hello.instance == known_peer_;
  known_peer_ = hello.instance;
  up_ = true;
  if (!same_epoch) {
    receiver_.Restart(hello.capacity);
    transmitter_.Restart(hello.capacity);
    return true;
  }
  return (receiver_.Resume(hello.tx_next, hello.tx_end) && transmitter_.Resume(hello.rx_end)) ||
         Violation("positions that do not fit ours");
}

bool Link::OnMessage(sideways::Message message) {
  if (!connected_) return false;
  if (const auto* hello = std::get_if<sideways::Hello>(&message))
    return up_ ? Violation("a second Hello") : OnHello(*hello);
  if (!up_) return Violation("a frame before its Hello");
  return std::visit(
      Overloaded{
          [&](const sideways::Hello&) { return false; },
          [&](const sideways::Keys& m) { return receiver_.OnKeys(m) || Violation("Keys out of place"); },
          [&](const sideways::KeysCheck& m) {
            return transmitter_.OnKeysCheck(m) || Violation("a KeysCheck for no batch");
          },
          [&](const sideways::KeysVerdict& m) {
            return receiver_.OnKeysVerdict(m) || Violation("a KeysVerdict that does not fit");
          },
          [&](const sideways::DiscardKeys& m) {
            receiver_.OnDiscardKeys(m);
            return true;
          },
          [&](const sideways::Grant& m) {
            return receiver_.OnGrant(m) || Violation("a Grant of pad that is not held");
          },
          [&](const sideways::GrantAck& m) {
            return transmitter_.OnGrantAck(m) || Violation("a GrantAck for no Grant");
          },
          [&](const sideways::StreamOpened& m) {
            transmitter_.OnStreamOpened(m.stream);
            return true;
          },
          [&](const sideways::StreamClosed& m) {
            if (m.by_transmitter)
              receiver_.OnStreamClosedByTransmitter(m.stream);
            else
              transmitter_.OnStreamClosedByReceiver(m.stream);
            return true;
          },
          [&](const sideways::Ping& m) {
            io_.Send(sideways::Pong{m.token});
            return true;
          },
          [&](const sideways::Pong&) { return true; },
      },
      message);
}

// A peer that breaks the protocol may have lost count of what was used: nothing that was agreed with it is
// used again.
bool Link::Violation(const std::string& what) {
  io_.Warn("the peer broke the protocol: " + what);
  NewInstance();
  return false;
}

void Link::Tick() {
  transmitter_.Tick();
  receiver_.Tick();
}

Link::Opening Link::OpenToTransmit(const StreamId& stream, north::StreamKind kind, PadSink& sink) {
  if (!has_epoch()) return Opening::kLinkDown;
  return transmitter_.Open(stream, kind, sink);
}

Link::Opening Link::OpenToReceive(const StreamId& stream, north::StreamKind kind, PadSink& sink) {
  if (!has_epoch()) return Opening::kLinkDown;
  return receiver_.Open(stream, kind, sink);
}

PadEpoch Link::epoch() const noexcept {
  PadEpoch epoch{};
  const bool self_first = settings_.self < settings_.peer;
  std::copy_n((self_first ? instance_ : known_peer_).begin(), 8, epoch.begin());
  std::copy_n((self_first ? known_peer_ : instance_).begin(), 8, epoch.begin() + 8);
  return epoch;
}

void Link::Shutdown() {
  connected_ = false;
  up_ = false;
  transmitter_.Shutdown();
  receiver_.Shutdown();
}

}  // namespace ssn::qkdn::proxy
