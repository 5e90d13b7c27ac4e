// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/window.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace ssn::qkdn::proxy {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::unique_ptr<Window> NewWindow(std::uint64_t bytes, WindowMemory& account) {
  Result<std::unique_ptr<Window>> window = Window::Make(bytes, account);
  EXPECT_TRUE(window.ok()) << window.status().message();
  return std::move(window).value();
}

std::uint64_t BytesInFile(const Window& window) {
  struct stat info {};
  EXPECT_EQ(0, fstat(window.descriptor(), &info));
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

// The window as the program sees it, in a mapping of its own.
class Mapping {
 public:
  explicit Mapping(const Window& window)
      : size_(window.size()),
        data_(static_cast<std::uint8_t*>(
            mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, window.descriptor(), 0))) {}
  ~Mapping() { munmap(data_, size_); }
  std::uint8_t& operator[](std::uint64_t i) { return data_[i]; }

 private:
  std::uint64_t size_;
  std::uint8_t* data_;
};

bool IsZero(MutableByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

TEST(Window, SizeIsWholePagesAndAtMostOneGibibyteAndTheAccount) {
  WindowMemory account(std::uint64_t{8} << 30, false);
  EXPECT_EQ(kPage, NewWindow(1, account)->size());
  EXPECT_EQ(2 * kPage, NewWindow(kPage + 1, account)->size());
  EXPECT_EQ(Window::kMaxBytes, NewWindow(std::uint64_t{1} << 40, account)->size());
  WindowMemory small(kMiB, false);
  EXPECT_EQ(kMiB, NewWindow(kMiB * 64, small)->size());
  EXPECT_FALSE(Window::Make(0, account).ok());
}

TEST(Window, CannotBeResizedNorItsSealsChanged) {
  WindowMemory account(kMiB, false);
  const auto window = NewWindow(kMiB, account);
  const int seals = fcntl(window->descriptor(), F_GET_SEALS);
  EXPECT_EQ(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, seals);
  EXPECT_NE(0, ftruncate(window->descriptor(), 0));
  EXPECT_NE(0, ftruncate(window->descriptor(), 2 * kMiB));
  EXPECT_NE(0, fcntl(window->descriptor(), F_ADD_SEALS, F_SEAL_WRITE));
  EXPECT_NE(0, fcntl(window->descriptor(), F_GETFD) & FD_CLOEXEC);
}

TEST(Window, ProgramSeesWhatTheProxyWroteAndTheProxyItsWiping) {
  WindowMemory account(kMiB, false);
  const auto window = NewWindow(kMiB, account);
  const MutableByteSpan memory = window->Allocate(100);
  ASSERT_EQ(100u, memory.size());
  Mapping program(*window);
  memory[7] = 42;
  EXPECT_EQ(42, program[window->OffsetOf(memory) + 7]);
  program[window->OffsetOf(memory) + 7] = 0;
  EXPECT_TRUE(IsZero(memory));
}

TEST(Window, LowestRoomIsTakenFirstSoThatHotPagesServeAgain) {
  WindowMemory account(kMiB, false);
  const auto window = NewWindow(kMiB, account);
  const MutableByteSpan a = window->Allocate(kPage);
  const MutableByteSpan b = window->Allocate(3 * kPage);
  const MutableByteSpan c = window->Allocate(1);
  EXPECT_EQ(0u, window->OffsetOf(a));
  EXPECT_EQ(kPage, window->OffsetOf(b));
  EXPECT_EQ(4 * kPage, window->OffsetOf(c));
  window->Free(b);
  EXPECT_EQ(kPage, window->OffsetOf(window->Allocate(2 * kPage)));
  EXPECT_EQ(3 * kPage, window->OffsetOf(window->Allocate(1)));
  EXPECT_EQ(5 * kPage, window->OffsetOf(window->Allocate(2 * kPage)));
}

TEST(Window, FreedMemoryIsWipedAndJoinsItsNeighbours) {
  WindowMemory account(64 * kPage, false);
  const auto window = NewWindow(16 * kPage, account);
  std::vector<MutableByteSpan> pieces;
  for (int i = 0; i < 16; ++i) pieces.push_back(window->Allocate(kPage));
  EXPECT_TRUE(window->Allocate(1).empty()) << "the window is full";
  for (const MutableByteSpan& piece : pieces) std::ranges::fill(piece, std::uint8_t{0xaa});
  std::mt19937 random(7);
  std::ranges::shuffle(pieces, random);
  for (const MutableByteSpan& piece : pieces) window->Free(piece);
  EXPECT_EQ(0u, window->allocated());
  const MutableByteSpan most = window->Allocate(15 * kPage);
  ASSERT_EQ(15 * kPage, most.size()) << "all extents are one again";
  EXPECT_TRUE(IsZero(most));
  EXPECT_TRUE(IsZero(window->Allocate(kPage)));
}

TEST(Window, WhatIsNotFreedIsLeftToTheProgram) {
  WindowMemory account(kMiB, false);
  auto window = NewWindow(kMiB, account);
  Mapping program(*window);
  const std::uint64_t kept = window->OffsetOf(window->Allocate(kPage));
  const MutableByteSpan freed = window->Allocate(kPage);
  const std::uint64_t freed_at = window->OffsetOf(freed);
  program[kept] = program[freed_at] = 9;
  window->Free(freed);
  window.reset();
  EXPECT_EQ(9, program[kept]);
  EXPECT_EQ(0, program[freed_at]);
  EXPECT_EQ(0u, account.used());
}

TEST(Window, PagesAboveWhatIsKeptGoBackToTheSystem) {
  WindowMemory account(Window::kKeptBytes + 16 * kMiB, false);
  const auto window = NewWindow(Window::kKeptBytes + 16 * kMiB, account);
  const MutableByteSpan low = window->Allocate(Window::kKeptBytes - kMiB);
  const MutableByteSpan high = window->Allocate(4 * kMiB);
  std::ranges::fill(low, std::uint8_t{1});
  std::ranges::fill(high, std::uint8_t{1});
  EXPECT_EQ(Window::kKeptBytes + 3 * kMiB, account.used());
  EXPECT_EQ(Window::kKeptBytes + 3 * kMiB, BytesInFile(*window));
  window->Free(high);
  EXPECT_EQ(Window::kKeptBytes, account.used());
  EXPECT_EQ(Window::kKeptBytes, BytesInFile(*window));
  window->Free(low);
  EXPECT_EQ(Window::kKeptBytes, account.used()) << "those stay for the next grant";
  window->Trim();
  EXPECT_EQ(0u, account.used());
  EXPECT_EQ(0u, BytesInFile(*window));
}

TEST(Window, AccountBoundsAllWindowsTogether) {
  WindowMemory account(4 * kMiB, false);
  const auto a = NewWindow(4 * kMiB, account);
  const auto b = NewWindow(4 * kMiB, account);
  const MutableByteSpan in_a = a->Allocate(3 * kMiB);
  ASSERT_FALSE(in_a.empty());
  EXPECT_TRUE(b->Allocate(2 * kMiB).empty());
  const MutableByteSpan in_b = b->Allocate(kMiB - WindowMemory::KeptForSmall(account.max()));
  EXPECT_FALSE(in_b.empty());
  EXPECT_TRUE(b->Allocate(kPage + 1).empty());
  for (std::uint64_t left = WindowMemory::KeptForSmall(account.max()); left > 0; left -= kPage)
    EXPECT_FALSE(b->Allocate(kPage).empty()) << left << " bytes are kept for small grants";
  EXPECT_TRUE(b->Allocate(1).empty());
  EXPECT_EQ(4 * kMiB, account.used());
  a->Free(in_a);
  EXPECT_EQ(4 * kMiB, account.used()) << "kept by a";
  const MutableByteSpan more = b->Allocate(2 * kMiB);
  EXPECT_EQ(2 * kMiB, more.size()) << "a gives up what it only keeps";
  EXPECT_EQ(3 * kMiB, account.used());
}

TEST(Window, SmallGrantsFindRoomWhenLargeOnesHaveTakenTheRest) {
  WindowMemory account(64 * kMiB, false);
  const auto window = NewWindow(kMiB, account);
  EXPECT_EQ(kMiB, window->MostFor(kPage));
  EXPECT_EQ(kMiB - 16 * kPage, window->MostFor(kPage + 1));
  EXPECT_TRUE(window->Allocate(kMiB - 15 * kPage).empty());
  while (!window->Allocate(2 * kPage).empty()) {
  }
  EXPECT_EQ(kMiB - 16 * kPage, window->allocated());
  for (int i = 0; i < 16; ++i) EXPECT_EQ(kPage, window->Allocate(kPage).size());
  EXPECT_TRUE(window->Allocate(1).empty());
}

TEST(Window, LargeGrantsDoNotTakePagesThatSmallOnesBroughtIntoAFullAccount) {
  WindowMemory account(4 * kMiB, false);
  const std::uint64_t kept = WindowMemory::KeptForSmall(account.max());
  const auto a = NewWindow(4 * kMiB, account);
  const auto b = NewWindow(4 * kMiB, account);
  ASSERT_FALSE(b->Allocate(2 * kMiB).empty());
  ASSERT_FALSE(a->Allocate(2 * kMiB - kept).empty());
  std::vector<MutableByteSpan> small;
  for (std::uint64_t taken = 0; taken < kept; taken += kPage) small.push_back(a->Allocate(kPage));
  for (const MutableByteSpan& grant : small) a->Free(grant);
  ASSERT_EQ(account.max(), account.used()) << "a keeps their pages";
  EXPECT_TRUE(a->Allocate(2 * kPage).empty());
  EXPECT_FALSE(b->Allocate(kPage).empty());
}

TEST(Window, BooksOfTheAccountStayExactUnderAnyOrder) {
  WindowMemory account(24 * kMiB, false);
  std::mt19937 random(std::random_device{}());
  std::vector<std::unique_ptr<Window>> windows;
  for (int i = 0; i < 3; ++i) windows.push_back(NewWindow(32 * kMiB, account));
  std::vector<std::pair<Window*, MutableByteSpan>> held;
  for (int i = 0; i < 3000; ++i) {
    if (random() % 2 == 0) {
      Window* window = windows[random() % windows.size()].get();
      const MutableByteSpan memory = window->Allocate(1 + random() % (2 * kMiB));
      if (!memory.empty()) held.emplace_back(window, memory);
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      held.back().first->Free(held.back().second);
      held.pop_back();
    }
    std::uint64_t resident = 0;
    for (const auto& window : windows) resident += window->resident();
    ASSERT_EQ(resident, account.used());
    ASSERT_LE(account.used(), account.max());
  }
  windows.clear();
  EXPECT_EQ(0u, account.used());
}

TEST(Window, MemoryThatCannotBeLockedIsRefusedOnlyIfLockingIsRequired) {
  WindowMemory tries(kMiB, false);
  WindowMemory requires_it(kMiB, true);
  const bool locked = NewWindow(kMiB, tries)->locked();
  EXPECT_EQ(locked, Window::Make(kMiB, requires_it).ok());
}

}  // namespace
}  // namespace ssn::qkdn::proxy
