// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <memory>
#include <vector>

namespace ssn::tools {
namespace {

constexpr std::size_t kBlock = 8 << 20;
constexpr std::size_t kSlack = 64 << 10;

// Asks for memory in a way the compiler cannot leave out.
void Touch(void* block) { asm volatile("" : : "r"(block) : "memory"); }

class BenchMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (!kMemoryIsCounted) GTEST_SKIP() << "a sanitizer owns malloc in this build";
  }
};

TEST_F(BenchMemory, NothingTakesNothing) {
  EXPECT_EQ(PeakMemoryOf([] {}), 0u);
}

TEST_F(BenchMemory, ThePeakCountsThoughTheBlockIsFreedAgain) {
  const std::size_t peak = PeakMemoryOf([] {
    for (int i = 0; i < 3; ++i) Touch(std::make_unique_for_overwrite<char[]>(kBlock).get());
  });
  EXPECT_GE(peak, kBlock);
  EXPECT_LE(peak, kBlock + kSlack);
}

TEST_F(BenchMemory, BlocksHeldTogetherAddUp) {
  const std::size_t peak = PeakMemoryOf([] {
    std::vector<char> one(kBlock), two(kBlock);
    Touch(one.data());
    Touch(two.data());
  });
  EXPECT_GE(peak, 2 * kBlock);
  EXPECT_LE(peak, 2 * kBlock + kSlack);
}

TEST_F(BenchMemory, MappingsCount) {
  const std::size_t peak = PeakMemoryOf([] {
    void* block = mmap(nullptr, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(block, kBlock);
  });
  EXPECT_GE(peak, kBlock);
  EXPECT_LE(peak, kBlock + kSlack);
}

}  // namespace
}  // namespace ssn::tools
