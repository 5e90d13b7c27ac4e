// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/relay.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

namespace ssn::qkdn::sim {
namespace {

constexpr std::string_view kContext =
    "qkdn-sim relay 1";  // sets these tags apart from any other use of the key

void Xor(MutableByteSpan to, ByteSpan from) {
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= to.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::memcpy(&a, &to[i], sizeof a);
    std::memcpy(&b, &from[i], sizeof b);
    a ^= b;
    std::memcpy(&to[i], &a, sizeof a);
  }
  for (; i < to.size(); ++i) to[i] = static_cast<std::uint8_t>(to[i] ^ from[i]);
}

ByteSpan Bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

Outcome SealHop(QkdLink& link, int end, RelayMessage& message, PooledSecret* cut) {
  const std::size_t pad_bytes = message.supply.total_bytes();
  Result<LinkKey> drawn = link.Draw(end, pad_bytes + kOneTimeMacKeyBytes);
  if (!drawn.ok()) return {Outcome::Kind::kUnavailable, drawn.status().message(), message.link};
  const LinkKey key = std::move(drawn).value();
  message.epoch = key.epoch;
  message.start = key.start;
  const ByteSpan pad = key.bytes.span().first(pad_bytes);
  if (message.cut_from_link_key)
    *cut = PooledSecret(pad);
  else
    Xor(message.payload.span(), pad);
  // The header is JSON: where it ends is in it, so that no payload can be taken for a part of it.
  const std::string header = FormatHeader(message);
  Result<OneTimeMacTag> tag = OneTimeMac(key.bytes.span().subspan(pad_bytes),
                                         {Bytes(kContext), Bytes(header), message.payload.span()});
  if (!tag.ok()) return {Outcome::Kind::kUnavailable, tag.status().message(), message.link};
  message.tag = tag.value();
  return {};
}

Outcome OpenHop(QkdLink& link, int end, RelayMessage& message) {
  const std::size_t pad_bytes = message.supply.total_bytes();
  Result<PooledSecret> taken = link.Take(end, message.epoch, message.start, pad_bytes + kOneTimeMacKeyBytes);
  if (!taken.ok()) return {Outcome::Kind::kLostStep, taken.status().message(), message.link};
  const PooledSecret key = std::move(taken).value();
  const std::string header = FormatHeader(message);
  const bool fits = message.payload.size() == (message.cut_from_link_key ? 0 : pad_bytes);
  if (!fits || !VerifyOneTimeMac(key.span().subspan(pad_bytes),
                                 {Bytes(kContext), Bytes(header), message.payload.span()}, message.tag)) {
    link.CountRejected();
    return {Outcome::Kind::kUnavailable, "link " + message.link + ": a message was not authentic",
            message.link};
  }
  const ByteSpan pad = key.span().first(pad_bytes);
  if (message.cut_from_link_key)
    message.payload = PooledSecret(pad);
  else
    Xor(message.payload.span(), pad);
  return {};
}

std::string FormatHeader(const RelayMessage& message) {
  return nlohmann::json{{"link", message.link},
                        {"from", message.from},
                        {"route", message.route},
                        {"master", message.supply.master_sae_id},
                        {"slaves", message.supply.slave_sae_ids},
                        {"ids", message.supply.key_ids},
                        {"key_bytes", message.supply.key_bytes},
                        {"cut", message.cut_from_link_key},
                        {"epoch", message.epoch},
                        {"start", message.start}}
      .dump();
}

Result<RelayMessage> ParseHeader(const std::string& header) {
  RelayMessage message;
  try {
    const nlohmann::json json = nlohmann::json::parse(header);
    json.at("link").get_to(message.link);
    json.at("from").get_to(message.from);
    json.at("route").get_to(message.route);
    json.at("master").get_to(message.supply.master_sae_id);
    json.at("slaves").get_to(message.supply.slave_sae_ids);
    json.at("ids").get_to(message.supply.key_ids);
    json.at("key_bytes").get_to(message.supply.key_bytes);
    json.at("cut").get_to(message.cut_from_link_key);
    json.at("epoch").get_to(message.epoch);
    json.at("start").get_to(message.start);
  } catch (const nlohmann::json::exception& error) {
    return Status::InvalidArgument(std::string("a relay message: ") + error.what());
  }
  constexpr std::uint64_t kMostKeyBytes = std::uint64_t{64} << 20;  // so that no product below overflows
  if (message.supply.key_bytes > kMostKeyBytes || message.supply.total_bytes() > kMostKeyBytes)
    return Status::InvalidArgument("a relay message: key_bytes=" + std::to_string(message.supply.key_bytes) +
                                   " times " + std::to_string(message.supply.key_ids.size()) +
                                   " keys is too much");
  return message;
}

}  // namespace ssn::qkdn::sim
