// SPDX-License-Identifier: LGPL-2.1-or-later
// link_test_util.h - two links, a key source with faults and a network that can be cut, all in memory and in
// one thread.
//
// Every 8-byte word of key that the source gives out is unlike all others, and so are the words that begin at
// any other byte but for chance: pad that is used a second time, at whatever position, is found.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "qkdn/proxy/link.h"

namespace ssn::qkdn::proxy {

using Bytes = std::vector<std::uint8_t>;

class NoAudit final : public AuditSink {
 public:
  void Record(const AuditEvent&) override {}
};

// The KMEs of both nodes.
class TestKme {
 public:
  std::uint32_t key_bytes = 64;
  std::uint64_t most_bytes = ~std::uint64_t{0};  // of one answer: a store that fills slowly
  bool differ = false;                           // the next keys are not the same at both ends
  bool lose = false;                             // the next keys never reach the other end
  bool repeat = false;  // the next keys have bytes that were given out before, under new ids

  etsi014::Keys Make(std::uint64_t bytes) {
    etsi014::Keys keys;
    keys.key_bytes = key_bytes;
    const std::size_t count = std::max<std::size_t>(1, std::min(bytes, most_bytes) / key_bytes);
    keys.material = SecretBytes(count * key_bytes);
    std::uint64_t old_word = 1;
    std::uint64_t& word = repeat ? old_word : next_word_;
    for (std::size_t at = 0; at < keys.material.size(); at += 8) {
      const std::uint64_t mixed = Mix(word++);
      std::memcpy(keys.material.data() + at, &mixed, 8);
    }
    for (std::size_t i = 0; i < count; ++i) {
      keys.ids.push_back("key-" + std::to_string(next_id_++));
      const std::uint8_t* key = keys.material.data() + i * key_bytes;
      if (!lose) at_peer_[keys.ids.back()] = Bytes(key, key + key_bytes);
    }
    if (differ && !lose) at_peer_[keys.ids.back()].back() ^= 1;
    differ = lose = repeat = false;
    return keys;
  }
  etsi014::Keys Fetch(const std::vector<std::string>& ids) {
    etsi014::Keys keys;
    for (const auto& id : ids)
      if (!at_peer_.contains(id)) return keys;
    keys.ids = ids;
    keys.key_bytes = key_bytes;
    keys.material = SecretBytes(ids.size() * key_bytes);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::memcpy(keys.material.data() + i * key_bytes, at_peer_[ids[i]].data(), key_bytes);
      at_peer_.erase(ids[i]);
    }
    return keys;
  }
  std::size_t left_over() const { return at_peer_.size(); }

 private:
  // A bijection (the finaliser of SplitMix64).
  static std::uint64_t Mix(std::uint64_t x) {
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
  }

  std::uint64_t next_word_ = 1;
  std::uint64_t next_id_ = 1;
  std::map<std::string, Bytes> at_peer_;
};

// All pad that programs of one node were given, in both directions.
struct UsedPad {
  std::set<std::uint64_t> words[2];  // by direction
  std::set<std::pair<PadEpoch, std::uint64_t>> positions[2];
};

// A program's end of one stream, with a window of its own.
class TestSink final : public PadSink {
 public:
  TestSink(UsedPad& used, Ledger& ledger, PadDirection direction, const StreamId& id, const PadEpoch& epoch)
      : used_(used), ledger_(ledger), direction_(direction), id_(id), epoch_(epoch) {}

  const void* Owner() const override { return owner; }
  MutableByteSpan Allocate(std::size_t bytes) override {
    if (bytes > room) return {};
    return memory_.emplace_back(bytes);
  }
  void Free(MutableByteSpan memory) override {
    EXPECT_EQ(1u, std::erase_if(memory_, [&](const Bytes& m) { return m.data() == memory.data(); }));
  }
  void Granted(std::uint64_t offset, std::uint64_t position, MutableByteSpan memory) override {
    EXPECT_EQ(pad.size(), offset);
    const auto which = static_cast<std::size_t>(direction_) - 1;
    for (std::size_t i = 0; i < memory.size(); ++i)
      EXPECT_TRUE(used_.positions[which].insert({epoch_, position + i}).second) << "position used twice";
    for (std::size_t i = 0; i + 8 <= memory.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, memory.data() + i, 8);
      EXPECT_TRUE(used_.words[which].insert(word).second) << "pad used twice";
    }
    pad.insert(pad.end(), memory.begin(), memory.end());
    Free(memory);
  }
  void Done(std::uint32_t request) override { done.push_back(request); }
  void Refused(std::uint32_t request, north::Refusal reason, const std::string&) override {
    refused[request] = reason;
  }
  void Ended(north::Refusal reason) override {
    EXPECT_FALSE(ended);
    EXPECT_TRUE(memory_.empty()) << "memory was neither freed nor granted";
    ended = true;
    end_reason = reason;
  }
  // As the program that owns the sink: what was granted is used.
  void UseAll() {
    ledger_.Used(pad.size() - used_bytes_, id_, 0);
    used_bytes_ = pad.size();
  }
  std::uint64_t unused() const { return pad.size() - used_bytes_; }
  PadDirection direction() const { return direction_; }

  const void* owner = this;
  std::size_t room = std::size_t{1} << 40;
  Bytes pad;
  std::vector<std::uint32_t> done;
  std::map<std::uint32_t, north::Refusal> refused;
  bool ended = false;
  north::Refusal end_reason{};

 private:
  UsedPad& used_;
  Ledger& ledger_;
  PadDirection direction_;
  StreamId id_;
  PadEpoch epoch_;
  std::size_t used_bytes_ = 0;
  std::deque<Bytes> memory_;
};

