// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/command_line.h"

#include <gtest/gtest.h>

namespace ssn::provider {
namespace {

TEST(ProgramName, IsThatOfTheDaemonInTheCluster) {
  EXPECT_EQ("osd.3", ProgramName({"/usr/bin/ceph-osd", "--foreground", "--id", "3"}));
  EXPECT_EQ("mon.a", ProgramName({"ceph-mon", "--id=a"}));
  EXPECT_EQ("mgr.x", ProgramName({"ceph-mgr", "-n", "mgr.x"}));
  EXPECT_EQ("client.backup", ProgramName({"/usr/bin/rados", "--name", "client.backup", "ls"}));
  EXPECT_EQ("python3", ProgramName({"/usr/bin/python3", "-i", "x"}));
  EXPECT_EQ("unknown", ProgramName({}));
  EXPECT_EQ("unknown", ProgramName({"/"}));
  EXPECT_EQ("unknown", ProgramName({"ceph-osd", "-n", ""}));
  EXPECT_EQ("a?b", ProgramName({"a\nb"}));
  EXPECT_EQ(32u, ProgramName({std::string(100, 'n')}).size());
}

}  // namespace
}  // namespace ssn::provider
