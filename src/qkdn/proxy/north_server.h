// SPDX-License-Identifier: LGPL-2.1-or-later
// north_server.h - the Unix socket of the proxy: takes local programs in and knows those that are connected.
//
// Errors:    Listen answers kUnavailable with path and reason. A program that may not use the proxy gets
//            Refused.
// Ownership: the socket, its name in the file system, and the programs.
// Threads:   that of the event loop.
// Spec:      src/qkdn/protocol/NORTH.md; unix(7) (SO_PEERCRED, SO_PEERGROUPS).

#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "qkdn/proxy/config.h"
#include "qkdn/proxy/links.h"
#include "qkdn/proxy/program.h"
#include "qkdn/proxy/window_memory.h"

namespace ssn::qkdn::proxy {

class NorthServer {
 public:
  static constexpr std::size_t kMaxPrograms = 4096;

  NorthServer(asio::io_context& loop, const Config& config, Links& links, WindowMemory& memory)
      : loop_(loop), config_(config), links_(links), memory_(memory), listener_(loop) {}
  ~NorthServer();

  Status Listen();
  // Stop takes nobody in any more and burns what the programs hold.
  void Stop(BurnReason reason);

  std::vector<const Program*> programs() const;
  HeldPad held() const;

 private:
  void Accept();
  void Take(int socket);
  void DropSilent(std::uint64_t number);
  bool MayUse(int socket, const Program::Credentials& credentials, gid_t group) const;

  asio::io_context& loop_;
  const Config& config_;
  Links& links_;
  WindowMemory& memory_;
  WarnLimit warnings_;
  asio::posix::stream_descriptor listener_;
  bool bound_ = false;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::shared_ptr<Program>> programs_;
};

}  // namespace ssn::qkdn::proxy
