// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/fake_proxy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace ssn::qkdn::client {
namespace {

constexpr std::chrono::seconds kPatience{10};

int Must(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string("fake proxy: ") + what + ": " + std::strerror(errno));
  return result;
}

bool IsWiped(const FakeProxy::Program& program, std::uint64_t window_offset, std::uint64_t length) {
  const std::uint8_t* begin = program.window + window_offset;
  return std::all_of(begin, begin + length, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

void FakeProxy::Program::SendRaw(ByteSpan datagram) const {
  send(fd, datagram.data(), datagram.size(), MSG_NOSIGNAL);
}

std::uint8_t FakeProxy::PadByte(const StreamId& id, std::uint64_t offset) {
  std::uint64_t value = offset + 0x9E3779B97F4A7C15u * (id[0] + 256u * id[1] + 1);
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
  value = (value ^ value >> 27) * 0x94D049BB133111EBu;
  return static_cast<std::uint8_t>(value >> 32 | 1);  // never 0, which is what wiped pad is
}

FakeProxy::FakeProxy(Settings settings, Handler handler)
    : settings_(std::move(settings)), handler_(std::move(handler)) {
  path_ = testing::TempDir() + "pad-" + std::to_string(getpid()) + "-" + settings_.name;
  unlink(path_.c_str());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  listener_ = Must(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket");
  Must(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  Must(listen(listener_, 16), "listen");
  Must(pipe2(stop_, O_CLOEXEC), "pipe");
  thread_ = std::thread([this] { Run(); });
}

FakeProxy::~FakeProxy() {
  close(stop_[1]);
  thread_.join();
  for (const auto& program : programs_) {
    if (program->fd >= 0) close(program->fd);
    if (program->window != nullptr) munmap(program->window, program->window_bytes);
  }
  close(stop_[0]);
  close(listener_);
  unlink(path_.c_str());
}

void FakeProxy::Run() {
  for (;;) {
    std::vector<pollfd> items{{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    std::vector<Program*> polled;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& program : programs_) {
        if (program->fd < 0) continue;
        items.push_back({program->fd, POLLIN, 0});
        polled.push_back(program.get());
      }
    }
    poll(items.data(), items.size(), -1);
    if (items[0].revents != 0) return;
    const std::lock_guard lock(mutex_);
    if (items[1].revents != 0) Accept();
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (items[i + 2].revents == 0 || Receive(*polled[i])) continue;
      close(polled[i]->fd);
      polled[i]->fd = -1;
      --open_;
    }
    changed_.notify_all();
  }
}

void FakeProxy::Accept() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  programs_.push_back(std::make_unique<Program>());
  programs_.back()->fd = fd;
  ++open_;
}

// False when the program has gone.
bool FakeProxy::Receive(Program& program) {
  std::uint8_t buffer[4096];
  ssize_t got = recv(program.fd, buffer, sizeof buffer, 0);
  // A program that ends without reading all it was sent is an error once; its last messages come after
  // that.
  if (got < 0 && errno == ECONNRESET) got = recv(program.fd, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  const auto message = north::DecodeFromProgram({buffer, static_cast<std::size_t>(got)});
  if (!message.ok()) {
    ADD_FAILURE() << message.status().message();
    return false;
  }
  program.received.push_back(message.value());
  if (handler_ == nullptr || !handler_(program, message.value())) Serve(program, message.value());
  return program.fd >= 0;
}

void FakeProxy::Welcome(Program& program, const north::Hello& hello) {
  program.window_bytes = hello.window_bytes;
  const int fd = Must(memfd_create("fake-pad", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
  Must(ftruncate(fd, static_cast<off_t>(hello.window_bytes)), "ftruncate");
  if (settings_.sealed)
    Must(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), "F_ADD_SEALS");
  void* base = mmap(nullptr, hello.window_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  program.window = static_cast<std::uint8_t*>(base);
  madvise(base, hello.window_bytes, MADV_DONTFORK);
  auto datagram = north::Encode(north::FromProxy(north::Welcome{
      settings_.node, hello.window_bytes + static_cast<std::uint64_t>(settings_.size_lie), "alpha"}));
  iovec data{datagram.data(), datagram.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))]{};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  if (settings_.descriptors > 0) {
    const auto bytes = static_cast<std::size_t>(settings_.descriptors) * sizeof(int);
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(bytes);
    const int fds[2] = {fd, fd};
    std::memcpy(CMSG_DATA(part), fds, bytes);
  }
  sendmsg(program.fd, &header, MSG_NOSIGNAL);
  close(fd);
}

void FakeProxy::GrantTo(Program& program, std::uint32_t handle, std::uint64_t length) {
  Stream& stream = program.streams.at(handle);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> taken;
  for (const auto& [other, at] : program.streams)
    for (const north::Grant& grant : at.grants) taken.emplace_back(grant.window_offset, grant.length);
  std::sort(taken.begin(), taken.end());
  std::uint64_t begin = 0;
  for (const auto& [offset, size] : taken) {
    if (offset - begin >= length) break;
    begin = offset + size;
  }
  if (begin + length > program.window_bytes) return;  // a test that gets here waits in vain, and fails
  for (std::uint64_t i = 0; i < length; ++i)
    program.window[begin + i] = PadByte(stream.open.stream, stream.offset + i);
  const north::Grant grant{handle, stream.offset, Position(stream.offset), begin, length};
  stream.grants.push_back(grant);
  stream.offset += length;
  program.Send(grant);
}

void FakeProxy::Serve(Program& program, const north::FromProgram& message) {
  if (const auto* hello = std::get_if<north::Hello>(&message)) {
    Welcome(program, *hello);
  } else if (const auto* open = std::get_if<north::Open>(&message)) {
    const std::uint32_t handle = next_handle_++;
    program.streams[handle].open = *open;
    program.Send(north::Opened{open->request, handle, Epoch()});
    const bool transmit = open->direction == PadDirection::kTransmit;
    if (const std::uint64_t length = transmit ? open->want : settings_.receive_bytes; length > 0)
      GrantTo(program, handle, length);
    if (transmit) program.Send(north::Done{open->request});
  } else if (const auto* more = std::get_if<north::More>(&message)) {
    if (more->want > 0) GrantTo(program, more->handle, more->want);
    program.Send(north::Done{more->request});
  } else if (const auto* release = std::get_if<north::Release>(&message)) {
    auto& grants = program.streams.at(release->handle).grants;
    while (!grants.empty() && grants.front().offset < release->offset) {
      north::Grant& grant = grants.front();
      const std::uint64_t used = std::min(release->offset - grant.offset, grant.length);
      not_wiped_ += !IsWiped(program, grant.window_offset, used);
      grant.offset += used;
      grant.window_offset += used;
      grant.length -= used;
      if (grant.length == 0) grants.erase(grants.begin());
    }
  } else if (const auto* closed = std::get_if<north::Close>(&message)) {
    for (const north::Grant& grant : program.streams[closed->handle].grants)
      not_wiped_at_close_ += !IsWiped(program, grant.window_offset, grant.length);
    program.streams.erase(closed->handle);
  } else if (const auto* attach = std::get_if<north::Attach>(&message)) {
    attached_.insert(attach->stream);
    program.Send(north::Done{attach->request});
  } else if (const auto* detach = std::get_if<north::Detach>(&message)) {
    attached_.erase(detach->stream);
  } else if (const auto* find = std::get_if<north::Find>(&message)) {
    if (attached_.contains(find->stream))
      program.Send(north::Done{find->request});
    else
      program.Send(north::Refused{find->request, north::Refusal::kNoSuchStream, ""});
  } else if (const auto* get = std::get_if<north::GetStatus>(&message)) {
    program.Send(north::StatusText{get->request, R"({"node":1})"});
  }
}

void FakeProxy::With(const std::function<void(Program&)>& action) {
  const std::lock_guard lock(mutex_);
  action(*programs_.back());
}

bool FakeProxy::WaitUntil(const std::function<bool(const Program&)>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience,
                           [&] { return !programs_.empty() && condition(*programs_.back()); });
}

std::size_t FakeProxy::connected() const {
  const std::lock_guard lock(mutex_);
  return programs_.size();
}

bool FakeProxy::WaitUntilDisconnected(std::size_t left, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return open_ == left; });
}

std::size_t FakeProxy::not_wiped() const {
  const std::lock_guard lock(mutex_);
  return not_wiped_;
}

std::size_t FakeProxy::not_wiped_at_close() const {
  const std::lock_guard lock(mutex_);
  return not_wiped_at_close_;
}

}  // namespace ssn::qkdn::client
