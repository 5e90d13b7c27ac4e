// SPDX-License-Identifier: LGPL-2.1-or-later
// The client and a proxy that is silent, dead, or lies.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <random>
#include <thread>
#include <utility>

#include "qkdn/client/fake_proxy.h"
#include "ssn/pad_client.h"

namespace ssn::qkdn::client {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;
using Program = FakeProxy::Program;

constexpr auto kWait = 5s;
constexpr auto kShort = 50ms;
constexpr auto kBound = 2s;  // far above kShort, for a slow machine
constexpr StreamId kId = {1, 2, 3};
constexpr auto kTransmit = PadDirection::kTransmit;
constexpr auto kReceive = PadDirection::kReceive;

std::shared_ptr<PadClient> ClientAt(const std::string& path) {
  return PadClient::Make(
             {.socket_path = path, .program = "test", .window_bytes = 1 << 20, .connect_timeout = 5s})
      .value();
}

// The message of a call that must end with kUnavailable, and soon.
template <typename Call>
std::string Unavailable(Call call) {
  const auto start = Clock::now();
  const Status status = call();
  EXPECT_LT(Clock::now() - start, kBound);
  EXPECT_EQ(Status::Code::kUnavailable, status.code()) << status.message();
  return status.message();
}

Status OpenStatus(PadClient& client, PadDirection direction, std::size_t reserve,
                  std::chrono::milliseconds wait) {
  const auto stream = client.Open(kId, 2, direction, reserve, wait);
  return stream.ok() ? Status() : stream.status();
}

TEST(BadProxy, NoneIsThere) {
  const std::string path = testing::TempDir() + "pad-none-" + std::to_string(getpid());
  EXPECT_EQ("pad proxy at " + path + ": No such file or directory",
            Unavailable([&] { return ClientAt(path)->Self().status(); }));
}

// A socket at a path of its own that the test serves by itself.
class BareListener {
 public:
  BareListener(const std::string& name, int backlog)
      : path_(testing::TempDir() + name + std::to_string(getpid())) {
    path_.copy(address_.sun_path, sizeof address_.sun_path - 1);
    EXPECT_EQ(0, bind(fd_, Address(), sizeof address_));
    EXPECT_EQ(0, listen(fd_, backlog));
  }
  ~BareListener() {
    Close();
    unlink(path_.c_str());
  }
  BareListener(const BareListener&) = delete;
  BareListener& operator=(const BareListener&) = delete;

