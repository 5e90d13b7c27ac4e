// SPDX-License-Identifier: LGPL-2.1-or-later
// kme_session.h - one thread's conversation with the KME: the client, the limits it stated, how long to wait
// after which failure, and what an operator is told.
//
// Errors:    a failed call is answered with the error's action; everything else is done here.
// Threads:   one thread makes the calls and waits; Stop and the counters may be used from any.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "qkdn/etsi014/kme_client.h"

namespace ssn::qkdn::proxy {

using MakeKmeClient = std::function<Result<std::unique_ptr<etsi014::KmeClient>>()>;

class KmeSession {
 public:
  using Action = etsi014::KmeError::Action;
  static constexpr std::size_t kNumActions = 3;

  KmeSession(MakeKmeClient make_client, std::string peer_sae_id,
             std::function<void(const std::string&)> warn);

  // Each call makes the client first if there is none; nothing: it failed, see last_action().
  std::optional<etsi014::Keys> GetKeys(std::uint64_t number, std::uint64_t key_bytes);
  std::optional<etsi014::Keys> GetKeysWithIds(const std::vector<std::string>& ids);
  // TakeAway fetches keys that nobody wants; that they are gone already is worth no warning.
  bool TakeAway(const std::vector<std::string>& ids);
  // Limits are asked for once, and again after ForgetLimits.
  const etsi014::PoolStatus* Limits();
  void ForgetLimits() { limits_.reset(); }
  // REQUIRES: the last call failed.
  Action last_action() const noexcept { return last_action_; }

  // Pause waits as long as the last failure demands: longer after each in a row. False: stopped.
  bool Pause();
  bool stopped() const;
  // Stop ends a running call and every pause. Renew makes the next call read the certificates anew.
  void Stop();
  void Renew() noexcept { renew_ = true; }

  std::uint64_t errors(Action action) const noexcept { return errors_[static_cast<std::size_t>(action)]; }

 private:
  etsi014::KmeClient* Client();
  template <typename T>
  std::optional<T> Take(etsi014::KmeResult<T> result);
  void Failed(const etsi014::KmeError& error);

  const MakeKmeClient make_client_;
  const std::string peer_sae_id_;
  const std::function<void(const std::string&)> warn_;
  mutable std::mutex mutex_;  // guards client_ against Stop, and stopped_
  std::condition_variable wake_;
  bool stopped_ = false;
  std::atomic<bool> renew_{false};
  std::unique_ptr<etsi014::KmeClient> client_;
  std::optional<etsi014::PoolStatus> limits_;
  Action last_action_ = Action::kRetryLater;
  unsigned failures_ = 0;  // in a row
  std::string warned_;     // the last cause an operator was told
  bool quiet_ = false;
  std::array<std::atomic<std::uint64_t>, kNumActions> errors_{};
  std::minstd_rand jitter_;
};

}  // namespace ssn::qkdn::proxy
