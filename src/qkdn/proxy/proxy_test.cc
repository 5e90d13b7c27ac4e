// SPDX-License-Identifier: LGPL-2.1-or-later
// Two proxies, their programs at both ends, and what programs may do wrong.
#include "qkdn/proxy/proxy.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "qkdn/proxy/test_node.h"

namespace ssn::qkdn::proxy {
namespace {

using namespace std::chrono_literals;
using north::Refusal;
using north::StreamKind;

constexpr auto kWait = 5000ms;

class ProxyTest : public ::testing::Test {
 protected:
  void Start() {
    b.Start();
    a.config.peers[0].address.port = b.config.peers_listen.port;
    a.Start();
    ASSERT_TRUE(Soon([&] { return a.up() && b.up(); }));
  }
  void StartFilled() {
    Start();
    ASSERT_TRUE(Soon([&] {
      const LinkSnapshot at_a = a.Link();
      return at_a.tx.agreed >= a.config.low && at_a.rx.agreed >= a.config.low;
    }));
  }
  void TearDown() override {
    for (TestNode* node : {&a, &b})
      if (node->running()) node->ExpectReconciled();
  }
  // The program opens a stream to transmit, and has `need` bytes at hand.
  static std::vector<north::Grant> OpenToTransmit(TestProgram& program, const StreamId& id,
                                                  std::uint64_t need, std::uint64_t want,
                                                  std::uint32_t* handle = nullptr) {
    program.Send(north::Open{1, id, 1, PadDirection::kTransmit, StreamKind::kSession, need, want, 5000});
    const auto opened = program.Expect<north::Opened>();
    if (handle != nullptr) *handle = opened.handle;
    return Grants(program);
  }
  static std::vector<north::Grant> Grants(TestProgram& program) {
    std::vector<north::Grant> grants;
    for (auto message = program.Receive(); message; message = program.Receive()) {
      if (std::holds_alternative<north::Done>(*message)) break;
      const auto* grant = std::get_if<north::Grant>(&*message);
      EXPECT_NE(nullptr, grant) << "message " << message->index();
      if (grant == nullptr) break;
      grants.push_back(*grant);
    }
    return grants;
  }
  static std::uint64_t Sum(const std::vector<north::Grant>& grants) {
    return std::accumulate(grants.begin(), grants.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const north::Grant& grant) { return sum + grant.length; });
  }

