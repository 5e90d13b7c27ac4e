// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/settings.h"

#include <gtest/gtest.h>

#include <map>

namespace ssn::provider {
namespace {

using std::chrono::milliseconds;

Settings Read(const std::map<std::string, std::string>& section) {
  return ReadSettings(
      [&](const char* key) -> std::optional<std::string> {
        const auto found = section.find(key);
        if (found == section.end()) return std::nullopt;
        return found->second;
      },
      {"/usr/bin/ceph-osd", "-i", "3"});
}

TEST(Settings, AnEmptySectionHasWorkingValues) {
  const Settings settings = Read({});
  EXPECT_EQ("/run/ssn/pad.sock", settings.client.socket_path);
  EXPECT_EQ("osd.3", settings.client.program);
  EXPECT_EQ(milliseconds(2000), settings.wait);
  EXPECT_EQ(milliseconds(20), settings.client.dry_wait);
  EXPECT_TRUE(PadClient::Make(settings.client).ok());
}

TEST(Settings, WhatIsWrittenCounts) {
  const Settings settings = Read({{"socket", "/tmp/s"}, {"wait_ms", "250"}, {"dry_wait_ms", "0"}});
  EXPECT_EQ("/tmp/s", settings.client.socket_path);
  EXPECT_EQ(milliseconds(250), settings.wait);
  EXPECT_EQ(milliseconds(0), settings.client.dry_wait);
}

TEST(Settings, AValueThatIsNoneIsLeftOut) {
  for (const char* wrong : {"", "x", "-1", "1s", "99999999999999999999"}) {
    const Settings settings = Read({{"wait_ms", wrong}});
    EXPECT_EQ(milliseconds(2000), settings.wait) << wrong;
  }
  const Settings longest = Read({{"wait_ms", "4000000000"}, {"dry_wait_ms", "4000000000"}});
  EXPECT_EQ(milliseconds(10000), longest.wait);
  EXPECT_TRUE(PadClient::Make(longest.client).ok());
  EXPECT_TRUE(PadClient::Make(Read({{"wait_ms", "0"}}).client).ok());
}

}  // namespace
}  // namespace ssn::provider
