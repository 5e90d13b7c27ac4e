// SPDX-License-Identifier: LGPL-2.1-or-later
// qkd_link.h - a QKD link: two modules that make equal secret bits, and at each end the key supply link from
// the module to the KMA of its node.
//
// Shapes:    end 0 and end 1 as the configuration lists them. Each end has one store for what it sends under
//            and one for what it receives under, so that two ends never use one byte for two messages. End 0
//            makes all bits, from the kernel's generator.
// Errors:    kUnavailable: down, noisy, or not enough key; kCorrupt: the ends have lost step.
// Ownership: a module keeps nothing of what it has supplied. Key moves to the KMA of this process; to another
//            process it goes through RemoteModule.
// Threads:   any. No lock of a store is held while the other process is asked.
// Spec:      key data as in ITU-T Y.3803; X.1712 SReq.3 (the key supply link stays inside one process).

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "qkdn/sim/config.h"
#include "qkdn/sim/link_store.h"
#include "ssn/random.h"

namespace ssn::qkdn::sim {

using Clock = std::function<double()>;  // seconds since the simulation began

// One block of bits as a module hands it on.
struct QkdKey {
  std::string link;
  int from_end = 0;  // the end that sends under it
  LinkKey key;
};

// The module at the other end, when that is in another process: the simulated quantum channel.
class RemoteModule {
 public:
  virtual ~RemoteModule() = default;
  virtual Status Deliver(const QkdKey& block) = 0;
  // Want asks end 0 to make `size` bytes for end 1 to send under; `epoch` is the one end 1 knows.
  virtual Status Want(const std::string& link, std::uint64_t epoch, std::uint64_t size) = 0;
};

class QkdLink {
 public:
  struct Counters {
    std::atomic<std::uint64_t> produced_bytes{0};   // supplied to both ends, counted once
    std::atomic<std::uint64_t> discarded_bytes{0};  // error rate over the limit
    std::atomic<std::uint64_t> consumed_bytes{0};   // taken to send under, in this process
    std::atomic<std::uint64_t> rejected_messages{0};
    std::atomic<std::uint64_t> restarts{0};  // the ends had lost step: all key was dropped
  };

  // `local` says which ends are in this process, `remote` reaches the other one (null if both are here).
  QkdLink(LinkConfig config, std::array<bool, 2> local, RemoteModule* remote, RandomSource& random,
          Clock clock);

  const LinkConfig& config() const { return config_; }
  const Counters& counters() const { return counters_; }
  bool local(int end) const { return local_[static_cast<std::size_t>(end)]; }
  bool up() const;
  void ForceUp(bool up) { forced_down_ = !up; }
  // Bytes that `end` can send under now; kUnlimited if they are made when asked for. Of an end in another
  // process it is what this one holds to receive under.
  std::uint64_t Sendable(int end) const;
  // Bytes in this process's stores for what `from_end` sends.
  std::uint64_t Stored(int from_end) const;

  // Draw takes the next bytes for `end` to send under.
  Result<LinkKey> Draw(int end, std::size_t size);
  // Take takes what the other end sent under.
  Result<PooledSecret> Take(int end, std::uint64_t epoch, std::uint64_t start, std::size_t size);
  void CountRejected() { ++counters_.rejected_messages; }
  // Resynchronise makes the ends begin a new epoch, unless that of the failed message is over already.
  void Resynchronise(std::uint64_t failed_epoch);

  // Advance lets the modules make what time has given them since it was last called.
  Status Advance();
  // What the other process's module sends.
  Status OnDeliver(QkdKey block);
  Status OnWant(std::uint64_t epoch, std::uint64_t size);

 private:
  LinkStore& store(int end, int from_end) { return stores_[static_cast<std::size_t>(2 * end + from_end)]; }
  const LinkStore& store(int end, int from_end) const {
    return stores_[static_cast<std::size_t>(2 * end + from_end)];
  }
  bool unlimited() const;
  Status Refill(int from_end, std::size_t size);
  Status AdvanceLocked();
  Status MakeLocked(int from_end, PooledSecret bits);
  void RestartLocked();

  const LinkConfig config_;
  const std::array<bool, 2> local_;
  RemoteModule* const remote_;
  RandomSource& random_;
  const Clock clock_;
  Counters counters_;
  std::atomic<bool> forced_down_{false};
  std::array<LinkStore, 4> stores_;

  std::mutex module_mutex_;  // of what follows: the modules make one block at a time
  std::atomic<std::uint64_t> epoch_{0};
  std::array<std::uint64_t, 2> made_{};  // position in each direction
  double last_ = 0;
  double credit_bytes_ = 0;
};

}  // namespace ssn::qkdn::sim
