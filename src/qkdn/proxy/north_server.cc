// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/north_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace ssn::qkdn::proxy {
namespace {

constexpr auto kToGreet = std::chrono::seconds(5);
constexpr auto kAfterNoDescriptor = std::chrono::milliseconds(100);

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size() + 1, sizeof address.sun_path));
  return address;
}

int NewSocket() { return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

int BindTo(int listener, const std::string& path) {
  const sockaddr_un address = AddressOf(path);
  return bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

bool SomebodyAnswers(const std::string& path) {
  const int probe = NewSocket();
  const sockaddr_un address = AddressOf(path);
  const bool refused = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
                       errno == ECONNREFUSED;
  close(probe);
  return !refused;
}

// The credentials decide who may use the proxy; the file's mode only keeps out whom it can name.
Status OpenTheDoor(const Config& config) {
  mode_t mode = 0600;
  if (!config.allow_users.empty() || config.allow_groups.size() > 1) {
    mode = 0666;
  } else if (config.allow_groups.size() == 1) {
    mode = 0660;
    if (chown(config.socket.c_str(), static_cast<uid_t>(-1), config.allow_groups.front()) != 0)
      return Status::Unavailable(fmt::format("local.socket={}: chgrp to {}: {}", config.socket,
                                             config.allow_groups.front(), std::strerror(errno)));
  }
  if (chmod(config.socket.c_str(), mode) != 0)
    return Status::Unavailable(
        fmt::format("local.socket={}: chmod: {}", config.socket, std::strerror(errno)));
  return {};
}

}  // namespace

NorthServer::~NorthServer() {
  if (bound_) unlink(config_.socket.c_str());
}

Status NorthServer::Listen() {
  const int listener = NewSocket();
  if (listener < 0) return Status::Unavailable(fmt::format("local.socket: {}", std::strerror(errno)));
  listener_.assign(listener);
  fchmod(listener, 0600);  // what bind gives the file, so that it is never open wider than it should be
  int bound = BindTo(listener, config_.socket);
  if (bound != 0 && errno == EADDRINUSE) {
    if (SomebodyAnswers(config_.socket))
      return Status::Unavailable(
          fmt::format("local.socket={}: another program listens there", config_.socket));
    unlink(config_.socket.c_str());
    bound = BindTo(listener, config_.socket);
  }
  bound_ = bound == 0;
  if (!bound_ || listen(listener, SOMAXCONN) != 0)
    return Status::Unavailable(fmt::format("local.socket={}: {}", config_.socket, std::strerror(errno)));
  if (Status status = OpenTheDoor(config_); !status.ok()) return status;
  Accept();
  return {};
}

void NorthServer::Accept() {
  listener_.async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code error) {
    if (error) return;  // closed
    for (;;) {
      const int socket = accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (socket >= 0) {
        Take(socket);
        continue;
      }
      if (errno != EMFILE && errno != ENFILE) break;
      // The connection stays in the queue; asking at once would spin.
      warnings_.Warn(fmt::format("no file descriptor for another program: {}", std::strerror(errno)));
      auto pause = std::make_shared<asio::steady_timer>(loop_, kAfterNoDescriptor);
      pause->async_wait([this, pause](std::error_code) {
        if (listener_.is_open()) Accept();
      });
      return;
    }
    Accept();
  });
}

void NorthServer::Take(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    close(socket);
    return;
  }
  const Program::Credentials credentials{peer.pid, peer.uid};
  const std::uint64_t number = ++last_number_;
  auto program = std::make_shared<Program>(loop_, socket, credentials, links_, memory_, warnings_,
                                           [this, number] { programs_.erase(number); });
  programs_.emplace(number, program);
  if (!MayUse(socket, credentials, peer.gid))
    return program->Refuse(
        north::Refusal::kNotPermitted,
        fmt::format("uid {} is not allowed to use this proxy: local.allow_users, local.allow_groups",
                    credentials.uid));
  if (programs_.size() > kMaxPrograms)
    return program->Refuse(north::Refusal::kWindowFull,
                           fmt::format("{} programs are connected", kMaxPrograms));
  program->Start();
  DropSilent(number);
}

// A connection that never says Hello must not hold its place for ever.
void NorthServer::DropSilent(std::uint64_t number) {
  auto timer = std::make_shared<asio::steady_timer>(loop_, kToGreet);
  timer->async_wait([this, number, timer](std::error_code) {
    const auto found = programs_.find(number);
    if (found != programs_.end() && !found->second->greeted())
      found->second->Refuse(north::Refusal::kMalformed, "no Hello in time");
  });
}

bool NorthServer::MayUse(int socket, const Program::Credentials& credentials, gid_t group) const {
  if (credentials.uid == 0 || credentials.uid == geteuid()) return true;
  if (std::ranges::find(config_.allow_users, credentials.uid) != config_.allow_users.end()) return true;
  const auto allowed = [&](gid_t each) {
    return std::ranges::find(config_.allow_groups, each) != config_.allow_groups.end();
  };
  if (allowed(group)) return true;
  // The groups the process had when it connected. Asking the user database instead could block.
  socklen_t bytes = 0;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &bytes) == 0 || errno != ERANGE) return false;
  std::vector<gid_t> groups(bytes / sizeof(gid_t));
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0) return false;
  return std::ranges::any_of(groups, allowed);
}

std::vector<const Program*> NorthServer::programs() const {
  std::vector<const Program*> list;
  for (const auto& [number, program] : programs_)
    if (program->greeted()) list.push_back(program.get());
  return list;
}

HeldPad NorthServer::held() const {
  HeldPad held;
  for (const auto& [number, program] : programs_) program->AddHeld(held);
  return held;
}

void NorthServer::Stop(BurnReason reason) {
  std::error_code ignored;
  listener_.close(ignored);
  for (const auto& [number, program] : programs_) program->Stop(reason);
}

}  // namespace ssn::qkdn::proxy
