// SPDX-License-Identifier: LGPL-2.1-or-later
// handshake.h - from a socket's path to a proxy that said Welcome.
//
// Errors:    kUnavailable: no proxy, no answer in time, a window that cannot be used. kInvalidArgument: the
//            proxy will not have this program.
// Threads:   any number.

#pragma once

#include <memory>

#include "qkdn/client/mapped_window.h"
#include "qkdn/client/socket.h"
#include "ssn/pad_client.h"
#include "ssn/status.h"

namespace ssn::qkdn::client {

// The order matters: the window is unmapped before the socket is closed, because the proxy takes the end of
// the connection for a sign that nobody uses the window any more.
struct Greeted {
  std::unique_ptr<Socket> socket;
  std::unique_ptr<MappedWindow> window;
  PadClient::Node node;
};

Result<Greeted> Greet(const PadClient::Options& options, Deadline deadline);

}  // namespace ssn::qkdn::client
