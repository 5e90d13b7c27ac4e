// SPDX-License-Identifier: LGPL-2.1-or-later
// The built libec_ssn.so, loaded and called as a daemon does.
#include <gtest/gtest.h>

#include <cerrno>
#include <random>
#include <thread>

#include "tools/plugin_host.h"

namespace ssn::tools {
namespace {

using ceph::ErasureCodeInterfaceRef;
using ceph::ErasureCodeProfile;
using Chunks = ceph::ErasureCodeInterface::Chunks;
using ceph::buffer::list;

ErasureCodeInterfaceRef Make(const ErasureCodeProfile& keys) {
  const auto plugin = HostedPlugin::Load("ssn", SSN_PLUGIN_DIR);
  EXPECT_TRUE(plugin.ok()) << plugin.status().message();
  auto code = plugin.value().Instantiate(keys);
  EXPECT_TRUE(code.ok()) << code.status().message();
  return code.value();
}

list RandomStripe(unsigned bytes, unsigned seed) {
  std::mt19937 engine(seed);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(engine());
  list stripe;
  stripe.append(text);
  return stripe;
}

std::set<int> Range(unsigned end) {
  std::set<int> numbers;
  for (unsigned i = 0; i < end; ++i) numbers.insert(static_cast<int>(i));
  return numbers;
}

Chunks Encode(ceph::ErasureCodeInterface& code, const list& stripe) {
  Chunks chunks;
  EXPECT_EQ(0, code.encode(Range(code.get_chunk_count()), stripe, &chunks));
  return chunks;
}

Chunks Only(const Chunks& all, const std::set<int>& shards) {
  Chunks some;
  for (const int shard : shards) some[shard] = all.at(shard);
  return some;
}

struct Case {
  const char* name;
  ErasureCodeProfile keys;
  unsigned t;
};

class EveryScheme : public testing::TestWithParam<Case> {
 protected:
  const ErasureCodeInterfaceRef code_ = Make(GetParam().keys);
  const unsigned n_ = code_->get_chunk_count();
  const unsigned stripe_bytes_ = static_cast<unsigned>(std::stoul(code_->get_profile().at("stripe_unit"))) *
                                 code_->get_data_chunk_count();
};

TEST_P(EveryScheme, NumbersAreThoseCephComputesWith) {
  EXPECT_EQ(n_, code_->get_data_chunk_count() + code_->get_coding_chunk_count());
  EXPECT_EQ(code_->get_profile().at("k"), std::to_string(code_->get_data_chunk_count()));
  EXPECT_EQ(code_->get_profile().at("m"), std::to_string(code_->get_coding_chunk_count()));
  // ECBackend asserts this when a placement group is loaded.
  EXPECT_EQ(stripe_bytes_, code_->get_data_chunk_count() * code_->get_chunk_size(stripe_bytes_));
  EXPECT_EQ(1, code_->get_sub_chunk_count());
  EXPECT_TRUE(code_->get_chunk_mapping().empty());
}

TEST_P(EveryScheme, AnyTChunksGiveTheStripeAndFewerAreNeverAsked) {
  const list stripe = RandomStripe(stripe_bytes_, 1);
  const Chunks chunks = Encode(*code_, stripe);
  ASSERT_EQ(n_, chunks.size());
  for (unsigned first = 0; first < n_; ++first) {
    std::set<int> available;
    for (unsigned i = 0; i < GetParam().t; ++i) available.insert(static_cast<int>((first + i) % n_));
    ceph::ErasureCodeInterface::Minimum minimum;
    ASSERT_EQ(0, code_->minimum_to_decode({0}, available, &minimum));
    ASSERT_EQ(GetParam().t, minimum.size());
    for (const auto& [shard, runs] : minimum) {
      EXPECT_EQ(1u, available.count(shard));
      EXPECT_EQ((std::vector<std::pair<int, int>>{{0, 1}}), runs);
    }
    list out;
    ASSERT_EQ(0, code_->decode_concat(Only(chunks, available), &out));
    EXPECT_TRUE(out.contents_equal(stripe));
    available.erase(available.begin());
    EXPECT_EQ(-EIO, code_->minimum_to_decode({0}, available, &minimum));
  }
}

TEST_P(EveryScheme, DecodeGivesTheSharesThatWereLostBitForBit) {
  const Chunks chunks = Encode(*code_, RandomStripe(stripe_bytes_, 2));
  for (unsigned first = 0; first < n_; ++first) {
    std::set<int> available;
    for (unsigned i = 0; i < GetParam().t; ++i) available.insert(static_cast<int>((first + i) % n_));
    Chunks decoded;
    ASSERT_EQ(0, code_->decode(Range(n_), Only(chunks, available), &decoded,
                               static_cast<int>(chunks.at(0).length())));
    for (const auto& [shard, bytes] : chunks) EXPECT_TRUE(bytes.contents_equal(decoded.at(shard))) << shard;
  }
}

TEST_P(EveryScheme, NoChunkHoldsPlaintext) {
  std::string text;
  while (text.size() < stripe_bytes_) text += "a line that must not be found in any share. ";
  text.resize(stripe_bytes_);
  list stripe;
  stripe.append(text);
  for (const auto& [shard, bytes] : Encode(*code_, stripe)) {
    list copy = bytes;
    EXPECT_EQ(std::string::npos, std::string(copy.c_str(), copy.length()).find("must not")) << shard;
  }
}

TEST_P(EveryScheme, TheSameStripeIsNeverSharedTheSameWay) {
  const list stripe = RandomStripe(stripe_bytes_, 3);
  const Chunks first = Encode(*code_, stripe);
  const Chunks second = Encode(*code_, stripe);
  for (const auto& [shard, bytes] : first) EXPECT_FALSE(bytes.contents_equal(second.at(shard))) << shard;
}

TEST_P(EveryScheme, AStripeInManyPiecesIsReadAsOne) {
  const list whole = RandomStripe(stripe_bytes_, 4);
  list pieces;
  for (unsigned offset = 0; offset < stripe_bytes_; offset += 1000) {
    list piece;
    list copy;
    piece.substr_of(whole, offset, std::min(1000u, stripe_bytes_ - offset));
    copy.append(piece.c_str(), piece.length());
    pieces.claim_append(copy);
  }
  ASSERT_FALSE(pieces.is_contiguous());
  list out;
  ASSERT_EQ(0, code_->decode_concat(Encode(*code_, pieces), &out));
  EXPECT_TRUE(out.contents_equal(whole));
}

TEST_P(EveryScheme, AShortStripeIsFilledWithZeros) {
  const list head = RandomStripe(100, 5);
  list out;
  ASSERT_EQ(0, code_->decode_concat(Encode(*code_, head), &out));
  ASSERT_GE(out.length(), 100u);
  list start;
  list rest;
  start.substr_of(out, 0, 100);
  rest.substr_of(out, 100, out.length() - 100);
  EXPECT_TRUE(start.contents_equal(head));
  EXPECT_TRUE(rest.is_zero());
  EXPECT_EQ(0u, Encode(*code_, list()).at(0).length());
}

TEST_P(EveryScheme, ManyThreadsUseOneInstance) {
  const list stripe = RandomStripe(stripe_bytes_, 6);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int& mistakes : wrong)
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        Chunks chunks;
        list out;
        if (code_->encode(Range(n_), stripe, &chunks) != 0 || code_->decode_concat(chunks, &out) != 0 ||
            !out.contents_equal(stripe))
          ++mistakes;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::vector<int>(wrong.size()), wrong);
}

