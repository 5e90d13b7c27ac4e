// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/attachments.h"

#include <gtest/gtest.h>

#include "qkdn/proxy/test_node.h"

namespace ssn::qkdn::proxy {
namespace {

using Outcome = Attachments::Outcome;

StreamId Number(std::size_t number) {
  return {static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8),
          static_cast<std::uint8_t>(number >> 16)};
}

TEST(Attachments, AStreamIsAttachedOnceAndGoneAfterwards) {
  Attachments attachments;
  const int alice = 0, bob = 0;
  EXPECT_FALSE(attachments.Contains(Number(1)));
  EXPECT_EQ(Outcome::kOk, attachments.Add(Number(1), &alice));
  EXPECT_TRUE(attachments.Contains(Number(1)));
  EXPECT_EQ(Outcome::kExists, attachments.Add(Number(1), &alice));
  EXPECT_EQ(Outcome::kExists, attachments.Add(Number(1), &bob));
  attachments.Remove(Number(1), &bob);
  EXPECT_TRUE(attachments.Contains(Number(1)));
  attachments.Remove(Number(1), &alice);
  EXPECT_FALSE(attachments.Contains(Number(1)));
  EXPECT_EQ(0u, attachments.CountOf(&alice));
}

TEST(Attachments, WhoLeavesTakesItsOwnAlong) {
  Attachments attachments;
  const int alice = 0, bob = 0;
  for (std::size_t i = 0; i < 10; ++i) attachments.Add(Number(i), i % 2 == 0 ? &alice : &bob);
  EXPECT_EQ(5u, attachments.CountOf(&alice));
  attachments.RemoveAll(&alice);
  EXPECT_EQ(0u, attachments.CountOf(&alice));
  EXPECT_EQ(5u, attachments.CountOf(&bob));
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(i % 2 == 1, attachments.Contains(Number(i)));
}

TEST(Attachments, AnOwnerHasALimit) {
  Attachments attachments;
  const int alice = 0, bob = 0;
  for (std::size_t i = 0; i < Attachments::kMaxOfAnOwner; ++i)
    ASSERT_EQ(Outcome::kOk, attachments.Add(Number(i), &alice));
  EXPECT_EQ(Outcome::kTooMany, attachments.Add(Number(Attachments::kMaxOfAnOwner), &alice));
  EXPECT_EQ(Outcome::kOk, attachments.Add(Number(Attachments::kMaxOfAnOwner), &bob));
}

// The proxies are not connected: a node's own programs need no link.
TEST(Attachments, TheProgramsOfANodeFindEachOthersAndNoOtherNodes) {
  TestFolder folder;
  TestKmes kmes;
  TestNode a{0, folder, kmes}, b{1, folder, kmes};
  a.Start();
  b.Start();
  constexpr auto kWait = std::chrono::seconds(5);
  const auto sender = a.Client("sender"), receiver = a.Client("receiver"), elsewhere = b.Client("elsewhere");
  ASSERT_TRUE(sender->Attach(Number(1), kWait).ok());
  EXPECT_EQ(Status::Code::kInvalidArgument, receiver->Attach(Number(1), kWait).code());
  EXPECT_TRUE(receiver->IsAttached(Number(1), kWait).value());
  EXPECT_FALSE(receiver->IsAttached(Number(2), kWait).value());
  EXPECT_FALSE(elsewhere->IsAttached(Number(1), kWait).value());
  receiver->Detach(Number(1));  // it is not the receiver's
  EXPECT_TRUE(receiver->IsAttached(Number(1), kWait).value());
  const Snapshot snapshot = a.Look();
  for (const ProgramSnapshot& program : snapshot.programs)
    EXPECT_EQ(program.name == "sender" ? 1u : 0u, program.attached) << program.name;
  sender->Detach(Number(1));
  EXPECT_TRUE(Soon([&] { return !receiver->IsAttached(Number(1), kWait).value(); }));
}

TEST(Attachments, EndWithTheProgram) {
  TestFolder folder;
  TestKmes kmes;
  TestNode a{0, folder, kmes};
  a.Start();
  constexpr auto kWait = std::chrono::seconds(5);
  auto sender = a.Client("sender");
  const auto receiver = a.Client("receiver");
  ASSERT_TRUE(sender->Attach(Number(1), kWait).ok());
  ASSERT_TRUE(receiver->IsAttached(Number(1), kWait).value());
  sender.reset();
  EXPECT_TRUE(Soon([&] { return !receiver->IsAttached(Number(1), kWait).value(); }));
}

}  // namespace
}  // namespace ssn::qkdn::proxy
