// SPDX-License-Identifier: LGPL-2.1-or-later
// program_stream.h - one stream that a local program has opened: the pad that lies in its window and is not
// used yet.
//
// Ownership: holds memory of the program's window until it is released or closed; Close comes before
//            destruction.
// Threads:   that of the event loop.

#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "qkdn/proxy/links.h"
#include "qkdn/proxy/pad_sink.h"
#include "qkdn/proxy/window.h"

namespace ssn::qkdn::proxy {

class ProgramStream : public PadSink {
 public:
  // What a stream needs of its program.
  class Host {
   public:
    virtual ~Host() = default;
    virtual Window& window() = 0;
    virtual void Send(const north::FromProxy& message) = 0;
    virtual void RequestEnded() = 0;
    virtual void Used(NodeId peer, PadDirection direction, std::uint64_t bytes) = 0;
  };
  struct Name {
    StreamId id{};
    NodeId peer = 0;
    PadDirection direction = PadDirection::kTransmit;
    north::StreamKind kind = north::StreamKind::kSession;
  };
  ProgramStream(Host& host, const LinkParts& link, std::uint32_t handle, const Name& name)
      : host_(host), link_(link), handle_(handle), name_(name) {}

  StreamOpening Open();
  // Start tells the program that the stream is open, and of the grants that came before it was.
  void Start(std::uint32_t request);
  void Request(const PadRequest& request);
  // Release is false if `offset` goes back, or past what was granted.
  bool Release(std::uint64_t offset);
  // Close leaves the link and enters what was not used as burnt; requests end without an answer. `wipe`: the
  // program no longer uses its window, or said so of this stream; else what it has at hand is left to it.
  void Close(BurnReason reason, bool wipe);

  const Name& name() const noexcept { return name_; }
  bool ended() const noexcept { return ended_.has_value(); }
  std::uint64_t held() const noexcept { return granted_ - used_; }

  const void* Owner() const override { return &host_; }
  MutableByteSpan Allocate(std::size_t bytes) override { return host_.window().Allocate(bytes); }
  void Free(MutableByteSpan memory) override { host_.window().Free(memory); }
  void Granted(std::uint64_t offset, std::uint64_t position, MutableByteSpan memory) override;
  void Done(std::uint32_t request) override;
  void Refused(std::uint32_t request, north::Refusal reason, const std::string& message) override;
  void Ended(north::Refusal reason) override;

 private:
  struct Piece {
    std::uint64_t offset;
    std::uint64_t position;
    MutableByteSpan memory;
    std::uint64_t used = 0;
  };
  void SendGrant(const Piece& piece);
  void RequestEnded();
  Ledger& ledger() { return name_.direction == PadDirection::kTransmit ? link_.tx_ledger : link_.rx_ledger; }

  Host& host_;
  const LinkParts link_;
  const std::uint32_t handle_;
  const Name name_;
  bool started_ = false;
  std::size_t requests_ = 0;  // not answered yet
  std::optional<north::Refusal> ended_;
  std::uint64_t granted_ = 0;
  std::uint64_t used_ = 0;
  std::deque<Piece> pieces_;
};

}  // namespace ssn::qkdn::proxy
