// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/secret.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

namespace ssn {
namespace {

// The flags the kernel keeps for the mapping that starts at `address`, from /proc/self/smaps.
std::string MappingFlags(const void* address) {
  char start[32];
  std::snprintf(start, sizeof start, "%lx-", reinterpret_cast<unsigned long>(address));
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    if (line.find('-') != std::string::npos && line.find("kB") == std::string::npos && line[0] != 'V')
      inside = line.rfind(start, 0) == 0;
    if (inside && line.rfind("VmFlags:", 0) == 0) return line + " ";
  }
  return {};
}

TEST(Secret, WipeLeavesZeros) {
  std::uint8_t bytes[70];
  std::fill(std::begin(bytes), std::end(bytes), std::uint8_t{0xA5});
  Wipe(MutableByteSpan(bytes).first(69));
  EXPECT_TRUE(std::all_of(bytes, bytes + 69, [](auto b) { return b == 0; }));
  EXPECT_EQ(0xA5, bytes[69]);
}

TEST(Secret, NewBytesAreZeroAndWritable) {
  SecretBytes secret(5000);
  EXPECT_TRUE(std::all_of(secret.data(), secret.data() + secret.size(), [](auto b) { return b == 0; }));
  secret.span().back() = 1;
}

TEST(Secret, PagesAreExcludedFromDumpsAndLocked) {
  SecretBytes secret(4096);
  const std::string flags = MappingFlags(secret.data());
  EXPECT_NE(std::string::npos, flags.find(" dd ")) << flags;
  EXPECT_NE(std::string::npos, flags.find(" wf ")) << flags;
  EXPECT_EQ(secret.locked(), flags.find(" lo ") != std::string::npos) << flags;
}

TEST(Secret, AChildOfForkFindsZeros) {
  SecretBytes secret(16);
  secret.span()[3] = 0x5A;
  const pid_t child = fork();
  if (child == 0) _exit(secret.span()[3]);
  int status = 0;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  EXPECT_EQ(0, WEXITSTATUS(status));
  EXPECT_EQ(0x5A, secret.span()[3]);
}

TEST(Secret, MovingHandsTheBytesOver) {
  SecretBytes first(8);
  first.span()[0] = 7;
  SecretBytes second(std::move(first));
  EXPECT_EQ(7, second.span()[0]);
  EXPECT_EQ(0u, first.size());  // NOLINT(bugprone-use-after-move): the contract is an empty object
  second = SecretBytes();
  EXPECT_EQ(nullptr, second.data());
}

}  // namespace
}  // namespace ssn
