// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/kme_worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <chrono>
#include <iterator>
#include <utility>

#include "qkdn/proxy/kme_batch.h"
#include "qkdn/proxy/link_io.h"

namespace ssn::qkdn::proxy {
namespace {

using Action = KmeSession::Action;

constexpr unsigned kMaxOrdersPerBatch = 64;          // to a KME that gives little at once
constexpr auto kToFetch = std::chrono::seconds(10);  // keys may still be on their way to this KME
constexpr std::uint64_t kMaxFetchBytes = 2 * kMaxBatchBytes;
constexpr std::size_t kMaxFetchJobs = 64;  // more are of connections that broke meanwhile
constexpr std::size_t kMaxDiscardIds = std::size_t{1} << 17;
constexpr unsigned kMaxDiscardTries = 8;

// A batch that comes in several answers; the parts are joined once, at the end.
class Gathered {
 public:
  void Add(etsi014::Keys keys) {
    std::ranges::move(keys.ids, std::back_inserter(ids_));
    key_bytes_ = keys.key_bytes;
    bytes_ += keys.material.size();
    parts_.push_back(std::move(keys.material));
  }
  std::size_t keys() const { return ids_.size(); }
  std::size_t key_bytes() const { return key_bytes_; }
  std::size_t bytes() const { return bytes_; }

  etsi014::Keys Join() && {
    if (parts_.size() == 1) return {std::move(ids_), key_bytes_, std::move(parts_[0])};
    etsi014::Keys keys{std::move(ids_), key_bytes_, SecretBytes(bytes_)};
    std::uint8_t* end = keys.material.data();
    for (const SecretBytes& part : parts_) end = std::ranges::copy(part.span(), end).out;
    return keys;
  }

 private:
  std::vector<std::string> ids_;
  std::size_t key_bytes_ = 0;
  std::size_t bytes_ = 0;
  std::vector<SecretBytes> parts_;
};

}  // namespace

KmeWorker::KmeWorker(asio::io_context& loop, const MakeKmeClient& make_client, const std::string& peer_sae_id,
                     Events events)
    : loop_(loop),
      events_(std::move(events)),
      stopped_(std::make_shared<bool>(false)),
      drawing_(make_client, peer_sae_id,
               [this](const auto& text) { Post([this, text] { events_.warn(text); }); }),
      fetching_(make_client, peer_sae_id,
                [this](const auto& text) { Post([this, text] { events_.warn(text); }); }),
      drawer_([this] { Draw(); }),
      fetcher_([this] { FetchAndDiscard(); }) {}

KmeWorker::~KmeWorker() { Stop(); }

void KmeWorker::Stop() {
  *stopped_ = true;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  drawing_.Stop();
  fetching_.Stop();
  if (drawer_.joinable()) drawer_.join();
  if (fetcher_.joinable()) fetcher_.join();
}

template <typename Event>
void KmeWorker::Post(Event event) {
  asio::post(loop_, [stopped = stopped_, event = std::move(event)]() mutable {
    if (!*stopped) event();
  });
}

void KmeWorker::Fetch(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  draws_.push_back(bytes);
  wake_.notify_all();
}

void KmeWorker::FetchWithIds(std::uint32_t batch, std::uint32_t key_bytes, std::vector<std::string> ids) {
  const std::lock_guard lock(mutex_);
  if (fetches_.size() >= kMaxFetchJobs) return Post([this, batch] { events_.on_keys_with_ids(batch, {}); });
  fetches_.push_back({batch, key_bytes, std::move(ids)});
  wake_.notify_all();
}

void KmeWorker::Discard(std::vector<std::string> ids) {
  const std::lock_guard lock(mutex_);
  if (ids.empty()) return;
  if (discard_ids_ + ids.size() > kMaxDiscardIds) return GiveUp(ids.size());
  discard_ids_ += ids.size();
  discards_.push_back({std::move(ids), 0});
  wake_.notify_all();
}

void KmeWorker::PutBack(DiscardJob job) {
  const std::lock_guard lock(mutex_);
  if (job.tries >= kMaxDiscardTries) return GiveUp(job.ids.size());
  discard_ids_ += job.ids.size();
  discards_.push_front(std::move(job));
}

void KmeWorker::GiveUp(std::size_t ids) {
  if (std::exchange(gave_up_, true)) return;
  Post([this, ids] {
    events_.warn(
        fmt::format("{} keys that nobody will use stay in the KME, perhaps more to come: it does not give "
                    "them out",
                    ids));
  });
}

void KmeWorker::Draw() {
  for (;;) {
    std::uint64_t bytes = 0;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !draws_.empty(); });
      if (ending_) return;
      bytes = draws_.front();
      draws_.pop_front();
    }
    etsi014::Keys keys = DrawBatch(bytes);
    if (keys.ids.empty()) return;  // stopped
    Post([this, batch = std::move(keys)]() mutable { events_.on_keys(std::move(batch)); });
  }
}

