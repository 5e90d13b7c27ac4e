// SPDX-License-Identifier: LGPL-2.1-or-later
// test_kmes.h - the KMEs of a small network in the memory of a test: what one SAE draws, the other can fetch
// once.
//
// Threads:   any; the knobs are set before or between calls.

#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>

#include "qkdn/etsi014/kme_client.h"

namespace ssn::qkdn::proxy {

class TestKmes {
 public:
  TestKmes() : random_(std::random_device{}()) {
    limits.key_size_bits = 256;
    limits.max_key_per_request = 128;
    limits.max_key_size_bits = 65536;
    limits.min_key_size_bits = 64;
  }

  etsi014::PoolStatus limits;                                       // but for stored_key_count
  std::atomic<std::uint64_t> stored_bytes{std::uint64_t{1} << 40};  // left to be drawn, by all
  std::atomic<bool> down{false};
  std::atomic<bool> lose_keys{false};  // at the second end
  std::atomic<bool> garbled{false};    // what is no JSON for keys
  std::atomic<std::uint64_t> drawn{0};
  std::atomic<std::uint64_t> calls{0};

  std::size_t not_fetched() const {
    const std::lock_guard lock(mutex_);
    return keys_.size();
  }
  std::unique_ptr<etsi014::KmeClient> Client(const std::string& sae_id) {
    return std::make_unique<TestClient>(*this, sae_id);
  }

 private:
  using Error = etsi014::KmeError;
  using Keys = etsi014::Keys;
  static Error Fault(Error::Action action, int status, std::string what) {
    return {action, status, std::move(what)};
  }

  class TestClient final : public etsi014::KmeClient {
   public:
    TestClient(TestKmes& kmes, std::string sae_id) : kmes_(kmes), sae_id_(std::move(sae_id)) {}
    etsi014::KmeResult<etsi014::PoolStatus> GetStatus(const std::string&) override {
      if (kmes_.Unreachable() || interrupted_) return Fault(Error::Action::kRetryLater, 0, "no connection");
      etsi014::PoolStatus status = kmes_.limits;
      status.stored_key_count = kmes_.stored_bytes / (status.key_size_bits / 8);
      return status;
    }
    etsi014::KmeResult<Keys> GetKeys(const std::string& slave, std::uint64_t number,
                                     std::uint64_t bytes) override {
      if (kmes_.Unreachable() || interrupted_) return Fault(Error::Action::kRetryLater, 0, "no connection");
      if (kmes_.garbled)
        return Fault(Error::Action::kRetryLater, 200, "answer of 36 bytes is no key container");
      return kmes_.Draw(sae_id_ + ">" + slave, number, bytes);
    }
    etsi014::KmeResult<Keys> GetKeysWithIds(const std::string& master,
                                            const std::vector<std::string>& ids) override {
      if (kmes_.Unreachable() || interrupted_) return Fault(Error::Action::kRetryLater, 0, "no connection");
      return kmes_.Fetch(master + ">" + sae_id_, ids);
    }
    void Interrupt() noexcept override { interrupted_ = true; }

   private:
    TestKmes& kmes_;
    const std::string sae_id_;
    std::atomic<bool> interrupted_{false};
  };

  bool Unreachable() {
    ++calls;
    return down;
  }

  etsi014::KmeResult<Keys> Draw(const std::string& pair, std::uint64_t number, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (number > limits.max_key_per_request || bytes * 8 > limits.max_key_size_bits ||
        bytes * 8 < limits.min_key_size_bits)
      return Fault(Error::Action::kRefused, 400, "outside the limits");
    if (number * bytes > stored_bytes)
      return Fault(Error::Action::kRetryLater, 503, "not enough key material available");
    stored_bytes -= number * bytes;
    drawn += number * bytes;
    Keys keys;
    keys.key_bytes = bytes;
    keys.material = SecretBytes(number * bytes);
    for (std::uint64_t i = 0; i < number; ++i) {
      std::uint8_t* const key = keys.material.data() + i * bytes;
      for (std::uint64_t at = 0; at < bytes; ++at)
        key[at] = static_cast<std::uint8_t>(at % 8 == 0 ? word_ = random_() : word_ >> (at % 8 * 8));
      keys.ids.push_back("key-" + std::to_string(++last_id_));
      if (!lose_keys) keys_[{pair, keys.ids.back()}].assign(key, key + bytes);
    }
    return keys;
  }

  etsi014::KmeResult<Keys> Fetch(const std::string& pair, const std::vector<std::string>& ids) {
    const std::lock_guard lock(mutex_);
    if (ids.size() > limits.max_key_per_request) return Fault(Error::Action::kRefused, 400, "too many");
    Keys keys;
    keys.ids = ids;
    for (const std::string& id : ids)
      if (!keys_.contains({pair, id})) return Fault(Error::Action::kDiscard, 404, "no key " + id);
    keys.key_bytes = keys_[{pair, ids[0]}].size();
    keys.material = SecretBytes(ids.size() * keys.key_bytes);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto key = keys_.extract({pair, ids[i]});
      std::copy(key.mapped().begin(), key.mapped().end(), keys.material.data() + i * keys.key_bytes);
    }
    return keys;
  }

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::uint64_t word_ = 0;
  std::uint64_t last_id_ = 0;
  std::map<std::pair<std::string, std::string>, std::vector<std::uint8_t>> keys_;  // by pair and id
};

}  // namespace ssn::qkdn::proxy
