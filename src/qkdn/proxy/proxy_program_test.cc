// SPDX-License-Identifier: LGPL-2.1-or-later
// When a program's window may be taken away: after it has hung up, and not because the system could not
// deliver.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "qkdn/proxy/program.h"
#include "qkdn/proxy/test_node.h"

namespace {

std::atomic<int> failures{0};  // of sendmsg on programs' sockets, to come
std::atomic<int> failure{0};   // the errno of each

bool IsOfAProgram(int socket) {
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

}  // namespace

// In place of the C library's, for this program.
extern "C" ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  if (failures > 0 && IsOfAProgram(socket)) {
    --failures;
    errno = failure;
    return -1;
  }
  return syscall(SYS_sendmsg, socket, message, flags);
}

namespace ssn::qkdn::proxy {
namespace {

using namespace std::chrono_literals;

class ProxyProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    b.Start();
    a.config.peers[0].address.port = b.config.peers_listen.port;
    a.Start();
    ASSERT_TRUE(Soon([&] { return a.Link().tx.agreed > 10000; }));
    program.emplace(a.config.socket);
    program->Greet();
    program->Send(
        north::Open{1, Id(1), 1, PadDirection::kTransmit, north::StreamKind::kSession, 1000, 1000, 5000});
    program->Expect<north::Opened>();
    const auto grant = program->Expect<north::Grant>();
    program->Expect<north::Done>();
    pad = program->At(grant);
    before.assign(pad.begin(), pad.end());
  }
  void TearDown() override {
    failures = 0;
    a.ExpectReconciled();
    b.ExpectReconciled();
  }
  void ExpectDisconnectedWithItsPad() {
    ASSERT_TRUE(Soon([&] { return a.Look().programs.empty(); }));
    EXPECT_TRUE(std::ranges::equal(before, pad)) << "zeros would be taken for pad";
    EXPECT_EQ(1000u, a.Link().tx.burnt[static_cast<std::size_t>(BurnReason::kStreamClosed)]);
  }

  TestFolder folder;
  TestKmes kmes;
  TestNode a{0, folder, kmes};
  TestNode b{1, folder, kmes};
  std::optional<TestProgram> program;
  ByteSpan pad;
  std::vector<std::uint8_t> before;
};

TEST_F(ProxyProgramTest, ShortageOfMemoryDelaysAMessageAndHarmsNobody) {
  for (const int error : {ENOBUFS, ENOMEM, EAGAIN}) {
    failure = error;
    failures = 3;
    program->Send(north::GetStatus{7});
    EXPECT_EQ(7u, program->Expect<north::StatusText>().request) << std::strerror(error);
    EXPECT_EQ(0, failures);
  }
  EXPECT_TRUE(std::ranges::equal(before, pad));
  EXPECT_EQ(1u, a.Look().programs.size());
}

TEST_F(ProxyProgramTest, ProgramThatCannotBeReachedIsDisconnectedAndKeepsItsPad) {
  failure = EPERM;
  failures = 1;
  program->Send(north::GetStatus{7});
  ExpectDisconnectedWithItsPad();
  EXPECT_FALSE(program->Receive().has_value()) << "it is told by the end of the connection";
}

TEST_F(ProxyProgramTest, ProgramThatOnlyStopsSendingKeepsItsPad) {
  ASSERT_EQ(0, shutdown(program->descriptor(), SHUT_WR));
  ExpectDisconnectedWithItsPad();
}

TEST_F(ProxyProgramTest, WhatAProgramUsedIsUsedInTheBooksWhenItCloses) {
  const auto client = a.Client();
  Result<std::unique_ptr<PadStream>> opened = client->Open(Id(2), 1, PadDirection::kTransmit, 1000, 5000ms);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  std::unique_ptr<PadStream> stream = std::move(opened).value();
  stream->Use(300);
  stream.reset();
  ASSERT_TRUE(Soon([&] { return a.Link().tx.windows == 1000; })) << "that of the other program";
  const PairSnapshot books = a.Link().tx;
  EXPECT_EQ(300u, books.used);
  EXPECT_EQ(books.granted - 1000 - 300, books.burnt[static_cast<std::size_t>(BurnReason::kStreamClosed)]);
}

TEST_F(ProxyProgramTest, RequestsThatWaitAreForgottenWithTheirStream) {
  const auto answer = [&] {
    std::optional<north::FromProxy> message = program->Receive();
    while (message && std::holds_alternative<north::Grant>(*message)) message = program->Receive();
    return message;
  };
  constexpr std::size_t kRequests = Program::kMaxWaiting / 4;
  for (std::uint8_t i = 0; i < 5; ++i) {  // nobody opens these at the other end
    const StreamId id = Id(static_cast<std::uint8_t>(10 + i));
    program->Send(north::Open{2, id, 1, PadDirection::kTransmit, north::StreamKind::kSession, 1, 1, 5000});
    const auto opened = answer();
    ASSERT_TRUE(opened && std::holds_alternative<north::Opened>(*opened));
    const auto done = answer();
    ASSERT_TRUE(done && std::holds_alternative<north::Done>(*done));
    const std::uint32_t handle = std::get<north::Opened>(*opened).handle;
    for (std::size_t request = 0; request < kRequests; ++request)
      program->Send(north::More{3, handle, 8192, 8192, 5000});
    program->Send(north::Close{handle});
  }
  program->Send(north::More{4, 1, 0, 0, 0});
  const auto last = answer();
  EXPECT_TRUE(last && std::holds_alternative<north::Done>(*last));
}

TEST_F(ProxyProgramTest, LastMessagesOfAProgramThatEndedWithoutReadingCount) {
  program->Send(north::GetStatus{7});
  ASSERT_TRUE(Soon([&] {
    char byte = 0;
    return recv(program->descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  })) << "an answer is there to be left unread";
  program->Send(north::Release{1, 300});
  program->Disconnect();
  ASSERT_TRUE(Soon([&] { return a.Look().programs.empty(); }));
  EXPECT_EQ(300u, a.Link().tx.used);
  EXPECT_TRUE(std::ranges::all_of(pad, [](std::uint8_t byte) { return byte == 0; }));
}

}  // namespace
}  // namespace ssn::qkdn::proxy
