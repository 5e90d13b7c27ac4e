// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/qkd_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "qkdn/sim/units.h"

namespace ssn::qkdn::sim {
namespace {

constexpr std::size_t kOnDemandBlock = 64 << 10;  // one read of the kernel's generator serves many small keys
constexpr double kLeastBlock = 32;
constexpr std::uint64_t kMostWanted = std::uint64_t{65} << 20;  // the largest request, and the key of its MAC
constexpr int kAttempts = 8;  // another thread may take what was made for this one

// Few different sizes, so that pages are used again.
std::size_t PieceOf(std::uint64_t bytes) {
  for (const std::size_t size : {1u << 20, 64u << 10, 4u << 10}) {
    if (bytes >= size) return size;
  }
  return bytes;
}

std::size_t Index(int end) { return static_cast<std::size_t>(end); }

}  // namespace

QkdLink::QkdLink(LinkConfig config, std::array<bool, 2> local, RemoteModule* remote, RandomSource& random,
                 Clock clock)
    : config_(std::move(config)), local_(local), remote_(remote), random_(random), clock_(std::move(clock)) {
  last_ = clock_();
  const std::lock_guard lock(module_mutex_);
  if (local_[0]) RestartLocked();
}

bool QkdLink::unlimited() const { return config_.rate_bits_per_s == kUnlimited; }

bool QkdLink::up() const { return !forced_down_ && config_.schedule.Up(clock_()); }

std::uint64_t QkdLink::Stored(int from_end) const {
  return store(local(from_end) ? from_end : 1 - from_end, from_end).stored_bytes();
}

std::uint64_t QkdLink::Sendable(int end) const { return unlimited() ? kUnlimited : Stored(end); }

Result<LinkKey> QkdLink::Draw(int end, std::size_t size) {
  if (!up()) return Status::Unavailable(fmt::format("link {} is down", config_.name));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (std::optional<LinkKey> key = store(end, end).TakeNext(size)) {
      counters_.consumed_bytes += size;
      return std::move(*key);
    }
    if (Status status = Refill(end, size); !status.ok()) return status;
  }
  return Status::Unavailable(
      fmt::format("link {} has {} bytes of key, not {}", config_.name, store(end, end).stored_bytes(), size));
}

Result<PooledSecret> QkdLink::Take(int end, std::uint64_t epoch, std::uint64_t start, std::size_t size) {
  return store(end, 1 - end).TakeAt(epoch, start, size);
}

Status QkdLink::Refill(int from_end, std::size_t size) {
  if (!local_[0]) return remote_->Want(config_.name, epoch_, size);
  if (!unlimited()) {
    if (Status status = Advance(); !status.ok()) return status;
    const std::uint64_t stored = store(0, from_end).stored_bytes();
    if (stored >= size) return {};
    return Status::Unavailable(
        fmt::format("link {} has {} bytes of key, not {}", config_.name, stored, size));
  }
  if (config_.schedule.Noisy(clock_())) {
    counters_.discarded_bytes += size;
    return Status::Unavailable(fmt::format("link {}: the error rate is over the limit", config_.name));
  }
  PooledSecret bits(std::max(size, kOnDemandBlock));
  if (Status status = random_.Fill(bits.span()); !status.ok()) return status;
  const std::lock_guard lock(module_mutex_);
  return MakeLocked(from_end, std::move(bits));
}

Status QkdLink::Advance() {
  const std::lock_guard lock(module_mutex_);
  return AdvanceLocked();
}

