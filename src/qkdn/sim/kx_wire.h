// SPDX-License-Identifier: LGPL-2.1-or-later
// kx_wire.h - what two node processes of one simulation say to each other over HTTPS: the simulated quantum
// channel, and KMA links.
//
// Shapes:    POST /kx/v1/deliver and /kx/v1/relay with a frame: 4 bytes, big endian, the length of a JSON
//            header; the header; for relay 16 bytes of tag; raw bytes. POST /kx/v1/want and GET /kx/v1/links:
//            JSON. So are all answers.
// Errors:    Parse functions: kInvalidArgument.
// Ownership: frames that hold key are PooledSecret.
// Threads:   pure functions.
// Spec:      this simulator's own.

#pragma once

#include <string>
#include <vector>

#include "qkdn/sim/controller.h"
#include "qkdn/sim/relay.h"

namespace ssn::qkdn::sim {

struct WantRequest {
  std::string link;
  std::uint64_t epoch = 0;
  std::uint64_t size = 0;
};

PooledSecret FormatDeliver(const QkdKey& block);
Result<QkdKey> ParseDeliver(ByteSpan frame);

PooledSecret FormatRelay(const RelayMessage& message);
Result<RelayMessage> ParseRelay(ByteSpan frame);

std::string FormatWant(const WantRequest& want);
Result<WantRequest> ParseWant(const std::string& json);

std::string FormatOutcome(const Outcome& outcome);
Result<Outcome> ParseOutcome(const std::string& json);

std::string FormatLinks(const std::vector<LinkState>& links);
Result<std::vector<LinkState>> ParseLinks(const std::string& json);

}  // namespace ssn::qkdn::sim
