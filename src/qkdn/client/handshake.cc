// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/handshake.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "qkdn/client/refusal.h"
#include "qkdn/protocol/north.h"

namespace ssn::qkdn::client {
namespace {

Status Failure(const std::string& what) { return Status::Unavailable("pad proxy: " + what); }

Status SendHello(Socket& socket, const PadClient::Options& options, Deadline deadline) {
  const auto hello = north::Encode(north::FromProgram(north::Hello{options.window_bytes, options.program}));
  for (;;) {
    switch (socket.Send(hello)) {
      case Socket::Outcome::kOk:
        return {};
      case Socket::Outcome::kEnded:
        return {};  // perhaps with a reason, which is there to be read
      case Socket::Outcome::kNotNow:
        if (!socket.WaitToSend(deadline)) return Failure("it does not read");
    }
  }
}

Status TakeWelcome(ByteSpan datagram, int descriptor, const ForkPause& pause, Greeted& greeted) {
  const auto message = north::DecodeFromProxy(datagram);
  if (!message.ok()) return Failure(message.status().message());
  if (const auto* refused = std::get_if<north::Refused>(&message.value()))
    return ToStatus(refused->reason, "pad proxy", refused->message);
  const auto* welcome = std::get_if<north::Welcome>(&message.value());
  if (welcome == nullptr) return Failure("its first message is not Welcome");
  if (descriptor < 0) return Failure("Welcome came without a window");
  auto window = MappedWindow::Map(descriptor, welcome->window_bytes, pause);
  if (!window.ok()) return window.status();
  greeted.window = std::move(window).value();
  greeted.node = {welcome->node, welcome->node_name};
  return {};
}

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

// NotNow is an answer that is still to come.
Socket::Outcome ReceiveWelcome(Greeted& greeted, MutableByteSpan buffer, Status& status) {
  const ForkPause pause;  // no child gets the descriptor, or the mapping before it is kept from children
  std::size_t size = 0;
  Descriptor window;
  const Socket::Outcome outcome = greeted.socket->ReceiveWithDescriptor(buffer, &size, &window.fd);
  if (outcome != Socket::Outcome::kOk) return outcome;
  status = size > buffer.size() ? Failure("a datagram of " + std::to_string(size) + " bytes")
                                : TakeWelcome(buffer.first(size), window.fd, pause, greeted);
  return outcome;
}

}  // namespace

Result<Greeted> Greet(const PadClient::Options& options, Deadline deadline) {
  auto connected = Socket::Connect(options.socket_path, deadline);
  if (!connected.ok()) return connected.status();
  Greeted greeted{std::move(connected).value(), nullptr, {}};
  if (Status status = SendHello(*greeted.socket, options, deadline); !status.ok()) return status;
  std::vector<std::uint8_t> buffer(north::kMaxMessageBytes);
  for (;;) {
    if (!greeted.socket->WaitToReceive(deadline)) return Failure("no Welcome in time");
    Status status;
    switch (ReceiveWelcome(greeted, buffer, status)) {
      case Socket::Outcome::kOk:
        if (!status.ok()) return status;
        return greeted;
      case Socket::Outcome::kEnded:
        return Failure("it ended the connection");
      case Socket::Outcome::kNotNow:
        continue;
    }
  }
}

}  // namespace ssn::qkdn::client
