// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_keys.h"

#include <gtest/gtest.h>

namespace ssn::tools {
namespace {

constexpr std::string_view kStatus =
    R"({"node":0,"name":"node-0","capacity":16777216,"low":8388608,"high":15099494,
"reserve":262144,"links":[{"peer":12,"name":"node-12","state":"up","waiting":0,
"tx":{"held":8388608,"reservoir":8388608,"fetched":9,"granted":1,"used":1,"burnt":2048,"rate_in":1000,"rate_use":3048576,"seconds_to_dry":300},
"rx":{"held":12,"reservoir":12,"fetched":9,"granted":1,"used":1,"burnt":0,"rate_in":0,"rate_use":0,"seconds_to_dry":null}}],
"links_left_out":2,"programs":[{"name":"osd.3","pid":7,"uid":64045,"streams":4}],"programs_left_out":1})";

TEST(SsnKeys, TableHasTwoLinesForEachLink) {
  const Result<std::string> table = FormatKeys(kStatus);
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(
      "node node-0 (0), 2 programs\n"
      "PEER          PAD      STATE                 HELD  FILL        IN        USE    BURNT  DRY IN\n"
      "node-12 (12)  to it    up     8.0 MiB of 16.0 MiB  50 %  1000 B/s  2.9 MiB/s  2.0 KiB   5 min\n"
      "              from it            12 B of 16.0 MiB   0 %     0 B/s      0 B/s      0 B   never\n"
      "and 2 more\n",
      table.value());
}

TEST(SsnKeys, AnswerThatIsNoStatusIsAnError) {
  for (const char* text : {"", "{}", "[]", "{\"capacity\":\"much\"}"})
    EXPECT_EQ(Status::Code::kCorrupt, FormatKeys(text).status().code()) << text;
}

}  // namespace
}  // namespace ssn::tools