// Draws until it has something: about `bytes`, less if the KME has less.
etsi014::Keys KmeWorker::DrawBatch(std::uint64_t bytes) {
  const std::uint64_t target = std::clamp(bytes, kLeastBatchBytes, kMaxBatchBytes);
  Gathered batch;
  bool scarce = false;
  for (unsigned orders = 0; !drawing_.stopped();) {
    const etsi014::PoolStatus* limits = drawing_.Limits();
    const std::uint64_t missing = target - batch.bytes();
    const std::uint64_t max_keys = sideways::kMaxKeysPerBatch - batch.keys();
    KeyOrder order;
    if (limits != nullptr)
      order = scarce ? PlanScarceOrder(*limits, missing, max_keys) : PlanOrder(*limits, missing, max_keys);
    if (batch.keys() > 0 && order.number > 0)
      order = {std::clamp<std::uint64_t>(missing / batch.key_bytes(), 1, order.number), batch.key_bytes()};
    std::optional<etsi014::Keys> keys;
    if (order.number > 0) keys = drawing_.GetKeys(order.number, order.key_bytes);
    if (keys) {
      batch.Add(std::move(*keys));
      const bool room =
          batch.bytes() + batch.key_bytes() <= target && batch.keys() < sideways::kMaxKeysPerBatch;
      if (!room || scarce || ++orders == kMaxOrdersPerBatch) return std::move(batch).Join();
      continue;
    }
    if (batch.bytes() >= kLeastBatchBytes / 2) return std::move(batch).Join();
    // The first time the store may just hold less than was asked for: what it does hold is stated anew.
    const bool was_scarce = std::exchange(scarce, true);
    if (was_scarce || drawing_.last_action() != Action::kRetryLater) {
      if (!drawing_.Pause()) break;
      scarce = false;
    }
    drawing_.ForgetLimits();
  }
  return {};
}

void KmeWorker::FetchAndDiscard() {
  for (;;) {
    std::optional<FetchJob> fetch;
    DiscardJob discard;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !fetches_.empty() || !discards_.empty(); });
      if (ending_) return;
      if (!fetches_.empty()) {
        fetch = std::move(fetches_.front());
        fetches_.pop_front();
      } else {
        discard = std::move(discards_.front());
        discards_.pop_front();
        discard_ids_ -= discard.ids.size();
      }
    }
    if (!fetch) {
      DiscardSome(std::move(discard));
      continue;
    }
    Post([this, number = fetch->batch, keys = FetchBatch(*fetch)]() mutable {
      events_.on_keys_with_ids(number, std::move(keys));
    });
  }
}

etsi014::Keys KmeWorker::FetchBatch(const FetchJob& job) {
  const std::uint64_t total = std::uint64_t{job.key_bytes} * job.ids.size();
  if (total == 0 || total > kMaxFetchBytes) return {};
  Gathered batch;
  const auto deadline = std::chrono::steady_clock::now() + kToFetch;
  while (batch.keys() < job.ids.size() && !fetching_.stopped()) {
    const etsi014::PoolStatus* limits = fetching_.Limits();
    std::optional<etsi014::Keys> keys;
    if (limits != nullptr) {
      const std::uint64_t at_once = std::max<std::uint64_t>(limits->max_key_per_request, 1);
      const auto first = job.ids.begin() + static_cast<std::ptrdiff_t>(batch.keys());
      const auto count = std::min<std::uint64_t>(at_once, job.ids.size() - batch.keys());
      keys = fetching_.GetKeysWithIds({first, first + static_cast<std::ptrdiff_t>(count)});
    }
    if (keys) {
      if (keys->key_bytes != job.key_bytes) return {};
      batch.Add(std::move(*keys));
      continue;
    }
    const bool later =
        fetching_.last_action() == Action::kRetryLater && std::chrono::steady_clock::now() < deadline;
    if (!later || !fetching_.Pause()) return {};
  }
  if (batch.keys() < job.ids.size()) return {};
  return std::move(batch).Join();
}

void KmeWorker::DiscardSome(DiscardJob job) {
  const etsi014::PoolStatus* limits = fetching_.Limits();
  const std::size_t at_once =
      limits == nullptr
          ? 1
          : static_cast<std::size_t>(std::clamp<std::uint64_t>(limits->max_key_per_request, 1, 1024));
  if (job.ids.size() > at_once) {
    PutBack({{job.ids.begin() + static_cast<std::ptrdiff_t>(at_once), job.ids.end()}, job.tries});
    job.ids.resize(at_once);
  }
  if (limits != nullptr && fetching_.TakeAway(job.ids)) {
    const std::lock_guard lock(mutex_);
    gave_up_ = false;
    return;
  }
  if (limits != nullptr && fetching_.last_action() == Action::kDiscard) {
    // One of them is gone already, and for that the KME refuses all.
    if (job.ids.size() == 1) return;
    const auto middle = job.ids.begin() + static_cast<std::ptrdiff_t>(job.ids.size() / 2);
    PutBack({{middle, job.ids.end()}, 0});
    PutBack({{job.ids.begin(), middle}, 0});
    return;
  }
  ++job.tries;
  PutBack(std::move(job));
  {
    // Keys that are wanted come first: they bring pauses of their own.
    const std::lock_guard lock(mutex_);
    if (!fetches_.empty()) return;
  }
  fetching_.Pause();
}

}  // namespace ssn::qkdn::proxy