INSTANTIATE_TEST_SUITE_P(
    Plugin, EveryScheme,
    testing::Values(Case{"shamir", {}, 3}, Case{"shamir_verify", {{"verify", "2"}}, 3},
                    Case{"shamir_2_2", {{"t", "2"}, {"n", "2"}}, 2},
                    Case{"shamir_wide", {{"t", "60"}, {"n", "127"}, {"stripe_unit", "4096"}}, 60},
                    Case{"ramp", {{"scheme", "ramp"}, {"t", "4"}, {"l", "2"}, {"n", "6"}}, 4},
                    Case{"ramp_three",
                         {{"scheme", "ramp"}, {"t", "5"}, {"l", "3"}, {"n", "7"}, {"stripe_unit", "4096"}},
                         5},
                    Case{"xor", {{"scheme", "xor"}}, 3},
                    Case{"xor_17", {{"scheme", "xor"}, {"t", "4"}, {"n", "9"}, {"stripe_unit", "4096"}}, 4},
                    Case{
                        "xor_257", {{"scheme", "xor"}, {"t", "2"}, {"n", "20"}, {"stripe_unit", "8192"}}, 2}),
    [](const auto& scheme) { return std::string(scheme.param.name); });

TEST(Verify, ReadsExtraSharesAndCorrectsAWrongOne) {
  const auto code = Make({{"verify", "2"}});
  const list stripe = RandomStripe(65536, 7);
  Chunks chunks = Encode(*code, stripe);
  ceph::ErasureCodeInterface::Minimum minimum;
  ASSERT_EQ(0, code->minimum_to_decode({0}, Range(5), &minimum));
  EXPECT_EQ(5u, minimum.size());
  ASSERT_EQ(0, code->minimum_to_decode({0}, Range(4), &minimum));
  EXPECT_EQ(4u, minimum.size());  // degraded: what there is

  list good = chunks[1];
  list bad = RandomStripe(65536, 8);
  chunks[1] = bad;
  list out;
  testing::internal::CaptureStderr();
  ASSERT_EQ(0, code->decode_concat(chunks, &out));
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(out.contents_equal(stripe));
  EXPECT_NE(std::string::npos,
            told.find("ssn: read: shard 1 held wrong bytes, corrected from the other shares"))
      << told;
  Chunks decoded;
  ASSERT_EQ(0, code->decode({1, 2}, chunks, &decoded, 65536));
  EXPECT_TRUE(decoded.at(1).contents_equal(good));
}