  TestFolder folder;
  TestKmes kmes;
  TestNode a{0, folder, kmes};
  TestNode b{1, folder, kmes};
};

TEST_F(ProxyTest, BothEndsOfAStreamHoldTheSamePad) {
  Start();
  const auto at_a = a.Client("sender");
  const auto at_b = b.Client("receiver");
  auto tx = at_a->Open(Id(1), 1, PadDirection::kTransmit, 100, kWait);
  ASSERT_TRUE(tx.ok()) << tx.status().message();
  auto rx = at_b->Open(Id(1), 0, PadDirection::kReceive, 0, kWait);
  ASSERT_TRUE(rx.ok()) << rx.status().message();
  EXPECT_EQ(tx.value()->epoch(), rx.value()->epoch());

  std::vector<std::uint8_t> plain(50000);
  std::iota(plain.begin(), plain.end(), std::uint8_t{0});
  for (int i = 0; i < 40; ++i) {
    std::vector<std::uint8_t> sealed(plain.size());
    std::vector<std::uint8_t> opened(plain.size());
    Status status = tx.value()->Reserve(plain.size(), kWait);
    ASSERT_TRUE(status.ok()) << status.message();
    tx.value()->Xor(plain, sealed);
    ASSERT_NE(plain, sealed);
    status = rx.value()->Reserve(plain.size(), kWait);
    ASSERT_TRUE(status.ok()) << status.message();
    rx.value()->Xor(sealed, opened);
    ASSERT_EQ(plain, opened);
  }
}

TEST_F(ProxyTest, FirstGrantIsSmallUntilTheOtherEndHasOpenedTheStream) {
  StartFilled();
  TestProgram at_a(a.config.socket);
  at_a.Greet();
  std::uint32_t handle = 0;
  const auto first = OpenToTransmit(at_a, Id(1), 64, 1 << 20, &handle);
  ASSERT_EQ(1u, first.size());
  EXPECT_EQ(kFirstGrantBytes, first[0].length);
  EXPECT_EQ(0u, first[0].offset);

  TestProgram at_b(b.config.socket);
  at_b.Greet();
  at_b.Send(north::Open{7, Id(1), 0, PadDirection::kReceive, StreamKind::kSession, 0, 0, 0});
  EXPECT_EQ(7u, at_b.Expect<north::Opened>().request);
  const auto received = at_b.Expect<north::Grant>();
  EXPECT_EQ(first[0].position, received.position);
  EXPECT_TRUE(std::ranges::equal(at_a.At(first[0]), at_b.At(received)));

  at_a.Send(north::More{2, handle, 100000, 200000, 5000});
  const auto more = Grants(at_a);
  EXPECT_EQ(200000u, Sum(more));
  EXPECT_EQ(kFirstGrantBytes, more.front().offset);
  std::uint64_t got = 0;
  while (got < 200000) got += at_b.Expect<north::Grant>().length;
  EXPECT_EQ(200000u, got);
}

TEST_F(ProxyTest, ReservoirThatIsDryRefusesInTime) {
  kmes.stored_bytes = 0;
  Start();
  const auto began = std::chrono::steady_clock::now();
  const auto stream = a.Client()->Open(Id(1), 1, PadDirection::kTransmit, 100, 300ms);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(Status::Code::kUnavailable, stream.status().code());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
  // As soon as there is key again, the same works.
  kmes.stored_bytes = 64 << 20;
  EXPECT_TRUE(a.Client()->Open(Id(2), 1, PadDirection::kTransmit, 100, 10000ms).ok());
}

TEST_F(ProxyTest, StoreThatIsNearlyEmptyIsUsedUp) {
  kmes.stored_bytes = 40000;
  Start();
  EXPECT_TRUE(Soon([&] { return kmes.stored_bytes < 64; })) << kmes.stored_bytes;
}

TEST_F(ProxyTest, SmallKmeIsAskedOftenEnoughForBatchesThatPay) {
  kmes.limits.max_key_per_request = 2;
  kmes.limits.max_key_size_bits = 256;
  Start();
  ASSERT_TRUE(Soon([&] { return a.Link().tx.agreed > 8000; }));
  const PairSnapshot tx = a.Link().tx;
  EXPECT_LT(tx.burnt_total() * 10, tx.fetched) << "32 bytes of each batch are burnt";
}

TEST_F(ProxyTest, KeysThatNeverReachTheOtherEndAreBurntAndTheLinkGoesOn) {
  kmes.lose_keys = true;
  Start();
  ASSERT_TRUE(Soon([&] { return a.Link().tx.burnt[static_cast<std::size_t>(BurnReason::kNotFetched)] > 0; }));
  kmes.lose_keys = false;
  EXPECT_TRUE(Soon([&] { return a.Link().tx.agreed > 0; }));
}

TEST_F(ProxyTest, UnknownPeersUsedIdsAndTooLargeRequestsAreRefusedByTheirNames) {
  StartFilled();
  TestProgram program(a.config.socket);
  program.Greet(8 << 20);
  const auto refusal = [&](const north::FromProgram& message) {
    program.Send(message);
    return program.Expect<north::Refused>().reason;
  };
  const auto open = [](std::uint8_t id, NodeId peer, StreamKind kind, PadDirection direction,
                       std::uint64_t need) {
    return north::Open{3, Id(id), peer, direction, kind, need, need, 0};
  };
  const auto kTx = PadDirection::kTransmit;
  EXPECT_EQ(Refusal::kUnknownPeer, refusal(open(1, 9, StreamKind::kSession, kTx, 1)));
  EXPECT_EQ(Refusal::kUnknownPeer, refusal(open(1, 0, StreamKind::kSession, kTx, 1)));
  EXPECT_EQ(Refusal::kTooLarge, refusal(open(1, 1, StreamKind::kEnvelope, kTx, kMaxEnvelopePadBytes + 1)));
  EXPECT_EQ(Refusal::kTooLarge, refusal(open(1, 1, StreamKind::kEnvelope, kTx, 0)));
  EXPECT_EQ(Refusal::kTooLarge, refusal(open(1, 1, StreamKind::kSession, kTx, std::uint64_t{1} << 62)));
  EXPECT_EQ(Refusal::kNoSuchStream, refusal(open(1, 1, StreamKind::kEnvelope, PadDirection::kReceive, 0)));
  EXPECT_EQ(Refusal::kNoSuchStream, refusal(north::More{3, 77, 1, 1, 0}));
  EXPECT_EQ(1u, OpenToTransmit(program, Id(5), 10, 10).size());
  EXPECT_EQ(Refusal::kStreamExists, refusal(open(5, 1, StreamKind::kSession, kTx, 1)));
}

TEST_F(ProxyTest, WhatAProgramDoesWrongEndsItsConnectionAndNoOther) {
  StartFilled();
  TestProgram good(a.config.socket);
  good.Greet();
  std::uint32_t handle = 0;
  OpenToTransmit(good, Id(1), 10, 10, &handle);

  const auto expect_closed = [&](const std::function<void(TestProgram&)>& wrong, bool greeted = true) {
    TestProgram bad(a.config.socket);
    if (greeted) bad.Greet();
    wrong(bad);
    bad.ExpectRefusedAndClosed(Refusal::kMalformed);
  };
  const std::vector<std::uint8_t> garbage = {0xff, 0xff, 0xff, 0xff, 0xff};
  expect_closed([&](TestProgram& bad) { bad.SendRaw(garbage); });
  expect_closed([&](TestProgram& bad) { bad.SendRaw(garbage); }, false);
  expect_closed([](TestProgram& bad) { bad.SendRaw(std::vector<std::uint8_t>(100000)); });
  expect_closed([](TestProgram& bad) { bad.Send(north::GetStatus{1}); }, false);
  expect_closed([](TestProgram& bad) { bad.Send(north::Hello{4096, "again"}); });
  expect_closed([&](TestProgram& bad) { bad.Send(north::Close{handle}); });
  expect_closed([&](TestProgram& bad) { bad.Send(north::Release{handle, 5}); });
  auto old = north::Encode(north::FromProgram(north::GetStatus{1}));
  old[0] = north::kVersion + 1;
  expect_closed([&](TestProgram& bad) { bad.SendRaw(old); });
  {
    TestProgram bad(a.config.socket);
    bad.Greet();
    std::uint32_t own = 0;
    OpenToTransmit(bad, Id(2), 100, 100, &own);
    bad.Send(north::Release{own, 101});
    bad.ExpectRefusedAndClosed(Refusal::kMalformed);
  }
  good.Send(north::Release{handle, 10});
  good.Send(north::GetStatus{2});
  EXPECT_EQ(2u, good.Expect<north::StatusText>().request);
}

TEST_F(ProxyTest, DeathOfAProgramBurnsAndWipesWhatItHadNotUsed) {
  StartFilled();
  auto program = std::make_unique<TestProgram>(a.config.socket);
  program->Greet();
  std::uint32_t handle = 0;
  const auto grants = OpenToTransmit(*program, Id(1), 1000, 1000, &handle);
  ASSERT_EQ(1000u, Sum(grants));
  program->Send(north::Release{handle, 300});
  ASSERT_TRUE(Soon([&] { return a.Link().tx.used == 300; }));
  EXPECT_EQ(700u, a.Link().tx.windows);
  a.ExpectReconciled();
  const ByteSpan pad = program->At(grants[0]);
  EXPECT_TRUE(std::ranges::any_of(pad, [](std::uint8_t byte) { return byte != 0; }));
  program->Disconnect();
  ASSERT_TRUE(
      Soon([&] { return a.Link().tx.burnt[static_cast<std::size_t>(BurnReason::kStreamClosed)] == 700; }));
  EXPECT_EQ(0u, a.Link().tx.windows);
  EXPECT_TRUE(a.Look().programs.empty());
  EXPECT_TRUE(std::ranges::all_of(pad, [](std::uint8_t byte) { return byte == 0; }));
}

TEST_F(ProxyTest, ClosedStreamIsWipedAndItsHandleMeansNothing) {
  StartFilled();
  TestProgram program(a.config.socket);
  program.Greet();
  std::uint32_t handle = 0;
  const auto grants = OpenToTransmit(program, Id(1), 1000, 1000, &handle);
  program.Send(north::Close{handle});
  program.Send(north::More{2, handle, 1, 1, 0});
  EXPECT_EQ(Refusal::kNoSuchStream, program.Expect<north::Refused>().reason);
  EXPECT_TRUE(std::ranges::all_of(program.At(grants[0]), [](std::uint8_t byte) { return byte == 0; }));
}

TEST_F(ProxyTest, ProxyThatStopsLeavesPadAtHandToItsProgram) {
  StartFilled();
  TestProgram program(a.config.socket);
  program.Greet();
  const auto grants = OpenToTransmit(program, Id(1), 1000, 1000);
  const ByteSpan pad = program.At(grants.at(0));
  const std::vector<std::uint8_t> before(pad.begin(), pad.end());
  a.Stop();
  while (program.Receive()) continue;  // Ended, then closed
  EXPECT_TRUE(std::ranges::equal(before, pad)) << "zeros would be taken for pad";
  const Result<AuditSummary> audit = VerifyAuditLog(a.config.audit_file);
  EXPECT_TRUE(audit.ok()) << audit.status().message();
}

TEST_F(ProxyTest, ProgramThatDoesNotReadIsDisconnected) {
  StartFilled();
  TestProgram program(a.config.socket);
  program.Greet();
  const auto encoded = north::Encode(north::FromProgram(north::GetStatus{1}));
  const auto gone = [&] {
    for (int i = 0; i < 1000; ++i)
      if (send(program.descriptor(), encoded.data(), encoded.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
          errno == EPIPE)
        return true;
    return false;
  };
  EXPECT_TRUE(Soon(gone, 60s));
  EXPECT_TRUE(Soon([&] { return a.Look().programs.empty(); }));
}

TEST_F(ProxyTest, WindowThatIsFullRefusesAndServesAgainAfterRelease) {
  StartFilled();
  TestProgram at_b(b.config.socket);
  at_b.Greet();
  at_b.Send(north::Open{7, Id(1), 0, PadDirection::kReceive, StreamKind::kSession, 0, 0, 0});
  at_b.Expect<north::Opened>();
  TestProgram program(a.config.socket);
  program.Greet(64 << 10);
  std::uint32_t handle = 0;
  std::uint64_t offset = Sum(OpenToTransmit(program, Id(1), 4096, 4096, &handle));
  program.Send(north::More{2, handle, 61440, 61440, 5000});
  const auto too_large = program.Expect<north::Refused>();
  EXPECT_EQ(Refusal::kWindowFull, too_large.reason);
  program.Send(north::More{3, handle, 61441, 61441, 5000});
  const auto never = program.Expect<north::Refused>();
  EXPECT_EQ(Refusal::kTooLarge, never.reason);
  EXPECT_EQ("need=61441 is more than the 61440 bytes that the window can hold at once", never.message);
  program.Send(north::More{4, handle, 57344, 57344, 5000});
  offset += Sum(Grants(program));
  EXPECT_EQ(60u << 10, offset);
  program.Send(north::More{5, handle, 4097, 4097, 100});
  EXPECT_EQ(Refusal::kWindowFull, program.Expect<north::Refused>().reason);
  program.Send(north::More{6, handle, 1000, 4097, 100});
  offset += Sum(Grants(program));
  EXPECT_EQ((60u << 10) + 1000, offset) << "what it needs is small, what it wants is not";
  program.Send(north::More{7, handle, 1, 1, 100});
  EXPECT_EQ(Refusal::kWindowFull, program.Expect<north::Refused>().reason);
  program.Send(north::Release{handle, offset});
  program.Send(north::More{8, handle, 1, 1, 5000});
  EXPECT_EQ(1u, Sum(Grants(program)));
}

TEST_F(ProxyTest, EnvelopeTravelsOnceToItsNode) {
  Start();
  const std::vector<std::uint8_t> context = {1, 2, 3};
  const std::vector<std::uint8_t> plain(10000, 0x42);
  const auto sealed = a.Client()->Seal(1, context, plain, kWait);
  ASSERT_TRUE(sealed.ok()) << sealed.status().message();
  NodeId from = 9;
  const auto at_b = b.Client();
  const auto opened = at_b->Unseal(sealed.value(), context, kWait, &from);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(0u, from);
  EXPECT_TRUE(std::ranges::equal(plain, opened.value().span()));
  EXPECT_EQ(Status::Code::kUnavailable, at_b->Unseal(sealed.value(), context, kWait, &from).status().code());
}

TEST_F(ProxyTest, OnlyAllowedUsersAreServed) {
  b.config.allow_users = {65534};
  Start();
  // What a process of user `uid` is answered: 0 welcome, 1 refused, 2 it cannot even connect.
  const auto answer_for = [](const Config& config, uid_t uid) {
    const pid_t child = fork();
    if (child == 0) {
      if (setgid(65534) != 0 || setuid(uid) != 0) _exit(9);
      if (access(config.socket.c_str(), W_OK) != 0) _exit(2);
      TestProgram program(config.socket);
      if (const auto first = program.Receive(); first && std::holds_alternative<north::Refused>(*first))
        _exit(std::get<north::Refused>(*first).reason == Refusal::kNotPermitted ? 1 : 9);
      _exit(9);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  if (geteuid() != 0) GTEST_FAIL() << "needs root to become other users";
  EXPECT_EQ(2, answer_for(a.config, 65534)) << "the file's mode keeps it out";
  struct stat info {};
  ASSERT_EQ(0, stat(a.config.socket.c_str(), &info));
  EXPECT_EQ(0600u, info.st_mode & 0777u);
  EXPECT_EQ(1, answer_for(b.config, 65533));
  ASSERT_EQ(0, chmod(a.config.socket.c_str(), 0666));
  EXPECT_EQ(1, answer_for(a.config, 65534)) << "the credentials decide all the same";
}

TEST_F(ProxyTest, MetricsAndStatusSayWhatThereIs) {
  a.config.metrics_listen = HostPort{"127.0.0.1", 0};
  StartFilled();
  TestProgram program(a.config.socket);
  program.Greet(1 << 20, "osd.3");
  ASSERT_EQ(1000u, Sum(OpenToTransmit(program, Id(1), 1000, 1000)));

  httplib::Client http("127.0.0.1", a.proxy().metrics_port());
  const auto answer = http.Get("/metrics");
  ASSERT_TRUE(answer) << httplib::to_string(answer.error());
  EXPECT_EQ(200, answer->status);
  for (const char* line :
       {"ssn_link_up{peer=\"1\"} 1\n", "ssn_pad_granted_bytes_total{from=\"0\",to=\"1\"} 1000\n",
        "ssn_pad_held_bytes{from=\"0\",to=\"1\",where=\"windows\"} 1000\n", "ssn_programs 1\n",
        "ssn_pad_capacity_bytes{from=\"1\",to=\"0\"} 4194304\n", "ssn_audit_failures_total 0\n",
        "ssn_kme_errors_total{peer=\"1\",action=\"refused\"} 0\n",
        "ssn_pad_burnt_bytes_total{from=\"0\",to=\"1\",reason=\"check\"} "})
    EXPECT_NE(std::string::npos, answer->body.find(line)) << line << answer->body;
  EXPECT_EQ(404, http.Get("/")->status);

  program.Send(north::GetStatus{5});
  const auto json = nlohmann::json::parse(program.Expect<north::StatusText>().json);
  EXPECT_EQ("node-0", json["name"]);
  EXPECT_EQ("up", json["links"][0]["state"]);
  EXPECT_EQ(1000, json["links"][0]["tx"]["granted"]);
  EXPECT_TRUE(json["links"][0]["rx"]["seconds_to_dry"].is_null());
  EXPECT_EQ("osd.3", json["programs"][0]["name"]);
  EXPECT_EQ(getpid(), json["programs"][0]["pid"]);
}

}  // namespace
}  // namespace ssn::qkdn::proxy
