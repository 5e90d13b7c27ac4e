// SPDX-License-Identifier: LGPL-2.1-or-later
// Pad and fork(): no child uses its parent's pad, keeps its connection or waits for its locks.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "qkdn/client/fake_proxy.h"
#include "qkdn/client/fork_mark.h"
#include "ssn/pad_client.h"

namespace ssn::qkdn::client {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;
using Program = FakeProxy::Program;

constexpr auto kWait = 5s;
constexpr unsigned kWatchdogSeconds = 5;
constexpr auto kTransmit = PadDirection::kTransmit;

StreamId Id(int a, int b = 0) { return {static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)}; }

std::shared_ptr<PadClient> ClientOf(const FakeProxy& proxy) {
  return PadClient::Make({.socket_path = proxy.path(), .program = "test", .window_bytes = 4 << 20}).value();
}

// Runs `body` in a child, which has 5 seconds. The body answers how many things went wrong.
int InChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(kWatchdogSeconds);
    _exit(body());
  }
  int status = 0;
  EXPECT_EQ(child, waitpid(child, &status, 0));
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  return WEXITSTATUS(status);
}

int UsesPadOfItsOwn(PadClient& client, const StreamId& id) {
  auto stream = client.Open(id, 2, kTransmit, 100, kWait);
  if (!stream.ok()) return 1;
  Bytes pad(100);
  stream.value()->Xor(pad, pad);
  int wrong = 0;
  for (std::size_t i = 0; i < pad.size(); ++i) wrong += pad[i] != FakeProxy::PadByte(id, i);
  return wrong != 0;
}

TEST(Fork, EveryProcessHasAnotherMark) {
  const std::uint64_t ours = ProcessMark();
  EXPECT_EQ(ours, ProcessMark());
  EXPECT_EQ(0, InChild([ours] {
              const std::uint64_t child = ProcessMark();
              const int grandchild = InChild([=] { return ProcessMark() == child || ProcessMark() == ours; });
              return (child == ours) + (ProcessMark() != child) + grandchild;
            }));
  EXPECT_EQ(ours, ProcessMark());
}

TEST(Fork, AChildOfForkWithoutHandlersHasAnotherMarkToo) {
  const std::uint64_t ours = ProcessMark();
  const pid_t child = _Fork();
  if (child == 0) _exit(ProcessMark() == ours);
  int status = 0;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
}

TEST(Fork, TheParentsStreamIsOfNoUseInTheChild) {
  FakeProxy proxy({.name = "streams"});
  const auto client = ClientOf(proxy);
  auto stream = client->Open(Id(1), 2, kTransmit, 4096, kWait).value();
  const PadStream::Piece piece = stream->Next(16);
  EXPECT_EQ(0, InChild([&] {
              Bytes data(16, 0xDD);
              int wrong = stream->available() != 0;
              wrong += !stream->Next(16).pad.empty();
              const Status status = stream->Reserve(16, kWait);
              wrong += status.code() != Status::Code::kUnavailable;
              stream->Xor(data, data);
              wrong += data != Bytes(16);  // not the data, and no pad
              stream->Use(0);
              stream.reset();
              return wrong;
            }));
  // Its memory is not there at all.
  const pid_t child = fork();
  if (child == 0) _exit(piece.pad[0]);
  int status = 0;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  EXPECT_TRUE(WIFSIGNALED(status));
  // The parent goes on as if nothing had happened.
  EXPECT_TRUE(stream->Reserve(10000, kWait).ok());
  EXPECT_EQ(FakeProxy::PadByte(Id(1), 0), stream->Next(1).pad[0]);
  EXPECT_EQ(1u, proxy.connected());
  proxy.With([](Program& program) { EXPECT_EQ(0u, Count<north::Close>(program)); });
}

TEST(Fork, TheChildConnectsAnew) {
  FakeProxy proxy({.name = "anew"});
  const auto client = ClientOf(proxy);
  EXPECT_EQ(0, UsesPadOfItsOwn(*client, Id(1)));
  EXPECT_EQ(0, InChild([&] { return UsesPadOfItsOwn(*client, Id(2)); }));
  EXPECT_EQ(0, UsesPadOfItsOwn(*client, Id(3)));
  EXPECT_EQ(2u, proxy.connected());
  EXPECT_TRUE(proxy.WaitUntilDisconnected(1));
}