struct TestNetwork {
  Clock::time_point now{};
  bool connected = false;
  std::deque<sideways::Message> to[2];  // under way to node 0 and node 1
};

// One node: its link, and what surrounds it.
class TestNode final : public LinkIo {
  const NodeId self_;
  TestNetwork& network_;
  TestKme& kme_;

 public:
  TestNode(NodeId self, TestNetwork& network, TestKme& kme, UsedPad& all_used, LinkSettings settings)
      : self_(self), network_(network), kme_(kme), used(all_used) {
    settings.self = self;
    settings.peer = 1 - self;
    link = std::make_unique<Link>(settings, *this, tx, rx);
  }
  ~TestNode() override {
    for (const auto& sink : sinks) sink->UseAll();
    link->Shutdown();
  }

  Clock::time_point Now() const override { return network_.now; }
  void Send(const sideways::Message& message) override {
    if (network_.connected) network_.to[1 - self_].push_back(message);
  }
  void FetchKeys(std::uint64_t bytes) override { fetches.push_back(bytes); }
  void FetchKeysWithIds(std::uint32_t batch, std::uint32_t, std::vector<std::string> ids) override {
    fetches_with_ids.emplace_back(batch, std::move(ids));
  }
  void DiscardKeysWithIds(std::vector<std::string> ids) override {
    for (const auto& id : ids) (void)kme_.Fetch({id});
  }
  bool RepeatedKeys(const etsi014::Keys& keys) override {
    std::uint64_t word = 0;
    std::memcpy(&word, keys.material.data(), 8);
    return !first_words_.insert(word).second;
  }
  void Warn(const std::string& text) override { warnings.push_back(text); }
  void FillRandom(MutableByteSpan out) override {
    static std::mt19937_64 random(std::random_device{}());
    for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
  }

  // Answers one fetch of either kind; false if there is none.
  bool AnswerFetch() {
    if (!fetches.empty()) {
      const std::uint64_t bytes = fetches.front();
      fetches.pop_front();
      link->OnKeys(kme_.Make(bytes));
      return true;
    }
    if (fetches_with_ids.empty()) return false;
    auto [batch, ids] = std::move(fetches_with_ids.front());
    fetches_with_ids.pop_front();
    link->OnKeysWithIds(batch, kme_.Fetch(ids));
    return true;
  }
  TestSink& NewSink(PadDirection direction, const StreamId& id) {
    Ledger& ledger = direction == PadDirection::kTransmit ? tx : rx;
    sinks.push_back(std::make_unique<TestSink>(used, ledger, direction, id, link->epoch()));
    return *sinks.back();
  }
  void ExpectReconciled() const {
    std::uint64_t in_programs[2] = {0, 0};
    for (const auto& sink : sinks)
      in_programs[sink->direction() == PadDirection::kTransmit ? 0 : 1] += sink->unused();
    EXPECT_EQ(tx.fetched(), tx.used() + tx.burnt() + link->transmitter().held() + in_programs[0]);
    EXPECT_EQ(rx.fetched(), rx.used() + rx.burnt() + link->receiver().held() + in_programs[1]);
  }

  NoAudit audit;
  Ledger tx{audit, self_, 1 - self_};
  Ledger rx{audit, 1 - self_, self_};
  UsedPad& used;
  std::vector<std::unique_ptr<TestSink>> sinks;
  std::deque<std::uint64_t> fetches;
  std::deque<std::pair<std::uint32_t, std::vector<std::string>>> fetches_with_ids;
  std::vector<std::string> warnings;
  std::unique_ptr<Link> link;

 private:
  std::set<std::uint64_t> first_words_;
};

}  // namespace ssn::qkdn::proxy
