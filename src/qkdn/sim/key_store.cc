// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/key_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace ssn::qkdn::sim {
namespace {

constexpr std::size_t kSmallBatch = 16 << 10;
constexpr std::size_t kSharedMemory = 64 << 10;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

// 8-4-4-4-12 hexadecimal digits in either case.
std::optional<KeyStore::KeyId> KeyStore::ParseId(const std::string& text) {
  constexpr std::size_t kLength = 36;
  if (text.size() != kLength) return std::nullopt;
  KeyId id{};
  std::size_t digits = 0;
  for (std::size_t i = 0; i < kLength; ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return std::nullopt;
    std::uint8_t& byte = id[digits / 2];
    byte = static_cast<std::uint8_t>(byte * 16 + digit);
    ++digits;
  }
  return id;
}

Status KeyStore::Put(const KeySupply& supply, PooledSecret material) {
  std::vector<KeyId> ids;
  for (const std::string& text : supply.key_ids) {
    const std::optional<KeyId> id = ParseId(text);
    if (!id) return Status::InvalidArgument("key_ID=\"" + text + "\" is not a UUID");
    ids.push_back(*id);
  }
  if (material.size() != supply.total_bytes() || supply.key_bytes == 0)
    return Status::InvalidArgument(
        fmt::format("{} bytes are not {} keys of {} bytes", material.size(), ids.size(), supply.key_bytes));
  const std::lock_guard lock(mutex_);
  ExpireLocked();
  for (const std::string& slave : supply.slave_sae_ids) {
    const Shelf& shelf = shelves_[{supply.master_sae_id, slave}];
    if (shelf.bytes + material.size() > shelf_bytes_)
      return Status::Unavailable(fmt::format("the key store of {} for {} is full: {} of {} bytes",
                                             supply.master_sae_id, slave, shelf.bytes, shelf_bytes_));
    if (std::ranges::any_of(ids, [&](const KeyId& id) { return shelf.slots.contains(id); }))
      return Status::InvalidArgument("a key_ID is here already");
  }
  const double expiry = clock_() + lifetime_s_;
  for (std::size_t i = 0; i < supply.slave_sae_ids.size(); ++i) {
    const bool last = i + 1 == supply.slave_sae_ids.size();
    Shelf& shelf = shelves_[{supply.master_sae_id, supply.slave_sae_ids[i]}];
    const auto batch = std::make_shared<Batch>();
    batch->key_bytes = supply.key_bytes;
    batch->ids = ids;
    batch->left = ids.size();
    batch->expiry = expiry;
    shelf.bytes += material.size();
    Place(shelf, *batch, last ? std::move(material) : PooledSecret(material.span()));
    for (std::size_t k = 0; k < ids.size(); ++k) shelf.slots[ids[k]] = {batch, k};
    shelf.batches.push_back(batch);
  }
  return {};
}

// Whole pages for each of many small batches would be far more than the keys in them.
void KeyStore::Place(Shelf& shelf, Batch& batch, PooledSecret material) {
  const std::size_t size = material.size();
  if (size > kSmallBatch) {
    batch.memory = std::make_shared<PooledSecret>(std::move(material));
    return;
  }
  if (!shelf.open || shelf.open->size() - shelf.open_used < size) {
    shelf.open = std::make_shared<PooledSecret>(kSharedMemory);
    shelf.open_used = 0;
  }
  batch.memory = shelf.open;
  batch.offset = shelf.open_used;
  std::memcpy(shelf.open->data() + shelf.open_used, material.data(), size);
  shelf.open_used += size;
}

MutableByteSpan KeyStore::KeyOf(const Batch& batch, std::size_t index) {
  return batch.memory->span().subspan(batch.offset + index * batch.key_bytes, batch.key_bytes);
}

bool KeyStore::HeldByAnother(const Shelf& shelf, const KeyId& id) const {
  return std::ranges::any_of(shelves_, [&](const auto& entry) {
    return &entry.second != &shelf && entry.second.slots.contains(id);
  });
}

std::variant<std::vector<KeyStore::Slot>, KeyStore::Refusal> KeyStore::Find(
    const Shelf& shelf, const std::vector<std::string>& ids) const {
  std::vector<Slot> slots;
  std::set<KeyId> seen;
  bool missing = false;
  for (const std::string& text : ids) {
    const std::optional<KeyId> id = ParseId(text);
    const auto slot = id ? shelf.slots.find(*id) : shelf.slots.end();
    if (id && slot == shelf.slots.end() && HeldByAnother(shelf, *id)) return Refusal::kNotYours;
    if (slot == shelf.slots.end() || !seen.insert(*id).second)
      missing = true;
    else
      slots.push_back(slot->second);
  }
  if (missing || slots.empty()) return Refusal::kNotFound;
  const std::size_t key_bytes = slots.front().batch->key_bytes;
  if (std::ranges::any_of(slots, [&](const Slot& slot) { return slot.batch->key_bytes != key_bytes; }))
    return Refusal::kMixedSizes;
  return slots;
}

std::variant<etsi014::Keys, KeyStore::Refusal> KeyStore::Take(const std::string& master_sae_id,
                                                              const std::string& slave_sae_id,
                                                              const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  ExpireLocked();
  const auto entry = shelves_.find({master_sae_id, slave_sae_id});
  if (entry == shelves_.end()) return std::get<Refusal>(Find(Shelf(), ids));
  Shelf& shelf = entry->second;
  auto found = Find(shelf, ids);
  if (const auto* refusal = std::get_if<Refusal>(&found)) return *refusal;
  const std::vector<Slot> slots = std::get<std::vector<Slot>>(std::move(found));

  etsi014::Keys keys;
  keys.ids = ids;
  keys.key_bytes = slots.front().batch->key_bytes;
  Batch& first = *slots.front().batch;
  // Memory that small batches share holds more than this one, even when it is the last of them.
  bool whole = first.memory->size() == slots.size() * keys.key_bytes && first.left == slots.size() &&
               first.ids.size() == slots.size();
  for (std::size_t i = 0; i < slots.size() && whole; ++i)
    whole = slots[i].batch.get() == &first && slots[i].index == i;
  PooledSecret material = whole ? std::move(*first.memory) : PooledSecret(slots.size() * keys.key_bytes);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Batch& batch = *slots[i].batch;
    if (!whole) {
      const MutableByteSpan key = KeyOf(batch, slots[i].index);
      std::memcpy(material.data() + i * keys.key_bytes, key.data(), key.size());
      Wipe(key);
    }
    shelf.slots.erase(batch.ids[slots[i].index]);
    if (--batch.left == 0) batch.memory.reset();
  }
  keys.material = std::move(material).Release();
  shelf.bytes -= keys.material.size();
  shelf.delivered_keys += slots.size();
  while (!shelf.batches.empty() && shelf.batches.front()->left == 0) shelf.batches.pop_front();
  return keys;
}

void KeyStore::Expire() {
  const std::lock_guard lock(mutex_);
  ExpireLocked();
}

void KeyStore::ExpireLocked() {
  const double now = clock_();
  for (auto& [pair, shelf] : shelves_) {
    while (!shelf.batches.empty() && shelf.batches.front()->expiry <= now) {
      const Batch& batch = *shelf.batches.front();
      for (std::size_t i = 0; i < batch.ids.size(); ++i) {
        if (batch.memory && shelf.slots.erase(batch.ids[i]) > 0) Wipe(KeyOf(batch, i));
      }
      shelf.bytes -= batch.left * batch.key_bytes;
      shelf.expired_keys += batch.left;
      shelf.batches.pop_front();
    }
  }
}

std::vector<KeyStore::Count> KeyStore::Counts() const {
  const std::lock_guard lock(mutex_);
  std::vector<Count> counts;
  for (const auto& [pair, shelf] : shelves_)
    counts.push_back({pair.first, pair.second, shelf.slots.size(), shelf.delivered_keys, shelf.expired_keys});
  return counts;
}

}  // namespace ssn::qkdn::sim