Status QkdLink::AdvanceLocked() {
  if (!local_[0] || unlimited()) return {};
  const double now = clock_();
  const Schedule::Spans spans = forced_down_ ? Schedule::Spans() : config_.schedule.Measure(last_, now);
  last_ = now;
  const double bytes_per_s = static_cast<double>(config_.rate_bits_per_s) / 8;
  counters_.discarded_bytes += static_cast<std::uint64_t>(spans.noisy * bytes_per_s);
  credit_bytes_ =
      std::min(credit_bytes_ + spans.good * bytes_per_s, static_cast<double>(config_.buffer_bytes));
  if (credit_bytes_ < kLeastBlock) return {};
  auto total = static_cast<std::uint64_t>(credit_bytes_);
  credit_bytes_ -= static_cast<double>(total);

  // The emptier direction first, until both are level or full.
  const std::uint64_t most = config_.buffer_bytes / 2;
  const std::array<std::uint64_t, 2> stored = {store(0, 0).stored_bytes(), store(0, 1).stored_bytes()};
  const std::array<std::uint64_t, 2> room = {most - std::min(most, stored[0]),
                                             most - std::min(most, stored[1])};
  total = std::min(total, room[0] + room[1]);
  const std::int64_t level =
      (static_cast<std::int64_t>(total + stored[1]) - static_cast<std::int64_t>(stored[0])) / 2;
  std::array<std::uint64_t, 2> share;
  share[0] = std::clamp(static_cast<std::uint64_t>(std::max<std::int64_t>(level, 0)),
                        total - std::min(total, room[1]), std::min(total, room[0]));
  share[1] = total - share[0];
  for (const int end : {0, 1}) {
    for (std::uint64_t left = share[Index(end)]; left > 0;) {
      PooledSecret bits(PieceOf(left));
      left -= bits.size();
      if (Status status = random_.Fill(bits.span()); !status.ok()) return status;
      if (Status status = MakeLocked(end, std::move(bits)); !status.ok()) return status;
    }
  }
  return {};
}

// Both ends get the block, or it is gone and they begin anew. The far end is first: what this end holds, that
// one can use.
Status QkdLink::MakeLocked(int from_end, PooledSecret bits) {
  const std::size_t size = bits.size();
  QkdKey block{config_.name, from_end, LinkKey{epoch_, made_[Index(from_end)], PooledSecret(bits.span())}};
  const std::uint64_t start = block.key.start;
  Status status = local_[1] ? store(1, from_end).Append(std::move(block.key)) : remote_->Deliver(block);
  if (status.ok()) status = store(0, from_end).Append(LinkKey{epoch_, start, std::move(bits)});
  if (!status.ok()) {
    RestartLocked();
    return Status::Unavailable(fmt::format("link {}: {}", config_.name, status.message()));
  }
  made_[Index(from_end)] += size;
  counters_.produced_bytes += size;
  return {};
}

void QkdLink::RestartLocked() {
  if (epoch_ != 0) ++counters_.restarts;
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  std::uint64_t epoch = 0;
  if (random_.Fill(bytes).ok()) std::memcpy(&epoch, bytes.data(), sizeof epoch);
  epoch_ = std::max<std::uint64_t>(epoch, 1);  // 0 is nobody's epoch
  made_ = {0, 0};
  for (LinkStore& each : stores_) each.Reset(epoch_);
}

void QkdLink::Resynchronise(std::uint64_t failed_epoch) {
  const std::lock_guard lock(module_mutex_);
  if (failed_epoch != epoch_) return;
  if (local_[0]) return RestartLocked();
  ++counters_.restarts;
  epoch_ = 0;  // the next Want tells end 0
  for (LinkStore& each : stores_) each.Reset(0);
}

Status QkdLink::OnDeliver(QkdKey block) {
  if (local_[0]) return Status::InvalidArgument("link " + config_.name + ": this end makes the key itself");
  // The lock keeps two blocks of one epoch from both beginning it.
  const std::lock_guard lock(module_mutex_);
  if (block.key.epoch != epoch_) {
    if (block.key.start != 0) return Status::Corrupt("link " + config_.name + ": unknown epoch");
    epoch_ = block.key.epoch;
    for (LinkStore& each : stores_) each.Reset(epoch_);
  }
  const std::size_t size = block.key.bytes.size();
  Status status = store(1, block.from_end).Append(std::move(block.key));
  if (status.ok()) counters_.produced_bytes += size;
  return status;
}

Status QkdLink::OnWant(std::uint64_t epoch, std::uint64_t size) {
  if (!local_[0]) return Status::InvalidArgument("link " + config_.name + ": the other end makes the key");
  if (size > kMostWanted)
    return Status::InvalidArgument(
        fmt::format("link {}: {} bytes are more than {}", config_.name, size, kMostWanted));
  if (!up()) return Status::Unavailable(fmt::format("link {} is down", config_.name));
  {
    const std::lock_guard lock(module_mutex_);
    if (epoch != epoch_ && made_ != std::array<std::uint64_t, 2>{0, 0}) RestartLocked();
  }
  return Refill(1, size);
}

}  // namespace ssn::qkdn::sim
