// SPDX-License-Identifier: LGPL-2.1-or-later
// How the transmitter comes by pad: keys are drawn, announced, agreed on and appended.
#include <algorithm>
#include <utility>

#include "qkdn/proxy/transmitter.h"
#include "ssn/one_time_mac.h"

namespace ssn::qkdn::proxy {
namespace {

constexpr std::uint64_t kLeastBatchBytes = 1024;  // below it too much goes into comparing the two ends
constexpr auto kAfterGivenUpFetch = std::chrono::seconds(1);
constexpr auto kShortestPause = std::chrono::milliseconds(50);
constexpr unsigned kMaxPauseDoublings = 8;  // 12.8 s

}  // namespace

void Transmitter::Refill() {
  const std::uint64_t high = std::min(settings_.high, common_);
  std::uint64_t coming = batch_bytes_;
  for (const std::uint64_t bytes : fetches_) coming += bytes;
  std::uint64_t expected = Free() + coming;
  // What is announced and not acknowledged has its place still.
  std::uint64_t room = common_ - std::min(common_, buffer_.held() + coming);
  if (expected < std::min(settings_.low, high)) filling_ = true;
  while (filling_ && connected_ && fetches_.size() < kMaxFetches &&
         fetches_.size() + batches_.size() < kMaxBatches && io_.Now() >= no_fetch_before_) {
    if (expected >= high) {
      filling_ = false;
      return;
    }
    if (room < std::min(high - expected, kLeastBatchBytes)) return;
    const std::uint64_t bytes = std::min({kMaxBatchBytes, high - expected, room});
    fetches_.push_back(bytes);
    expected += bytes;
    room -= bytes;
    io_.FetchKeys(bytes);
  }
}

void Transmitter::OnKeys(etsi014::Keys keys) {
  if (!fetches_.empty()) fetches_.pop_front();
  if (keys.ids.empty()) {
    no_fetch_before_ = io_.Now() + kAfterGivenUpFetch;
    return;
  }
  const std::uint32_t number = next_batch_++;
  const bool repeated = io_.RepeatedKeys(keys);
  const bool usable =
      keys.material.size() > kOneTimeMacKeyBytes && keys.ids.size() <= sideways::kMaxKeysPerBatch;
  ledger_.Fetched(keys.material.size(), number);
  batch_bytes_ += keys.material.size();
  const auto batch = batches_.emplace(number, Batch{std::move(keys), false}).first;
  if (repeated || !usable) {
    io_.Warn(repeated ? "the KME delivered keys that it had delivered before: they are burnt"
                      : "the KME delivered a batch that is too small or of too many keys: it is burnt");
    if (connected_) io_.Send(sideways::DiscardKeys{batch->second.keys.ids});
    BurnBatch(batch, repeated ? BurnReason::kRepeated : BurnReason::kUnusable);
    SlowDown();
    return;
  }
  if (connected_) Announce(number, batch->second);
  Refill();
}

void Transmitter::Announce(std::uint32_t number, Batch& batch) {
  batch.announced = true;
  io_.Send(sideways::Keys{number, static_cast<std::uint32_t>(batch.keys.key_bytes), batch.keys.ids});
}

void Transmitter::BurnBatch(std::map<std::uint32_t, Batch>::iterator batch, BurnReason reason) {
  ledger_.BurntOfBatch(batch->first, batch->second.keys.material.size(), reason);
  batch_bytes_ -= batch->second.keys.material.size();
  batches_.erase(batch);
}

// Keys that do not agree cost key: whatever the cause, do not spend it all at full speed.
void Transmitter::SlowDown() {
  no_fetch_before_ = io_.Now() + kShortestPause * (1 << std::min(disagreements_, kMaxPauseDoublings));
  ++disagreements_;
}

bool Transmitter::OnKeysCheck(const sideways::KeysCheck& check) {
  const auto batch = batches_.find(check.batch);
  if (batch == batches_.end() || !batch->second.announced || batch->second.agreed) return false;
  const ByteSpan material = batch->second.keys.material.span();
  const ByteSpan key = material.first(kOneTimeMacKeyBytes);
  const ByteSpan pad = material.subspan(kOneTimeMacKeyBytes);
  if (!check.fetched)
    Reject(batch, BurnReason::kNotFetched, "the peer could not fetch a batch of keys: it is burnt");
  else if (!VerifyOneTimeMac(key, {pad}, check.tag))
    Reject(batch, BurnReason::kDisagreed, "the two ends hold different keys: the batch is burnt");
  else if (pad.size() > common_)
    Reject(batch, BurnReason::kNoRoom, NoRoom(pad.size(), common_));
  else
    batch->second.agreed = true;
  if (AppendAgreed()) Serve();
  Refill();
  return true;
}

void Transmitter::Reject(std::map<std::uint32_t, Batch>::iterator batch, BurnReason reason,
                         const std::string& why) {
  io_.Send(sideways::KeysVerdict{batch->first, false, buffer_.end()});
  io_.Warn(why);
  BurnBatch(batch, reason);
  SlowDown();
}

// A batch that is agreed on waits for its room at both ends, and its verdict with it. True: there is more
// pad.
bool Transmitter::AppendAgreed() {
  bool more = false;
  for (auto next = batches_.begin(); next != batches_.end();) {
    const auto batch = next++;
    if (!batch->second.agreed) continue;
    const ByteSpan material = batch->second.keys.material.span();
    const ByteSpan pad = material.subspan(kOneTimeMacKeyBytes);
    if (buffer_.held() + pad.size() > common_) continue;
    io_.Send(sideways::KeysVerdict{batch->first, true, buffer_.end()});
    buffer_.Append(pad);
    ledger_.BurntOfBatch(batch->first, kOneTimeMacKeyBytes, BurnReason::kCheck);
    batch_bytes_ -= material.size();
    batches_.erase(batch);
    disagreements_ = 0;
    more = true;
  }
  return more;
}

}  // namespace ssn::qkdn::proxy