TEST(Verify, ZeroesTheBytesThatCannotBeDecidedAndTellsOfIt) {
  const auto code = Make({{"verify", "1"}});
  const list stripe = RandomStripe(65536, 9);
  Chunks chunks = Only(Encode(*code, stripe), Range(4));
  chunks[2].c_str()[500] ^= 1;
  list out;
  testing::internal::CaptureStderr();
  ASSERT_EQ(0, code->decode_concat(chunks, &out));
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(std::string::npos, told.find("the shares disagree in 1 bytes")) << told;
  list before;
  list after;
  list expected;
  before.substr_of(out, 0, 500);
  expected.substr_of(stripe, 0, 500);
  EXPECT_TRUE(before.contents_equal(expected));
  EXPECT_EQ(0, out[500]);
  after.substr_of(out, 501, 65536 - 501);
  expected.substr_of(stripe, 501, 65536 - 501);
  EXPECT_TRUE(after.contents_equal(expected));
}

TEST(RandomSource, ADeviceThatFailsStopsTheWriteRatherThanWeakenIt) {
  const auto code = Make({{"rng", "file:/nonexistent/generator"}});
  Chunks chunks;
  testing::internal::CaptureStderr();
  EXPECT_EQ(-EAGAIN, code->encode(Range(5), RandomStripe(65536, 10), &chunks));
  EXPECT_NE(std::string::npos,
            testing::internal::GetCapturedStderr().find(
                "ssn: encode: random source /nonexistent/generator: open: No such file or directory"));
}

TEST(BadProfile, IsRefusedInTheWordsTheOperatorSees) {
  const auto plugin = HostedPlugin::Load("ssn", SSN_PLUGIN_DIR);
  const auto code = plugin.value().Instantiate({{"t", "9"}});
  ASSERT_FALSE(code.ok());
  EXPECT_NE(std::string::npos, code.status().message().find("t=9 is outside 2..n=5"))
      << code.status().message();
}

TEST(Init, TwiceOnOneInstanceIsHowTheMonitorDoesIt) {
  const auto code = Make({});
  ErasureCodeProfile keys = code->get_profile();
  EXPECT_EQ(0, code->init(keys, nullptr));
  EXPECT_EQ(keys, code->get_profile());
}

}  // namespace
}  // namespace ssn::tools
