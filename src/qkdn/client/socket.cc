// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <thread>

namespace ssn::qkdn::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

bool WaitFor(int fd, short events, Deadline deadline) noexcept {
  pollfd item{fd, events, 0};
  for (;;) {
    const auto left = std::max(nanoseconds(deadline - Clock::now()), nanoseconds(0));
    const auto whole = std::chrono::duration_cast<seconds>(left);
    const timespec timeout{whole.count(), (left - whole).count()};
    const int ready = ppoll(&item, 1, &timeout, nullptr);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

// A peer that closes before it has read everything leaves ECONNRESET in front of what it sent: its reason,
// perhaps. The first call that fails so takes the error away.
template <typename Call>
ssize_t BehindReset(Call call) {
  const ssize_t result = call();
  return result < 0 && errno == ECONNRESET ? call() : result;
}

Socket::Outcome Classify(int error) {
  return error == EAGAIN || error == EINTR || error == ENOBUFS ? Socket::Outcome::kNotNow
                                                               : Socket::Outcome::kEnded;
}

}  // namespace

Deadline After(milliseconds wait) {
  return Clock::now() + std::clamp<milliseconds>(wait, milliseconds(0), std::chrono::hours(24));
}

Result<std::unique_ptr<Socket>> Socket::Connect(const std::string& path, Deadline deadline) {
  const auto failure = [&path](const char* why) {
    return Status::Unavailable("pad proxy at " + path + ": " + why);
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failure(std::strerror(ENAMETOOLONG));
  std::copy(path.begin(), path.end(), address.sun_path);
  std::unique_ptr<Socket> made;
  {
    const ForkPause pause;
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return failure(std::strerror(errno));
    made.reset(new (std::nothrow) Socket(fd, pause));
    if (made == nullptr) return close(fd), failure(std::strerror(ENOMEM));
  }
  while (connect(made->fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    if (error != EAGAIN && error != EINTR) return failure(std::strerror(error));
    // EAGAIN: the proxy's queue of connections is full. There is nothing to poll for.
    if (Clock::now() >= deadline) return failure("it does not accept connections");
    std::this_thread::sleep_for(milliseconds(1));
  }
  return made;
}

Socket::Outcome Socket::Send(ByteSpan datagram) noexcept {
  const ssize_t sent = send(fd_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent >= 0 ? Outcome::kOk : Classify(errno);
}

Socket::Outcome Socket::Receive(MutableByteSpan buffer, std::size_t* size) noexcept {
  const ssize_t got =
      BehindReset([&] { return recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC); });
  if (got < 0) return Classify(errno);
  *size = static_cast<std::size_t>(got);
  return got == 0 ? Outcome::kEnded : Outcome::kOk;
}

Socket::Outcome Socket::ReceiveWithDescriptor(MutableByteSpan buffer, std::size_t* size,
                                              int* descriptor) noexcept {
  *descriptor = -1;
  iovec data{buffer.data(), buffer.size()};
  // Room for more than the one we want: what does not fit the kernel drops without a word.
  constexpr std::size_t kMaxDescriptors = 4;
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got =
      BehindReset([&] { return recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC); });
  if (got < 0) return Classify(errno);
  int received[kMaxDescriptors];
  std::size_t count = 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t here = std::min((part->cmsg_len - CMSG_LEN(0)) / sizeof(int), kMaxDescriptors - count);
    std::memcpy(received + count, CMSG_DATA(part), here * sizeof(int));
    count += here;
  }
  if (count == 1)
    *descriptor = received[0];
  else
    for (std::size_t i = 0; i < count; ++i) close(received[i]);
  *size = static_cast<std::size_t>(got);
  return got == 0 ? Outcome::kEnded : Outcome::kOk;
}

bool Socket::WaitToReceive(Deadline deadline) const noexcept { return WaitFor(fd_.get(), POLLIN, deadline); }
bool Socket::WaitToSend(Deadline deadline) const noexcept { return WaitFor(fd_.get(), POLLOUT, deadline); }

}  // namespace ssn::qkdn::client
