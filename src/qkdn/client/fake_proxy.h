// SPDX-License-Identifier: LGPL-2.1-or-later
// fake_proxy.h - the other side of north.h for tests of the client: a real socket, real shared memory, a
// thread, and pad that every test can compute. A handler can put any misbehaviour in the place of what it
// does by itself.
//
// Shapes:    pad of a stream depends on its id and the offset alone, so that two fakes stand for the two
//            ends of a link.
// Threads:   a handler runs in the fake's thread, with its lock held; everything else takes the lock.

#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "qkdn/protocol/north.h"

namespace ssn::qkdn::client {

class FakeProxy {
 public:
  struct Settings {
    std::string name = "proxy";  // of the socket; one for each fake of a test
    NodeId node = 1;
    std::uint64_t receive_bytes = 0;  // granted at once on a stream to receive
    bool sealed = true;
    std::int64_t size_lie = 0;  // added to window_bytes in Welcome
    int descriptors = 1;        // sent with Welcome
  };
  struct Stream {
    north::Open open;
    std::uint64_t offset = 0;
    std::vector<north::Grant> grants;  // not released
  };
  // One program's connection.
  struct Program {
    int fd = -1;
    std::uint8_t* window = nullptr;
    std::uint64_t window_bytes = 0;
    std::map<std::uint32_t, Stream> streams;
    std::vector<north::FromProgram> received;

    void Send(const north::FromProxy& message) const { SendRaw(north::Encode(message)); }
    void SendRaw(ByteSpan datagram) const;
  };
  // True: the handler has done all there was to do.
  using Handler = std::function<bool(Program&, const north::FromProgram&)>;

  explicit FakeProxy(Settings settings, Handler handler = nullptr);
  ~FakeProxy();
  FakeProxy(const FakeProxy&) = delete;
  FakeProxy& operator=(const FakeProxy&) = delete;

  const std::string& path() const { return path_; }
  static std::uint8_t PadByte(const StreamId& id, std::uint64_t offset);
  static PadEpoch Epoch() { return {0xEE, 1, 2, 3}; }
  static std::uint64_t Position(std::uint64_t offset) { return 7000 + offset; }

  // What a well-behaved proxy does with this message.
  void Serve(Program& program, const north::FromProgram& message);
  // Grants `length` bytes of a stream.
  void GrantTo(Program& program, std::uint32_t handle, std::uint64_t length);

  // With runs `action` on the newest program under the lock.
  void With(const std::function<void(Program&)>& action);
  // Waits, at most 10 s, until `condition` on the newest program holds.
  bool WaitUntil(const std::function<bool(const Program&)>& condition);
  // Programs that connected, and those of them that still are.
  std::size_t connected() const;
  bool WaitUntilDisconnected(std::size_t left, std::chrono::milliseconds patience = std::chrono::seconds(10));
  // Grants whose memory was not zero when it was released; when their stream was closed, which those are
  // that crossed the Close.
  std::size_t not_wiped() const;
  std::size_t not_wiped_at_close() const;

 private:
  void Run();
  void Accept();
  bool Receive(Program& program);
  void Welcome(Program& program, const north::Hello& hello);

  const Settings settings_;
  const Handler handler_;
  std::string path_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Program>> programs_;
  std::size_t open_ = 0;
  std::uint32_t next_handle_ = 1;
  std::set<StreamId> attached_;
  std::size_t not_wiped_ = 0;
  std::size_t not_wiped_at_close_ = 0;
  std::thread thread_;
};

// Counts the messages of one kind.
template <typename Message>
std::size_t Count(const FakeProxy::Program& program) {
  std::size_t count = 0;
  for (const north::FromProgram& message : program.received)
    count += std::holds_alternative<Message>(message);
  return count;
}

}  // namespace ssn::qkdn::client
