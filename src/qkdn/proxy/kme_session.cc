// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/kme_session.h"

#include <algorithm>
#include <utility>

namespace ssn::qkdn::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstPause = 50ms;
constexpr std::chrono::milliseconds kLongestPause = 5s;
constexpr std::chrono::milliseconds kPauseWhenRefused = 10s;
constexpr unsigned kMaxDoublings = 7;  // 50 ms << 7 is beyond the longest pause

}  // namespace

KmeSession::KmeSession(MakeKmeClient make_client, std::string peer_sae_id,
                       std::function<void(const std::string&)> warn)
    : make_client_(std::move(make_client)),
      peer_sae_id_(std::move(peer_sae_id)),
      warn_(std::move(warn)),
      jitter_(std::random_device{}()) {}

etsi014::KmeClient* KmeSession::Client() {
  if (client_ && !renew_.exchange(false)) return client_.get();
  Result<std::unique_ptr<etsi014::KmeClient>> made = make_client_();
  if (!made.ok()) {
    Failed({Action::kRefused, 0, made.status().message()});
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  client_ = std::move(made).value();
  if (stopped_) client_->Interrupt();
  return client_.get();
}

template <typename T>
std::optional<T> KmeSession::Take(etsi014::KmeResult<T> result) {
  if (auto* error = std::get_if<etsi014::KmeError>(&result)) {
    Failed(*error);
    return std::nullopt;
  }
  failures_ = 0;
  warned_.clear();
  return std::move(std::get<T>(result));
}

std::optional<etsi014::Keys> KmeSession::GetKeys(std::uint64_t number, std::uint64_t key_bytes) {
  etsi014::KmeClient* client = Client();
  if (client == nullptr) return std::nullopt;
  return Take(client->GetKeys(peer_sae_id_, number, key_bytes));
}

std::optional<etsi014::Keys> KmeSession::GetKeysWithIds(const std::vector<std::string>& ids) {
  etsi014::KmeClient* client = Client();
  if (client == nullptr) return std::nullopt;
  return Take(client->GetKeysWithIds(peer_sae_id_, ids));
}

bool KmeSession::TakeAway(const std::vector<std::string>& ids) {
  quiet_ = true;
  const bool taken = GetKeysWithIds(ids).has_value();
  quiet_ = false;
  return taken;
}

const etsi014::PoolStatus* KmeSession::Limits() {
  if (limits_) return &*limits_;
  etsi014::KmeClient* client = Client();
  if (client == nullptr) return nullptr;
  etsi014::KmeResult<etsi014::PoolStatus> result = client->GetStatus(peer_sae_id_);
  if (const auto* error = std::get_if<etsi014::KmeError>(&result)) {
    Failed(*error);
    return nullptr;
  }
  // Not a success of its own: a KME that states limits and refuses keys is paused for all the same.
  limits_ = std::move(std::get<etsi014::PoolStatus>(result));
  return &*limits_;
}

void KmeSession::Failed(const etsi014::KmeError& error) {
  last_action_ = error.action;
  ++failures_;
  if (error.action != Action::kDiscard || !quiet_) ++errors_[static_cast<std::size_t>(error.action)];
  limits_.reset();
  // An empty store is no fault; a KME that does not answer is one, and so is an answer that cannot be read.
  const bool answered = error.http_status != 0 && (error.http_status != 200 || error.no_keys);
  const bool expected =
      (error.action == Action::kRetryLater && answered) || (error.action == Action::kDiscard && quiet_);
  if (expected || error.message == warned_ || stopped()) return;
  warned_ = error.message;
  warn_("KME: " + error.message);
}

bool KmeSession::Pause() {
  std::chrono::milliseconds pause = kPauseWhenRefused;
  if (last_action_ != Action::kRefused) {
    pause = std::min(kFirstPause * (1 << std::min(failures_ == 0 ? 0 : failures_ - 1, kMaxDoublings)),
                     kLongestPause);
    pause = pause * std::uniform_int_distribution<int>(75, 125)(jitter_) / 100;
  }
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, pause, [this] { return stopped_; });
}

bool KmeSession::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void KmeSession::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  if (client_) client_->Interrupt();
  wake_.notify_all();
}

}  // namespace ssn::qkdn::proxy
