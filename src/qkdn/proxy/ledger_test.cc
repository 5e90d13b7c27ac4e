// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/ledger.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace ssn::qkdn::proxy {
namespace {

class Events final : public AuditSink {
 public:
  void Record(const AuditEvent& event) override { all.push_back(event); }
  std::vector<AuditEvent> all;
};

TEST(Ledger, EveryEventNamesWhatItIsAboutAndWhatCameOfIt) {
  Events events;
  Ledger ledger(events, 1, 2);
  StreamId stream{};
  stream[0] = 0xab;
  const std::string hex = "ab" + std::string(30, '0');
  ledger.Fetched(500, 7);
  ledger.BurntOfBatch(7, 32, BurnReason::kCheck);
  ledger.Granted(200, 40, stream);
  ledger.Used(150, stream, 40);
  ledger.BurntOfStream(stream, 50, BurnReason::kStreamClosed, 190);
  ledger.Burnt(268, BurnReason::kEpochEnded, 240);
  struct Expected {
    const char* event;
    std::uint64_t bytes;
    std::string id;
    std::uint64_t position;
    const char* outcome;
  };
  const std::vector<Expected> expected = {
      {"supply", 500, "7", 0, "fetched"},      {"burn", 32, "7", 0, "check"},
      {"grant", 200, hex, 40, "granted"},      {"use", 150, hex, 40, "used"},
      {"burn", 50, hex, 190, "stream_closed"}, {"burn", 268, "", 240, "epoch_ended"}};
  ASSERT_EQ(expected.size(), events.all.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const AuditEvent& event = events.all[i];
    EXPECT_EQ(expected[i].event, event.event);
    EXPECT_EQ(expected[i].bytes, event.bytes) << event.event;
    EXPECT_EQ(expected[i].id, event.id) << event.outcome;
    EXPECT_EQ(expected[i].position, event.position) << event.outcome;
    EXPECT_EQ(expected[i].outcome, event.outcome);
  }
  EXPECT_EQ(ledger.fetched(), ledger.used() + ledger.burnt());
}

TEST(Ledger, NoTwoReasonsShareAName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(BurnReason::kNumReasons); ++i)
    EXPECT_TRUE(names.insert(Name(static_cast<BurnReason>(i))).second) << i;
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace ssn::qkdn::proxy
