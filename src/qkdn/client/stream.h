// SPDX-License-Identifier: LGPL-2.1-or-later
// stream.h - PadStream over a connection: takes what was granted, asks for more ahead of need, wipes and
// releases what was used.
//
// Errors:    as in ssn/pad_client.h.
// Ownership: a stream keeps its connection; its pad at hand stays mapped as long as it lives.
// Threads:   one at a time. Next, Use and Xor take no lock as long as nothing has to be told to the proxy.

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "qkdn/client/connection.h"
#include "ssn/pad_client.h"

namespace ssn::qkdn::client {

class Stream final : public PadStream {
 public:
  struct Plan {
    StreamId id{};
    NodeId peer = 0;
    PadDirection direction = PadDirection::kTransmit;
    north::StreamKind kind = north::StreamKind::kSession;
    std::uint64_t need = 0;
    std::uint64_t want = 0;  // at least need
    bool fetch_ahead = true;
  };
  // Open returns with `plan.need` bytes at hand. `reason` is set if the proxy refused.
  static Result<std::unique_ptr<Stream>> Open(std::shared_ptr<Connection> connection, const Plan& plan,
                                              Deadline deadline, north::Refusal* reason = nullptr);
  ~Stream() override;

  Status Reserve(std::size_t bytes, std::chrono::milliseconds wait) override {
    return ReserveUntil(bytes, After(wait), 0, nullptr);
  }
  Status ReserveUntil(std::size_t bytes, Deadline deadline, std::uint32_t own_request,
                      north::Refusal* reason);
  std::size_t available() const noexcept override { return connection_->usable() ? at_hand_ : 0; }
  Piece Next(std::size_t limit) noexcept override;
  void Use(std::size_t bytes) noexcept override;
  void Xor(ByteSpan in, MutableByteSpan out) noexcept override;
  void Account() noexcept override { ReleaseIf(kReleaseLeast); }
  const PadEpoch& epoch() const noexcept override { return epoch_; }

 private:
  // What the proxy is told of at once. Telling takes as long as encrypting some 20 KiB.
  static constexpr std::uint64_t kReleaseLeast = std::uint64_t{64} << 10;
  static constexpr std::uint64_t kReleaseMost = std::uint64_t{1} << 20;
  using Extents = std::deque<north::Grant>;

  Stream(std::shared_ptr<Connection> connection, StreamState& state, const Plan& plan);
  void TakeOver(const Connection::Lock& lock);
  void EndPrefetch(const Connection::Lock& lock);
  void Prefetch();
  std::uint64_t NextChunk(std::uint64_t least);
  MutableByteSpan FrontPad(std::size_t limit) const noexcept;
  void Advance(std::size_t bytes) noexcept;
  void Settle() noexcept;
  void ReleaseIf(std::uint64_t used) noexcept;
  std::string Name() const;
  Status Short(std::size_t bytes, const char* circumstance) const;

  const std::shared_ptr<Connection> connection_;
  StreamState& state_;  // of the connection
  const NodeId peer_;
  const PadDirection direction_;
  const north::StreamKind kind_;
  const bool fetch_ahead_;
  const std::uint64_t release_every_;
  const PadEpoch epoch_;
  std::unique_ptr<Extents> extents_;  // at hand, in order; never empty ones
  std::size_t at_hand_ = 0;
  std::uint64_t used_ = 0;      // offset in the stream
  std::uint64_t released_ = 0;  // what the proxy knows of it
  std::uint64_t chunk_ = 0;     // asked for last,
  Deadline chunk_asked_{};      // and when
  bool release_due_ = false;
  std::uint64_t taken_over_ = 0;
  bool prefetching_ = false;
  std::uint64_t taken_over_before_prefetch_ = 0;
  Deadline no_prefetch_before_{};
};

}  // namespace ssn::qkdn::client
