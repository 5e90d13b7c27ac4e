// SPDX-License-Identifier: LGPL-2.1-or-later
// Sessions when there is no pad, no proxy, or another process: no call of Ceph's fails but decrypt-final, and
// nothing readable is sent. (That no call fails is checked by CephHalf.)
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

#include "provider/test_openssl.h"

namespace ssn::provider {
namespace {

using qkdn::client::Count;
using qkdn::client::FakeProxy;
namespace north = qkdn::north;
using Program = FakeProxy::Program;

constexpr std::uint64_t kPad = 512 << 10;
const Bytes kControl = FrameRecords({32})[0];

// What this thread may allocate in calls that Ceph makes.
struct Memory {
  int allocations_left = 0;
  bool for_good = false;  // otherwise one fails, and the next one succeeds
  bool ends = false;
  int failures = 0;

  bool Fails() {
    if (!ends || allocations_left-- > 0) return false;
    allocations_left = 0;
    ends = for_good;
    ++failures;
    return true;
  }
};
thread_local Memory memory;

// Refuses every request for pad to transmit from `bytes` on, as a proxy whose link is dry.
FakeProxy::Handler DryFrom(std::uint64_t bytes) {
  return [bytes](Program& program, const north::FromProgram& message) {
    const auto* open = std::get_if<north::Open>(&message);
    const auto* more = std::get_if<north::More>(&message);
    if (more != nullptr && more->need >= bytes) {
      program.Send(north::Refused{more->request, north::Refusal::kDry, ""});
      return true;
    }
    if (open != nullptr && open->need >= bytes && open->direction == PadDirection::kTransmit) {
      program.Send(north::Refused{open->request, north::Refusal::kDry, ""});
      return true;
    }
    return false;
  };
}

TEST(SessionFaults, WithoutPadNothingIsSentButWhatThePeerRejects) {
  FakeProxy pad_a({.name = "a", .node = 1, .receive_bytes = kPad}, DryFrom(0));
  FakeProxy pad_b({.name = "b", .node = 2, .receive_bytes = kPad});
  TestOpenssl a(pad_a.path()), b(pad_b.path());
  CephSession session(a, b);
  ASSERT_TRUE(session.Greet());
  for (const Bytes& record : FrameRecords({60, 100, 0, 5000})) {
    const Record sealed = session.a_tx.Seal(record);
    EXPECT_EQ(Bytes(record.size()), sealed.ciphertext);
    EXPECT_FALSE(session.b_rx.Open(sealed).has_value());
  }
  EXPECT_EQ(kControl, session.a_rx.Open(session.b_tx.Seal(kControl))) << "the other direction goes on";
}

TEST(SessionFaults, AFrameThatFindsNoPadSpendsNone) {
  FakeProxy pad_a({.name = "a", .node = 1, .receive_bytes = kPad}, DryFrom(100000));
  FakeProxy pad_b({.name = "b", .node = 2, .receive_bytes = kPad});
  TestOpenssl a(pad_a.path()), b(pad_b.path());
  CephSession session(a, b);
  ASSERT_TRUE(session.Greet());
  ASSERT_TRUE(session.Talk({32}));
  const std::vector<Bytes> large = FrameRecords({60, 100, 0, 200000});
  EXPECT_EQ(Bytes(80), session.a_tx.Seal(large[0]).ciphertext);
  std::uint64_t released = 0;
  EXPECT_TRUE(pad_a.WaitUntil([&](const Program& program) {
    for (const auto& message : program.received)
      if (const auto* release = std::get_if<north::Release>(&message)) released = release->offset;
    return Count<north::Close>(program) == 1;
  }));
  EXPECT_LE(released, 80u + 32u);
  EXPECT_EQ(Bytes(16), session.a_tx.Seal(large[1]).ciphertext);
  EXPECT_EQ(Bytes(large[2].size()), session.a_tx.Seal(large[2]).ciphertext);
}

TEST(SessionFaults, WithoutAProxyRecordZeroIsRejectedAndNothingFollows) {
  FakeProxy pad_b({.name = "b", .node = 2, .receive_bytes = kPad});
  TestOpenssl a("/nonexistent/pad.sock"), b(pad_b.path());
  CephSession session(a, b);
  EXPECT_FALSE(session.b_rx.Open(session.a_tx.Seal(kControl)).has_value());
  EXPECT_FALSE(session.a_rx.Open(session.b_tx.Seal(kControl)).has_value());
  EXPECT_EQ(Bytes(80), session.a_tx.Seal(kControl).ciphertext);
  EXPECT_EQ(Bytes(80), session.b_tx.Seal(kControl).ciphertext);
}

TEST(SessionFaults, AConfigurationThatCannotWorkIsStillNoAes) {
  TestOpenssl a("not an absolute path");
  EXPECT_EQ("ssnotp", a.provider_name());
  CephHalf half(a, true, Key{1}, Iv{1});
  half.Seal(kControl);
  EXPECT_EQ(Bytes(80), half.Seal(kControl).ciphertext);
}

TEST(SessionFaults, AfterTheProxyIsGoneNothingReadableIsSent) {
  auto pad_a =
      std::make_unique<FakeProxy>(FakeProxy::Settings{.name = "a", .node = 1, .receive_bytes = kPad});
  FakeProxy pad_b({.name = "b", .node = 2, .receive_bytes = kPad});
  TestOpenssl a(pad_a->path()), b(pad_b.path());
  CephSession session(a, b);
  ASSERT_TRUE(session.Greet());
  ASSERT_TRUE(session.Talk());
  pad_a.reset();
  Record sealed;
  for (int i = 0; i < 3; ++i) {
    sealed = session.a_tx.Seal(FrameRecords({32, 100000})[0]);
    EXPECT_NE(FrameRecords({32, 100000})[0], sealed.ciphertext);
  }
  EXPECT_EQ(Bytes(80), sealed.ciphertext);
  // It is back, and so are new sessions.
  FakeProxy again({.name = "a", .node = 1, .receive_bytes = kPad});
  CephSession next(a, b, 2);
  ASSERT_TRUE(next.Greet());
  EXPECT_TRUE(next.Talk());
}

TEST(SessionFaults, ASilentProxyIsWaitedForWithABound) {
  std::atomic<bool> silent = false;
  FakeProxy pad_a({.name = "a", .node = 1, .receive_bytes = kPad},
                  [&](Program&, const north::FromProgram&) { return silent.load(); });
  FakeProxy pad_b({.name = "b", .node = 2, .receive_bytes = kPad});
  TestOpenssl a(pad_a.path(), "wait_ms = 100"), b(pad_b.path());
  CephSession session(a, b);
  ASSERT_TRUE(session.Greet());
  ASSERT_TRUE(session.Talk({32}));
  silent = true;
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Bytes> large = FrameRecords({60, 100, 0, 200000});
  for (const Bytes& record : large) EXPECT_EQ(Bytes(record.size()), session.a_tx.Seal(record).ciphertext);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

// What comes without pad, because nobody sent it, must not hold a thread of the messenger for long.
TEST(SessionFaults, GarbageWithoutPadIsWaitedForWithABound) {
  FakeProxy pad_a({.name = "a", .node = 1}), pad_b({.name = "b", .node = 2});
  TestOpenssl a(pad_a.path()), b(pad_b.path());
  CephSession session(a, b);
  ASSERT_TRUE(session.Greet());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(session.b_rx.Open({Bytes(80, 1), Tag{}}).has_value());
  EXPECT_FALSE(session.b_rx.Open({Bytes(80, 1), Tag{}}).has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

// Grants pad in many pieces, none of which follows the one before it in the window.
FakeProxy::Handler Scattered() {
  return [top = std::uint64_t{0}](Program& program, const north::FromProgram& message) mutable {
    const auto* more = std::get_if<north::More>(&message);
    if (more == nullptr) return false;
    FakeProxy::Stream& stream = program.streams.at(more->handle);
    for (std::uint64_t left = more->want; left > 0;) {
      const std::uint64_t size = std::min<std::uint64_t>(left, 8192);
      if (top < program.window_bytes / 2 + size) top = program.window_bytes;
      top -= size;
      for (std::uint64_t i = 0; i < size; ++i)
        program.window[top + i] = FakeProxy::PadByte(stream.open.stream, stream.offset + i);
      const north::Grant grant{more->handle, stream.offset, FakeProxy::Position(stream.offset), top, size};
      stream.grants.push_back(grant);
      stream.offset += size;
      left -= size;
      program.Send(grant);
    }
    program.Send(north::Done{more->request});
    return true;
  };
}

// No block of the plaintext stands where it was. (Where nothing could be encrypted there are zeros.)
void ExpectNothingReadable(const Bytes& plaintext, const Bytes& ciphertext) {
  constexpr std::ptrdiff_t kBlock = 16;
  ASSERT_EQ(plaintext.size(), ciphertext.size());
  for (auto in = plaintext.begin(), out = ciphertext.begin(); in != plaintext.end();
       in += kBlock, out += kBlock)
    if (std::any_of(out, out + kBlock, [](std::uint8_t byte) { return byte != 0; })) {
      EXPECT_FALSE(std::equal(in, in + kBlock, out));
    }
}

// Every allocation in turn fails: alone, or with all that come after it in the call's thread.
TEST(SessionFaults, WithoutMemoryNoCallFailsAndNothingReadableIsSent) {
  FakeProxy pad_a({.name = "a", .node = 1, .receive_bytes = kPad}, Scattered());
  FakeProxy pad_b({.name = "b", .node = 2, .receive_bytes = kPad});
  TestOpenssl a(pad_a.path(), "wait_ms = 100"), b(pad_b.path(), "wait_ms = 100");
  std::uint8_t number = 0;
  for (const bool for_good : {false, true}) {
    for (const bool greeted : {false, true}) {
      int tried = 0;
      for (bool failed = true; failed; ++tried) {
        CephSession session(a, b, ++number);
        ASSERT_TRUE(!greeted || (session.Greet() && session.Talk()));
        memory = {.allocations_left = tried, .for_good = for_good, .ends = true};
        if (greeted || session.Greet()) {
          for (int frame = 0; frame < 6; ++frame) {
            for (const Bytes& record : FrameRecords({60, 100, 0, 50000})) {
              const Record sealed = session.a_tx.Seal(record);
              ExpectNothingReadable(record, sealed.ciphertext);
              const auto opened = session.b_rx.Open(sealed);
              EXPECT_TRUE(!opened || *opened == record);
            }
          }
        }
        failed = memory.failures > 0;
        memory = {};
      }
      EXPECT_GT(tried, 20) << "for_good=" << for_good << " greeted=" << greeted;
    }
  }
  CephSession after(a, b, ++number);
  ASSERT_TRUE(after.Greet());
  EXPECT_TRUE(after.Talk());
}

// Runs `body` in a child, which has 10 seconds.
bool InChild(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    _exit(body() && !testing::Test::HasFailure() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(child, waitpid(child, &status, 0));
  return status == 0;
}

TEST(SessionFaults, AChildDoesNotUseItsParentsPadAndHasSessionsOfItsOwn) {
  FakeProxy pad_a({.name = "a", .node = 1, .receive_bytes = kPad});
  FakeProxy pad_b({.name = "b", .node = 2, .receive_bytes = kPad});
  TestOpenssl a(pad_a.path()), b(pad_b.path());
  CephSession session(a, b);
  ASSERT_TRUE(session.Greet());
  ASSERT_TRUE(session.Talk());
  EXPECT_TRUE(InChild([&] {
    for (const Bytes& record : FrameRecords({60, 100, 0, 5000}))
      if (session.a_tx.Seal(record).ciphertext != Bytes(record.size())) return false;
    if (session.a_rx.Open({Bytes(80, 1), Tag{}}).has_value()) return false;
    CephSession own(a, b, 2);
    return own.Greet() && own.Talk();
  }));
  EXPECT_TRUE(session.Talk()) << "the parent goes on";
}

}  // namespace
}  // namespace ssn::provider

// The provider's, too: it is looked up in the program first. Inline, GCC would see malloc() paired with
// delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (ssn::provider::in_call_of_ceph && ssn::provider::memory.Fails()) throw std::bad_alloc();
  if (void* allocated = std::malloc(size)) return allocated;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* allocated) noexcept { std::free(allocated); }
[[gnu::noinline]] void operator delete(void* allocated, std::size_t) noexcept { std::free(allocated); }
