// SPDX-License-Identifier: LGPL-2.1-or-later
// key_store.h - what the key supply agent (KSA) of a KME holds for its slave SAEs: keys that were supplied to
// the master SAE elsewhere and not fetched here yet.
//
// Shapes:    one shelf for each pair (master SAE, slave SAE), limited in bytes; a key leaves it once, or
//            expires.
// Errors:    see Refusal. A request is answered whole or not at all; what is refused stays as it was.
// Ownership: key comes in and leaves by move or copy; what left or expired is wiped here.
// Threads:   any; one lock.
// Spec:      ETSI GS QKD 014 V1.1.1, clause 5.4; life cycle of ITU-T Y.3803.

#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "qkdn/etsi014/objects.h"
#include "qkdn/sim/qkd_link.h"
#include "qkdn/sim/relay.h"

namespace ssn::qkdn::sim {

class KeyStore {
 public:
  enum class Refusal {
    kNotFound,    // delivered before, expired, or never here
    kNotYours,    // held, but the caller was not named as a slave for it
    kMixedSizes,  // all there, but not in one container of equal keys
  };
  struct Count {
    std::string master_sae_id;
    std::string slave_sae_id;
    std::uint64_t stored_keys = 0;
    std::uint64_t delivered_keys = 0;
    std::uint64_t expired_keys = 0;
  };

  KeyStore(std::uint64_t shelf_bytes, double lifetime_s, Clock clock)
      : shelf_bytes_(shelf_bytes), lifetime_s_(lifetime_s), clock_(std::move(clock)) {}

  // Put gives every slave SAE of `supply` a copy of its own; nothing is kept if one shelf is too full.
  Status Put(const KeySupply& supply, PooledSecret material);
  std::variant<etsi014::Keys, Refusal> Take(const std::string& master_sae_id, const std::string& slave_sae_id,
                                            const std::vector<std::string>& ids);
  void Expire();
  std::vector<Count> Counts() const;

 private:
  using KeyId = std::array<std::uint8_t, 16>;
  struct KeyIdHash {  // ids are random already
    std::size_t operator()(const KeyId& id) const noexcept {
      std::size_t hash = 0;
      std::memcpy(&hash, id.data(), sizeof hash);
      return hash;
    }
  };
  struct Batch {
    std::shared_ptr<PooledSecret> memory;  // of this batch, or of several small ones
    std::size_t offset = 0;
    std::size_t key_bytes = 0;
    std::vector<KeyId> ids;
    std::size_t left = 0;
    double expiry = 0;
  };
  struct Slot {
    std::shared_ptr<Batch> batch;
    std::size_t index = 0;
  };
  struct Shelf {
    std::unordered_map<KeyId, Slot, KeyIdHash> slots;
    std::deque<std::shared_ptr<Batch>> batches;  // in order of expiry; some are empty
    std::shared_ptr<PooledSecret> open;          // where the next small batch goes
    std::size_t open_used = 0;
    std::uint64_t bytes = 0;
    std::uint64_t delivered_keys = 0;
    std::uint64_t expired_keys = 0;
  };
  using Pair = std::pair<std::string, std::string>;  // master, slave

  static void Place(Shelf& shelf, Batch& batch, PooledSecret material);
  static MutableByteSpan KeyOf(const Batch& batch, std::size_t index);
  static std::optional<KeyId> ParseId(const std::string& text);
  bool HeldByAnother(const Shelf& shelf, const KeyId& id) const;
  std::variant<std::vector<Slot>, Refusal> Find(const Shelf& shelf,
                                                const std::vector<std::string>& ids) const;
  void ExpireLocked();

  const std::uint64_t shelf_bytes_;
  const double lifetime_s_;
  const Clock clock_;
  mutable std::mutex mutex_;
  std::map<Pair, Shelf> shelves_;
};

}  // namespace ssn::qkdn::sim
