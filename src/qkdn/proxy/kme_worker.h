// SPDX-License-Identifier: LGPL-2.1-or-later
// kme_worker.h - gets a link's keys from the KME without holding up the event loop: one thread draws new
// keys, the other fetches those that the peer was given.
//
// Errors:    failures are retried with pauses and counted; a fetch with ids that cannot succeed answers
//            without keys.
// Ownership: two clients, two threads. Keys that nobody takes any more are wiped.
// Threads:   called from the event loop; the events come back there. Stop is quick, and no event comes
//            after it.
// Spec:      ETSI GS QKD 014 V1.1.1 (2019-02).

#pragma once

#include <asio/io_context.hpp>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "qkdn/proxy/kme_session.h"

namespace ssn::qkdn::proxy {

class KmeWorker {
 public:
  struct Events {
    std::function<void(etsi014::Keys)> on_keys;
    std::function<void(std::uint32_t batch, etsi014::Keys)> on_keys_with_ids;
    std::function<void(const std::string&)> warn;
  };

  KmeWorker(asio::io_context& loop, const MakeKmeClient& make_client, const std::string& peer_sae_id,
            Events events);
  ~KmeWorker();

  void Fetch(std::uint64_t bytes);
  // FetchWithIds and Discard keep a bounded number of jobs: one too many answers without keys, or is given
  // up.
  void FetchWithIds(std::uint32_t batch, std::uint32_t key_bytes, std::vector<std::string> ids);
  void Discard(std::vector<std::string> ids);
  // Renew makes both threads read the certificates of the KME anew.
  void Renew() {
    drawing_.Renew();
    fetching_.Renew();
  }
  void Stop();

  std::uint64_t errors(KmeSession::Action action) const noexcept {
    return drawing_.errors(action) + fetching_.errors(action);
  }

 private:
  struct FetchJob {
    std::uint32_t batch = 0;
    std::uint32_t key_bytes = 0;
    std::vector<std::string> ids;
  };
  struct DiscardJob {
    std::vector<std::string> ids;
    unsigned tries = 0;
  };

  void Draw();
  etsi014::Keys DrawBatch(std::uint64_t bytes);
  void FetchAndDiscard();
  etsi014::Keys FetchBatch(const FetchJob& job);
  void DiscardSome(DiscardJob job);
  // PutBack makes it the next one: a job that is divided takes no more room than its depth.
  void PutBack(DiscardJob job);
  void GiveUp(std::size_t ids);
  // Post runs `event` in the event loop unless Stop came first.
  template <typename Event>
  void Post(Event event);

  asio::io_context& loop_;
  const Events events_;
  const std::shared_ptr<bool> stopped_;  // read and written in the event loop only
  std::mutex mutex_;                     // guards the queues and ending_
  std::condition_variable wake_;
  bool ending_ = false;
  std::deque<std::uint64_t> draws_;
  std::deque<FetchJob> fetches_;
  std::deque<DiscardJob> discards_;
  std::size_t discard_ids_ = 0;  // in all of them
  bool gave_up_ = false;         // an operator was told, and nothing has improved since
  KmeSession drawing_;
  KmeSession fetching_;
  std::thread drawer_;
  std::thread fetcher_;
};

}  // namespace ssn::qkdn::proxy
