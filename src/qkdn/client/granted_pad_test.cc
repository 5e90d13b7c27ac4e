// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/granted_pad.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace ssn::qkdn::client {
namespace {

constexpr std::uint64_t kWindow = 1000;

// Position is no matter here.
north::Grant At(std::uint32_t handle, std::uint64_t offset, std::uint64_t window_offset,
                std::uint64_t length) {
  return {handle, offset, 0, window_offset, length};
}

class GrantedPadTest : public testing::Test {
 protected:
  GrantedPadTest() {
    EXPECT_TRUE(pad_.Open(1).ok());
    EXPECT_TRUE(pad_.Open(2).ok());
  }
  std::string Add(const north::Grant& grant) { return pad_.Add(grant).message(); }

  GrantedPad pad_{kWindow};
};

TEST_F(GrantedPadTest, TakesWhatLiesSideBySide) {
  EXPECT_EQ("", Add(At(1, 0, 100, 50)));
  EXPECT_EQ("", Add(At(1, 50, 150, 50)));
  EXPECT_EQ("", Add(At(2, 0, 99, 1)));
  EXPECT_EQ("", Add(At(2, 1, 0, 99)));
  EXPECT_EQ("", Add(At(2, 100, 200, 800)));
}

TEST_F(GrantedPadTest, RefusesWhatLiesOutside) {
  EXPECT_EQ("Grant: handle 1: 1 bytes at 1000 of a window of 1000", Add(At(1, 0, 1000, 1)));
  EXPECT_EQ("Grant: handle 1: 2 bytes at 999 of a window of 1000", Add(At(1, 0, 999, 2)));
  EXPECT_NE("", Add(At(1, 0, UINT64_MAX - 5, 5)));
  EXPECT_NE("", Add(At(1, 0, 0, UINT64_MAX)));
}

TEST_F(GrantedPadTest, RefusesEveryKindOfOverlap) {
  EXPECT_EQ("", Add(At(1, 0, 100, 100)));
  for (const auto& [begin, length] : {std::pair{100, 100}, {99, 2}, {199, 1}, {150, 10}, {50, 200}, {100, 1}})
    EXPECT_EQ("Grant: handle 2: " + std::to_string(length) + " bytes at " + std::to_string(begin) +
                  " of the window overlap pad at hand",
              Add(At(2, 0, static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(length))));
}

TEST_F(GrantedPadTest, RefusesAnOffsetThatDoesNotContinue) {
  EXPECT_EQ("Grant: handle 1: offset=1 where 0 is next", Add(At(1, 1, 0, 10)));
  EXPECT_EQ("", Add(At(1, 0, 0, 10)));
  EXPECT_NE("", Add(At(1, 0, 10, 10)));
  EXPECT_NE("", Add(At(1, 9, 10, 10)));
  EXPECT_EQ("Grant: handle 1: offset=11 where 10 is next", Add(At(1, 11, 10, 10)));
}

TEST_F(GrantedPadTest, AHandleIsGivenOnce) {
  EXPECT_EQ("Opened: handle 2 is in use", pad_.Open(2).message());
  pad_.Close(2);
  EXPECT_FALSE(pad_.IsOpen(2));
  EXPECT_TRUE(pad_.Open(2).ok());
}

TEST_F(GrantedPadTest, ReleasedMemoryMayBeGrantedAgainAndNoOther) {
  EXPECT_EQ("", Add(At(1, 0, 0, 100)));
  EXPECT_EQ("", Add(At(1, 100, 500, 100)));
  pad_.Release(1, 30);
  EXPECT_EQ("", Add(At(2, 0, 0, 30)));
  EXPECT_NE("", Add(At(2, 30, 30, 1)));
  pad_.Release(1, 130);
  EXPECT_EQ("", Add(At(2, 30, 30, 70)));
  EXPECT_EQ("", Add(At(2, 100, 500, 30)));
  EXPECT_NE("", Add(At(2, 130, 530, 1)));
  pad_.Close(1);
  EXPECT_EQ("", Add(At(2, 130, 530, 70)));
}

TEST_F(GrantedPadTest, AgreesWithAMapOfBytes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  std::vector<unsigned> owner(kWindow);  // 0: free
  struct Model {
    std::uint64_t next = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> bytes;  // offset, place
  };
  std::vector<Model> models(3);
  for (int step = 0; step < 20000; ++step) {
    const auto handle = static_cast<std::uint32_t>(1 + generator() % 2);
    Model& model = models[handle];
    if (generator() % 3 != 0) {
      const std::uint64_t begin = generator() % kWindow, length = 1 + generator() % 60;
      bool fits = begin + length <= kWindow;
      for (std::uint64_t i = begin; fits && i < begin + length; ++i) fits = owner[i] == 0;
      ASSERT_EQ(fits, pad_.Add(At(handle, model.next, begin, length)).ok());
      for (std::uint64_t i = 0; fits && i < length; ++i) {
        owner[begin + i] = handle;
        model.bytes.emplace_back(model.next++, begin + i);
      }
    } else {
      const std::uint64_t offset = model.next - std::min<std::uint64_t>(model.next, generator() % 120);
      pad_.Release(handle, offset);
      std::erase_if(model.bytes, [&](const auto& byte) {
        if (byte.first >= offset) return false;
        owner[byte.second] = 0;
        return true;
      });
    }
  }
}

}  // namespace
}  // namespace ssn::qkdn::client
