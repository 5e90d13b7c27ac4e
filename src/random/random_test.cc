// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/random.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace ssn {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes Draw(RandomSource& source, std::size_t size) {
  Bytes bytes(size);
  const Status status = source.Fill(bytes);
  EXPECT_TRUE(status.ok()) << status.message();
  return bytes;
}

class EverySource : public testing::TestWithParam<const char*> {
 protected:
  std::shared_ptr<RandomSource> source_ = OpenRandomSource(GetParam()).value();
};

TEST_P(EverySource, FillsEveryByteOfAnyLength) {
  for (const std::size_t size : {0u, 1u, 15u, 65535u, 65536u, 65537u, 200000u}) {
    // A byte that is zero in each of 4 draws was not written (chance 2^-32 for each byte).
    Bytes seen(size);
    for (int draw = 0; draw < 4; ++draw) {
      const Bytes bytes = Draw(*source_, size);
      for (std::size_t i = 0; i < size; ++i) seen[i] |= bytes[i];
    }
    EXPECT_EQ(0, std::count(seen.begin(), seen.end(), 0)) << "of " << size;
  }
}

TEST_P(EverySource, EveryByteValueIsAboutAsFrequent) {
  constexpr std::size_t kDraws = 1 << 20;
  std::vector<double> counts(256);
  for (const std::uint8_t b : Draw(*source_, kDraws)) ++counts[b];
  double chi_square = 0;
  for (const double count : counts) chi_square += std::pow(count - kDraws / 256.0, 2) / (kDraws / 256.0);
  // 255 degrees of freedom: mean 255, deviation 22.6; eleven deviations never happen by chance.
  EXPECT_LT(chi_square, 510);
}

TEST_P(EverySource, ThreadsDrawDifferentBytes) {
  std::vector<Bytes> draws(8);
  std::vector<std::thread> threads;
  for (Bytes& draw : draws) threads.emplace_back([&] { draw = Draw(*source_, 32); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(draws.size(), std::set<Bytes>(draws.begin(), draws.end()).size());
}

TEST_P(EverySource, ParentAndChildOfAForkDrawDifferentBytes) {
  Draw(*source_, 32);  // the generator of this thread is running before the fork
  int ends[2];
  ASSERT_EQ(0, pipe(ends));
  const pid_t child = fork();
  if (child == 0) {
    const Bytes bytes = Draw(*source_, 32);
    _exit(write(ends[1], bytes.data(), bytes.size()) == 32 ? 0 : 1);
  }
  const Bytes ours = Draw(*source_, 32);
  Bytes theirs(32);
  ASSERT_EQ(32, read(ends[0], theirs.data(), theirs.size()));
  int status = 0;
  waitpid(child, &status, 0);
  close(ends[0]);
  close(ends[1]);
  EXPECT_EQ(0, status);
  EXPECT_NE(ours, theirs);
}

INSTANTIATE_TEST_SUITE_P(Random, EverySource, testing::Values("drbg", "kernel", "file:/dev/urandom"),
                         [](const auto& source) { return std::string(source.param).substr(0, 4); });

TEST(FileSource, GivesTheBytesOfAPipeAndFailsAtItsEnd) {
  const std::string path = testing::TempDir() + "/random-source-" + std::to_string(getpid());
  ASSERT_EQ(0, mkfifo(path.c_str(), 0600));
  std::thread writer([&path] { std::ofstream(path) << "0123456789"; });
  const auto source = OpenRandomSource("file:" + path).value();
  EXPECT_EQ((Bytes{'0', '1', '2', '3'}), Draw(*source, 4));
  EXPECT_EQ((Bytes{'4', '5'}), Draw(*source, 2));
  Bytes more(5);
  const Status status = source->Fill(more);
  writer.join();
  EXPECT_EQ(Status::Code::kUnavailable, status.code());
  EXPECT_EQ("random source " + path + ": read: end of file", status.message());
  unlink(path.c_str());
}

TEST(FileSource, ARegularFileIsRefusedBecauseItWouldRepeat) {
  const std::string path = testing::TempDir() + "/random-file-" + std::to_string(getpid());
  std::ofstream(path) << "0123456789";
  Bytes bytes(4);
  EXPECT_EQ("random source " + path + ": open: neither a character device nor a pipe",
            OpenRandomSource("file:" + path).value()->Fill(bytes).message());
  unlink(path.c_str());
}

TEST(FileSource, AMissingDeviceIsAnErrorAtTheFirstFill) {
  const auto source = OpenRandomSource("file:/nonexistent/generator").value();
  Bytes bytes(1);
  EXPECT_EQ("random source /nonexistent/generator: open: No such file or directory",
            source->Fill(bytes).message());
}

TEST(OpenRandomSource, RefusesWhatItDoesNotKnow) {
  for (const char* name : {"", "Drbg", "file:", "file:relative", "rdrand"}) {
    const auto source = OpenRandomSource(name);
    ASSERT_FALSE(source.ok()) << name;
    EXPECT_NE(std::string::npos, source.status().message().find(std::string("'") + name + "'"));
  }
}

}  // namespace
}  // namespace ssn