  const std::string& path() const { return path_; }
  const sockaddr* Address() const { return reinterpret_cast<const sockaddr*>(&address_); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  // -1: nobody has come in time.
  int Accept() const { return Readable(fd_) ? accept(fd_, nullptr, nullptr) : -1; }
  static bool Readable(int fd) {
    pollfd item{fd, POLLIN, 0};
    return poll(&item, 1, 5000) == 1;
  }

 private:
  const std::string path_;
  sockaddr_un address_{AF_UNIX, {}};
  int fd_ = socket(AF_UNIX, SOCK_SEQPACKET, 0);
};

TEST(BadProxy, NobodyListensAtTheSocketThatIsThere) {
  BareListener left("pad-left-", 1);
  left.Close();
  EXPECT_EQ("pad proxy at " + left.path() + ": Connection refused",
            Unavailable([&] { return ClientAt(left.path())->Self().status(); }));
}

TEST(BadProxy, ItsQueueOfConnectionsIsFull) {
  const BareListener full("pad-full-", 0);
  const int waiting = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  ASSERT_EQ(0, connect(waiting, full.Address(), sizeof(sockaddr_un)));
  const auto client = ClientAt(full.path());
  EXPECT_EQ("pad proxy at " + full.path() + ": it does not accept connections",
            Unavailable([&] { return OpenStatus(*client, kTransmit, 1, kShort); }));
  close(waiting);
}

TEST(BadProxy, ClosesBeforeItHasReadHelloButSaysWhy) {
  const BareListener unread("pad-unread-", 1);
  auto self = std::async(std::launch::async, [&unread] { return ClientAt(unread.path())->Self(); });
  const int program = unread.Accept();
  EXPECT_TRUE(BareListener::Readable(program)) << "no Hello";
  const Bytes refused =
      north::Encode(north::FromProxy(north::Refused{0, north::Refusal::kNotPermitted, "uid 33"}));
  EXPECT_EQ(static_cast<ssize_t>(refused.size()),
            send(program, refused.data(), refused.size(), MSG_NOSIGNAL));
  close(program);
  const std::string why = self.get().status().message();
  EXPECT_NE(std::string::npos, why.find("(uid 33)")) << why;
}

TEST(BadProxy, NeverSaysWelcome) {
  FakeProxy proxy({.name = "mute"}, [](Program&, const auto&) { return true; });
  const auto client = ClientAt(proxy.path());
  EXPECT_EQ("pad proxy: no Welcome in time",
            Unavailable([&] { return OpenStatus(*client, kTransmit, 1, kShort); }));
  // Several threads at once: each waits as long as it said, not one after the other.
  std::vector<std::future<std::string>> threads;
  for (int i = 0; i < 8; ++i)
    threads.push_back(std::async(std::launch::async, [&] {
      return Unavailable([&] { return client->ProxyStatus(kShort).status(); });
    }));
  for (auto& thread : threads) EXPECT_FALSE(thread.get().empty());
}

TEST(BadProxy, AnswersNothingAfterWelcome) {
  FakeProxy proxy({.name = "silent"}, [](Program&, const north::FromProgram& message) {
    return !std::holds_alternative<north::Hello>(message);
  });
  const auto client = ClientAt(proxy.path());
  ASSERT_TRUE(client->Self().ok());
  EXPECT_EQ("pad stream with node 2: no answer of the proxy in time",
            Unavailable([&] { return OpenStatus(*client, kTransmit, 1, kShort); }));
  EXPECT_EQ("status of the pad proxy: no answer in time",
            Unavailable([&] { return client->ProxyStatus(kShort).status(); }));
  Unavailable([&] { return client->Seal(2, {}, Bytes(10), kShort).status(); });
  Unavailable([&] { return client->SharedPad(2, kId, 10, kShort).status(); });
  EXPECT_EQ(1u, proxy.connected());  // it is slow, not lost
}

TEST(BadProxy, AStreamThatIsOpenedTooLateIsClosed) {
  FakeProxy proxy({.name = "late"}, [](Program&, const north::FromProgram& message) {
    return std::holds_alternative<north::Open>(message);
  });
  const auto client = ClientAt(proxy.path());
  Unavailable([&] { return OpenStatus(*client, kTransmit, 1, kShort); });
  proxy.With([&proxy](Program& program) {
    for (const auto& message : program.received)
      if (std::holds_alternative<north::Open>(message)) proxy.Serve(program, message);
  });
  EXPECT_TRUE(client->ProxyStatus(kWait).ok());  // reads what has come
  EXPECT_TRUE(proxy.WaitUntil([](const Program& program) { return Count<north::Close>(program) == 1; }));
  EXPECT_EQ(1u, proxy.connected());
}

TEST(BadProxy, PadThatComesTooLateIsNotLost) {
  FakeProxy proxy({.name = "slow"}, [](Program&, const north::FromProgram& message) {
    const auto* more = std::get_if<north::More>(&message);
    return more != nullptr && more->need > 0;
  });
  const auto client = ClientAt(proxy.path());
  const auto stream = client->Open(kId, 2, kTransmit, 4096, kWait).value();
  EXPECT_EQ("pad stream with node 2: 4096 of 10000 bytes at hand in time",
            Unavailable([&] { return stream->Reserve(10000, kShort); }));
  EXPECT_EQ(4096u, stream->available());
  proxy.With([&proxy](Program& program) {
    for (const auto& message : program.received)
      if (std::holds_alternative<north::More>(message)) proxy.Serve(program, message);
  });
  EXPECT_TRUE(stream->Reserve(10000, kWait).ok());
}

TEST(BadProxy, NoWaitIsNoBlocking) {
  FakeProxy proxy({.name = "nowait"}, [](Program&, const north::FromProgram& message) {
    return std::holds_alternative<north::More>(message);
  });
  const auto client = ClientAt(proxy.path());
  const auto stream = client->Open(kId, 2, kTransmit, 100, kWait).value();
  EXPECT_TRUE(proxy.WaitUntil([](const Program& program) { return Count<north::Open>(program) == 1; }));
  EXPECT_TRUE(stream->Reserve(100, 0ms).ok());
  for (int i = 0; i < 100; ++i) Unavailable([&] { return stream->Reserve(100000, -1ms); });
  EXPECT_TRUE(proxy.WaitUntil([](const Program& program) { return Count<north::More>(program) == 1; }));
}

TEST(BadProxy, RefusesTheProgram) {
  for (const auto reason : {north::Refusal::kNotPermitted, north::Refusal::kMalformed}) {
    FakeProxy proxy({.name = "closed"}, [reason](Program& program, const north::FromProgram&) {
      program.Send(north::Refused{0, reason, "uid 33"});
      return true;
    });
    const auto self = ClientAt(proxy.path())->Self();
    EXPECT_EQ(Status::Code::kInvalidArgument, self.status().code());
    EXPECT_NE(std::string::npos, self.status().message().find("(uid 33)")) << self.status().message();
  }
}

TEST(BadProxy, AWindowThatCouldKillTheProgramIsRefused) {
  const auto failure = [](FakeProxy::Settings settings) {
    settings.name = "window";
    const FakeProxy proxy(settings);
    return Unavailable([&] { return ClientAt(proxy.path())->Self().status(); });
  };
  EXPECT_EQ("pad proxy: window: it is not sealed against changing its size", failure({.sealed = false}));
  EXPECT_EQ("pad proxy: window: window_bytes=1048577, but the file has 1048576 bytes",
            failure({.size_lie = 1}));
  EXPECT_EQ("pad proxy: window: window_bytes=1048575, but the file has 1048576 bytes",
            failure({.size_lie = -1}));
  EXPECT_EQ("pad proxy: window: window_bytes=0, but the file has 1048576 bytes",
            failure({.size_lie = -(1 << 20)}));
  EXPECT_EQ("pad proxy: Welcome came without a window", failure({.descriptors = 0}));
  EXPECT_EQ("pad proxy: Welcome came without a window", failure({.descriptors = 2}));
}

// What a proxy may not send while a stream of handle 1 has its first 4096 bytes at window_offset 0.
struct Lie {
  north::FromProxy message;
  const char* error;
};
const Lie kLies[] = {
    {north::Grant{1, 4096, 0, 1 << 20, 1}, "Grant: handle 1: 1 bytes at 1048576 of a window of 1048576"},
    {north::Grant{1, 4096, 0, 4096, 1 << 20},
     "Grant: handle 1: 1048576 bytes at 4096 of a window of 1048576"},
    {north::Grant{1, 4096, 0, UINT64_MAX - 4096, 4096},
     "Grant: handle 1: 4096 bytes at 18446744073709547519 of a window of 1048576"},
    {north::Grant{1, 4096, 0, 4000, 4096},
     "Grant: handle 1: 4096 bytes at 4000 of the window overlap pad at hand"},
    {north::Grant{1, 4096, 0, 0, 4096}, "Grant: handle 1: 4096 bytes at 0 of the window overlap pad at hand"},
    {north::Grant{1, 0, 0, 8192, 4096}, "Grant: handle 1: offset=0 where 4096 is next"},
    {north::Grant{1, 5000, 0, 8192, 4096}, "Grant: handle 1: offset=5000 where 4096 is next"},
    {north::Grant{1, 4096, 0, 8192, 0}, "Grant: length: 0 bytes are no grant"},
    {north::Opened{77, 1, {}}, "Opened: handle 1 is in use"},
    {north::Welcome{1, 1 << 20, "alpha"}, "a second Welcome"},
    {north::Refused{0, north::Refusal::kMalformed, "who knows"},
     "refused: the proxy does not understand this program (who knows)"},
};

TEST(BadProxy, ALieEndsTheConnectionAndTheNextOpenMakesAnother) {
  for (const Lie& lie : kLies) {
    SCOPED_TRACE(lie.error);
    FakeProxy proxy({.name = "liar"});
    const auto client = ClientAt(proxy.path());
    auto stream = client->Open(kId, 2, kTransmit, 4096, kWait).value();
    const auto other = client->Open({9}, 2, kReceive, 0, kWait).value();
    proxy.With([&lie](Program& program) { program.Send(lie.message); });
    EXPECT_EQ(std::string("pad proxy: connection lost: ") + lie.error,
              Unavailable([&] { return other->Reserve(1, kWait); }));
    EXPECT_EQ(0u, stream->available());
    EXPECT_TRUE(stream->Next(1).pad.empty());
    EXPECT_FALSE(stream->Reserve(1, kWait).ok());
    EXPECT_TRUE(client->Open({8}, 2, kTransmit, 64, kWait).ok());
    EXPECT_EQ(2u, proxy.connected());
    // The liar must not take the window for unused before it is.
    EXPECT_FALSE(proxy.WaitUntilDisconnected(0, 20ms));
    stream.reset();
  }
}

TEST(BadProxy, DoneWithoutThePadIsNotBelieved) {
  FakeProxy proxy({.name = "done"}, [](Program& program, const north::FromProgram& message) {
    const auto* more = std::get_if<north::More>(&message);
    if (more == nullptr) return false;
    program.Send(north::Done{more->request});
    return true;
  });
  const auto stream = ClientAt(proxy.path())->Open(kId, 2, kTransmit, 100, kWait).value();
  EXPECT_EQ("pad stream with node 2: 4096 of 5000 bytes at hand though the proxy is done",
            Unavailable([&] { return stream->Reserve(5000, kWait); }));
}

TEST(BadProxy, AnswersToNobodyAreIgnored) {
  FakeProxy proxy({.name = "nobody"});
  const auto client = ClientAt(proxy.path());
  ASSERT_TRUE(client->Self().ok());
  proxy.With([](Program& program) {
    program.Send(north::Grant{55, 0, 0, 1 << 30, 4096});
    program.Send(north::Done{77});
    program.Send(north::Ended{55, north::Refusal::kLinkDown});
    program.Send(north::Refused{78, north::Refusal::kDry, ""});
    program.Send(north::StatusText{79, "{}"});
  });
  EXPECT_TRUE(client->ProxyStatus(kWait).ok());
  EXPECT_EQ(1u, proxy.connected());
}

TEST(BadProxy, GarbageAndHugeDatagramsAreSafe) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  FakeProxy proxy({.name = "garbage"});
  const auto client = ClientAt(proxy.path());
  for (int i = 0; i < 500; ++i) {
    Bytes garbage(i == 0 ? 70000 : 1 + generator() % 60);
    for (std::uint8_t& byte : garbage) byte = static_cast<std::uint8_t>(generator());
    if (garbage.size() > 4 && i % 4 != 0) {
      garbage[0] = north::kVersion;
      garbage[1] = static_cast<std::uint8_t>(129 + generator() % 8);
      garbage[2] = garbage[3] = 0;
    }
    const StreamId id = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
    const auto stream = client->Open(id, 2, kReceive, 0, kWait);
    ASSERT_TRUE(stream.ok()) << stream.status().message();
    proxy.With([&](Program& program) {
      program.SendRaw(garbage);
      proxy.GrantTo(program, program.streams.begin()->first, 10);
    });
    const auto start = Clock::now();
    if (stream.value()->Reserve(10, kWait).ok()) stream.value()->Use(10);
    EXPECT_LT(Clock::now() - start, kBound);
  }
}

TEST(BadProxy, DiesWhileThreadsWaitAndStreamsHoldPad) {
  const FakeProxy::Settings settings{.name = "death", .receive_bytes = 64};
  auto proxy = std::make_unique<FakeProxy>(settings);
  const auto client = ClientAt(proxy->path());
  const auto holder = client->Open(kId, 2, kTransmit, 4096, kWait).value();
  std::vector<std::future<std::string>> waiters;
  std::atomic<int> waiting = 0;
  for (std::uint8_t i = 0; i < 6; ++i)
    waiters.push_back(std::async(std::launch::async, [&, i] {
      const auto stream = client->Open({i, 77}, 2, kReceive, 0, kWait).value();
      EXPECT_TRUE(stream->Reserve(64, kWait).ok());
      ++waiting;
      return stream->Reserve(65, 60s).message();
    }));
  while (waiting < 6) std::this_thread::yield();
  const auto start = Clock::now();
  proxy.reset();
  for (auto& waiter : waiters) EXPECT_EQ("pad proxy: connection lost: the proxy is gone", waiter.get());
  EXPECT_LT(Clock::now() - start, kBound);
  EXPECT_EQ(0u, holder->available());
  EXPECT_FALSE(client->Self().ok());
  proxy = std::make_unique<FakeProxy>(settings);
  EXPECT_TRUE(client->Open({1, 1}, 2, kTransmit, 64, kWait).ok());
  Unavailable([&] { return holder->Reserve(1, kWait); });
}

TEST(BadProxy, DoesNotReadForAWhile) {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  FakeProxy proxy({.name = "busy"}, [&gone](Program&, const north::FromProgram& message) {
    const auto* open = std::get_if<north::Open>(&message);
    if (open != nullptr && open->stream == kId) gone.wait();
    return false;
  });
  const auto client = ClientAt(proxy.path());
  ASSERT_TRUE(client->Self().ok());
  std::string last;
  Unavailable([&] { return OpenStatus(*client, kTransmit, 1, 1ms); });
  for (int i = 0; i < 600; ++i)  // more than its socket holds
    last = Unavailable([&] { return client->Open({3, 3}, 2, kTransmit, 1, 1ms).status(); });
  EXPECT_EQ("pad stream with node 2: no answer of the proxy in time", last);
  go.set_value();
  // All that was opened for nobody is closed; then the connection is as good as new.
  Status status = Status::Unavailable("");
  for (const auto start = Clock::now(); !status.ok() && Clock::now() - start < kWait;)
    status = OpenStatus(*client, kReceive, 0, kShort);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(proxy.WaitUntil([](const Program& program) { return program.streams.empty(); }));
}

}  // namespace
}  // namespace ssn::qkdn::client
