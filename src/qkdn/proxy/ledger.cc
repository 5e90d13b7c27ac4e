// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/ledger.h"

#include <numeric>
#include <utility>

namespace ssn::qkdn::proxy {
namespace {

std::string Hex(const StreamId& stream) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : stream) text += {digits[byte >> 4], digits[byte & 15]};
  return text;
}

}  // namespace

std::string_view Name(BurnReason reason) {
  switch (reason) {
    case BurnReason::kCheck:
      return "check";
    case BurnReason::kDisagreed:
      return "disagreed";
    case BurnReason::kNotFetched:
      return "not_fetched";
    case BurnReason::kNoRoom:
      return "no_room";
    case BurnReason::kUnusable:
      return "unusable";
    case BurnReason::kRepeated:
      return "repeated";
    case BurnReason::kNotAcknowledged:
      return "not_acknowledged";
    case BurnReason::kSkipped:
      return "skipped";
    case BurnReason::kExpired:
      return "expired";
    case BurnReason::kStreamClosed:
      return "stream_closed";
    case BurnReason::kEpochEnded:
      return "epoch_ended";
    case BurnReason::kShutdown:
      return "shutdown";
    case BurnReason::kNumReasons:
      break;
  }
  return "unknown";
}

void Ledger::Fetched(std::uint64_t bytes, std::uint32_t batch) {
  if (bytes == 0) return;
  fetched_ += bytes;
  audit_.Record({"supply", from_, to_, bytes, std::to_string(batch), 0, "fetched"});
}

void Ledger::Granted(std::uint64_t bytes, std::uint64_t position, const StreamId& stream) {
  granted_ += bytes;
  audit_.Record({"grant", from_, to_, bytes, Hex(stream), position, "granted"});
}

void Ledger::Used(std::uint64_t bytes, const StreamId& stream, std::uint64_t position) {
  if (bytes == 0) return;
  used_ += bytes;
  audit_.Record({"use", from_, to_, bytes, Hex(stream), position, "used"});
}

void Ledger::Burnt(std::uint64_t bytes, BurnReason reason, std::uint64_t position) {
  Burn(bytes, reason, position, {});
}

void Ledger::BurntOfBatch(std::uint32_t batch, std::uint64_t bytes, BurnReason reason) {
  Burn(bytes, reason, 0, std::to_string(batch));
}

void Ledger::BurntOfStream(const StreamId& stream, std::uint64_t bytes, BurnReason reason,
                           std::uint64_t position) {
  if (bytes > 0) Burn(bytes, reason, position, Hex(stream));
}

void Ledger::Burn(std::uint64_t bytes, BurnReason reason, std::uint64_t position, std::string id) {
  if (bytes == 0) return;
  burnt_[static_cast<std::size_t>(reason)] += bytes;
  audit_.Record({"burn", from_, to_, bytes, std::move(id), position, Name(reason)});
}

std::uint64_t Ledger::burnt() const noexcept {
  return std::accumulate(burnt_.begin(), burnt_.end(), std::uint64_t{0});
}

}  // namespace ssn::qkdn::proxy
