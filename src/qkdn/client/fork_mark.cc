// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/fork_mark.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <new>

namespace ssn::qkdn::client {
namespace {

// Nothing here is made at first use or destroyed at exit: a fork or another thread could be in the midst of
// it.
constinit std::mutex mutex;
constinit ForkClosed* first = nullptr;

using Mark = std::atomic<std::uint64_t>;
constinit Mark mark_in_data{1};
constinit Mark next_mark{2};
constinit std::atomic<Mark*> mark{&mark_in_data};  // 0 in a child that has not asked yet

}  // namespace

struct ForkHandlers {
  static void Prepare() { mutex.lock(); }
  static void Parent() { mutex.unlock(); }
  static void Child() {
    mark.load(std::memory_order_relaxed)->store(0, std::memory_order_relaxed);
    for (ForkClosed* closed = first; closed != nullptr; closed = closed->next_) {
      if (closed->fd_ >= 0) close(closed->fd_);
      closed->fd_ = -1;
    }
    first = nullptr;
    mutex.unlock();
  }
  // The handlers run for fork(); the page is also wiped in children of _Fork() and clone().
  static bool Install() {
    void* page = mmap(nullptr, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED && madvise(page, sizeof(Mark), MADV_WIPEONFORK) == 0)
      mark.store(new (page) Mark(mark_in_data.load()));
    return pthread_atfork(Prepare, Parent, Child) == 0;
  }
};

namespace {
[[maybe_unused]] const bool installed = ForkHandlers::Install();
}

std::uint64_t ProcessMark() noexcept {
  Mark& here = *mark.load(std::memory_order_relaxed);
  std::uint64_t value = here.load(std::memory_order_relaxed);
  if (value == 0) {
    const std::uint64_t fresh = next_mark.fetch_add(1);
    if (here.compare_exchange_strong(value, fresh)) value = fresh;
  }
  return value;
}

ForkPause::ForkPause() : lock_(mutex) {}

ForkClosed::ForkClosed(int fd, const ForkPause&) noexcept : fd_(fd), next_(first) {
  if (next_ != nullptr) next_->previous_ = this;
  first = this;
}

ForkClosed::~ForkClosed() {
  const ForkPause pause;
  (previous_ != nullptr ? previous_->next_ : first) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  if (fd_ >= 0) close(fd_);
}

}  // namespace ssn::qkdn::client