TEST(Fork, AChildThatUsesNoPadDoesNotKeepTheConnection) {
  FakeProxy proxy({.name = "keep"});
  auto client = ClientOf(proxy);
  ASSERT_TRUE(client->Self().ok());
  int ends[2];
  ASSERT_EQ(0, pipe(ends));
  const pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    char none;
    _exit(static_cast<int>(read(ends[0], &none, 1)));  // until the parent closes the pipe
  }
  close(ends[0]);
  client.reset();
  EXPECT_TRUE(proxy.WaitUntilDisconnected(0));  // although the child lives
  close(ends[1]);
  int status = 0;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
}

// As a daemon that has many threads and starts a helper now and then: whatever lock the threads hold at the
// fork, the child opens a stream of its own.
TEST(Fork, WhileOtherThreadsUseTheClient) {
  FakeProxy proxy({.name = "busy"});
  const auto client = ClientOf(proxy);
  std::atomic<bool> stop = false;
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; !stop; ++round) {
        auto stream = client->Open({1, static_cast<std::uint8_t>(t), static_cast<std::uint8_t>(round),
                                    static_cast<std::uint8_t>(round >> 8)},
                                   2, kTransmit, 16, 30s);
        if (!stream.ok()) {
          ++failed;
          return;
        }
        for (int i = 0; i < 20; ++i) {
          if (!stream.value()->Reserve(500, 30s).ok()) ++failed;
          stream.value()->Use(500);
        }
      }
    });
  for (int i = 0; i < 40; ++i) EXPECT_EQ(0, InChild([&] { return UsesPadOfItsOwn(*client, Id(2, i)); })) << i;
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(0, failed);
}

TEST(Fork, WhileAnotherThreadConnects) {
  std::atomic<int> hellos = 0;
  FakeProxy proxy({.name = "connects"}, [&hellos](Program&, const north::FromProgram& message) {
    return std::holds_alternative<north::Hello>(message) && ++hellos == 1;  // the first one waits in vain
  });
  const auto client =
      PadClient::Make({.socket_path = proxy.path(), .program = "test", .connect_timeout = 1s}).value();
  std::thread thread([&] { EXPECT_FALSE(client->Self().ok()); });
  EXPECT_TRUE(proxy.WaitUntil([](const Program& program) { return Count<north::Hello>(program) == 1; }));
  EXPECT_EQ(0, InChild([&] { return UsesPadOfItsOwn(*client, Id(1)); }));
  thread.join();
}

TEST(Fork, ChildrenOfChildrenEachHaveTheirOwn) {
  FakeProxy proxy({.name = "generations"});
  const auto client = ClientOf(proxy);
  EXPECT_EQ(0, UsesPadOfItsOwn(*client, Id(1)));
  EXPECT_EQ(0, InChild([&] {
              int wrong = UsesPadOfItsOwn(*client, Id(2));
              const auto stream = client->Open(Id(3), 2, kTransmit, 64, kWait);
              wrong += !stream.ok();
              wrong += InChild(
                  [&] { return UsesPadOfItsOwn(*client, Id(4)) + (stream.value()->available() != 0); });
              return wrong + (stream.value()->available() == 0);
            }));
  EXPECT_EQ(3u, proxy.connected());
}

TEST(Fork, ThreadsOfAChildShareOneConnection) {
  FakeProxy proxy({.name = "share"});
  const auto client = ClientOf(proxy);
  ASSERT_TRUE(client->Self().ok());
  EXPECT_EQ(0, InChild([&] {
              std::vector<std::thread> threads;
              std::atomic<int> wrong = 0;
              for (int t = 0; t < 8; ++t)
                threads.emplace_back([&, t] { wrong += UsesPadOfItsOwn(*client, Id(5, t)); });
              for (std::thread& thread : threads) thread.join();
              return wrong.load();
            }));
  EXPECT_EQ(2u, proxy.connected());
}

}  // namespace
}  // namespace ssn::qkdn::client
