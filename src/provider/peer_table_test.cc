// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/peer_table.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace ssn::provider {
namespace {

constexpr SessionId kSession{1};
constexpr FirstIv kOurs{1}, kTheirs{2};

TEST(PeerTable, TheTransmittingHalfFindsWhatTheReceivingHalfSaw) {
  PeerTable table;
  EXPECT_FALSE(table.Find(kSession, kOurs).has_value());
  table.Add(kSession, kTheirs, {7, false});
  const auto peer = table.Find(kSession, kOurs);
  ASSERT_TRUE(peer.has_value());
  EXPECT_EQ(7u, peer->node);
  EXPECT_FALSE(table.Find(SessionId{2}, kOurs).has_value());
  table.Remove(kSession, kTheirs);
  EXPECT_FALSE(table.Find(kSession, kOurs).has_value());
  table.Remove(kSession, kTheirs);
}

TEST(PeerTable, WhatAHalfReceivedIsNoPeerOfTheHalfThatSentIt) {
  PeerTable table;
  table.Add(kSession, kTheirs, {7, false});
  EXPECT_FALSE(table.Find(kSession, kTheirs).has_value());
}

TEST(PeerTable, BothEndsOfASessionInOneProcessAreKeptApart) {
  PeerTable table;
  table.Add(kSession, kTheirs, {7, true});
  table.Add(kSession, kOurs, {8, true});
  EXPECT_EQ(7u, table.Find(kSession, kOurs)->node);
  EXPECT_EQ(8u, table.Find(kSession, kTheirs)->node);
  table.Remove(kSession, kTheirs);
  EXPECT_EQ(8u, table.Find(kSession, kTheirs)->node);
}

TEST(PeerTable, AChildBeginsEmptyAndDoesNotWaitForItsParentsThreads) {
  PeerTable table;
  table.Add(kSession, kTheirs, {7, false});
  std::atomic<bool> stop = false;
  std::thread busy([&] {
    for (std::uint8_t i = 0; !stop; ++i) table.Add(SessionId{9, i}, kTheirs, {1, false});
  });
  for (int i = 0; i < 100; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(5);
      const bool empty = !table.Find(kSession, kOurs).has_value();
      table.Add(kSession, kTheirs, {3, false});
      _exit(empty && table.Find(kSession, kOurs)->node == 3 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(child, waitpid(child, &status, 0));
    ASSERT_EQ(0, status);
  }
  stop = true;
  busy.join();
  EXPECT_EQ(7u, table.Find(kSession, kOurs)->node);
}

}  // namespace
}  // namespace ssn::provider
