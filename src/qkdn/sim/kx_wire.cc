// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/kx_wire.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

namespace ssn::qkdn::sim {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 4;

PooledSecret Frame(const std::string& header, ByteSpan tag, ByteSpan bytes) {
  PooledSecret frame(kLengthBytes + header.size() + tag.size() + bytes.size());
  std::uint8_t* at = frame.data();
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    *at++ = static_cast<std::uint8_t>(header.size() >> (8 * (kLengthBytes - 1 - i)));
  at = std::copy(header.begin(), header.end(), at);
  at = std::copy(tag.begin(), tag.end(), at);
  std::copy(bytes.begin(), bytes.end(), at);
  return frame;
}

struct Parts {
  std::string header;
  ByteSpan rest;
};

Result<Parts> Split(ByteSpan frame) {
  std::size_t length = 0;
  if (frame.size() >= kLengthBytes) {
    for (std::size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | frame[i];
    frame = frame.subspan(kLengthBytes);
  }
  if (length == 0 || length > frame.size())
    return Status::InvalidArgument("a frame that is too short for its header");
  return Parts{std::string(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(length)),
               frame.subspan(length)};
}

// Reads JSON that another process wrote; whatever the library throws becomes a Status.
template <typename T>
Result<T> Parse(const std::string& text, auto read) {
  try {
    T value{};
    read(json::parse(text), value);
    return value;
  } catch (const json::exception& error) {
    return Status::InvalidArgument(error.what());
  }
}

}  // namespace

PooledSecret FormatDeliver(const QkdKey& block) {
  const json header = {{"link", block.link},
                       {"from_end", block.from_end},
                       {"epoch", block.key.epoch},
                       {"start", block.key.start}};
  return Frame(header.dump(), {}, block.key.bytes.span());
}

Result<QkdKey> ParseDeliver(ByteSpan frame) {
  Result<Parts> parts = Split(frame);
  if (!parts.ok()) return parts.status();
  Result<QkdKey> block = Parse<QkdKey>(parts.value().header, [](const json& header, QkdKey& value) {
    header.at("link").get_to(value.link);
    header.at("from_end").get_to(value.from_end);
    header.at("epoch").get_to(value.key.epoch);
    header.at("start").get_to(value.key.start);
  });
  if (!block.ok()) return block;
  QkdKey key = std::move(block).value();
  if (key.from_end != 0 && key.from_end != 1)
    return Status::InvalidArgument("from_end=" + std::to_string(key.from_end) + " is neither 0 nor 1");
  key.key.bytes = PooledSecret(parts.value().rest);
  return key;
}

PooledSecret FormatRelay(const RelayMessage& message) {
  return Frame(FormatHeader(message), message.tag, message.payload.span());
}

Result<RelayMessage> ParseRelay(ByteSpan frame) {
  Result<Parts> parts = Split(frame);
  if (!parts.ok()) return parts.status();
  Result<RelayMessage> parsed = ParseHeader(parts.value().header);
  if (!parsed.ok()) return parsed;
  RelayMessage message = std::move(parsed).value();
  const ByteSpan rest = parts.value().rest;
  if (rest.size() < message.tag.size()) return Status::InvalidArgument("a relay message without a tag");
  std::copy_n(rest.begin(), message.tag.size(), message.tag.begin());
  message.payload = PooledSecret(rest.subspan(message.tag.size()));
  return message;
}

std::string FormatWant(const WantRequest& want) {
  return json{{"link", want.link}, {"epoch", want.epoch}, {"size", want.size}}.dump();
}

Result<WantRequest> ParseWant(const std::string& text) {
  return Parse<WantRequest>(text, [](const json& from, WantRequest& want) {
    from.at("link").get_to(want.link);
    from.at("epoch").get_to(want.epoch);
    from.at("size").get_to(want.size);
  });
}

std::string FormatOutcome(const Outcome& outcome) {
  return json{{"kind", static_cast<int>(outcome.kind)}, {"message", outcome.message}, {"link", outcome.link}}
      .dump();
}

Result<Outcome> ParseOutcome(const std::string& text) {
  return Parse<Outcome>(text, [](const json& from, Outcome& outcome) {
    const int kind = from.at("kind").get<int>();
    // Whatever another version may add is a refusal to this one.
    outcome.kind = kind >= 0 && kind <= 3 ? static_cast<Outcome::Kind>(kind) : Outcome::Kind::kRefused;
    from.at("message").get_to(outcome.message);
    from.at("link").get_to(outcome.link);
  });
}

std::string FormatLinks(const std::vector<LinkState>& links) {
  json list = json::array();
  for (const LinkState& link : links)
    list.push_back(
        {{"link", link.link}, {"up", link.up}, {"sendable", link.sendable_bytes}, {"stamp", link.stamp}});
  return list.dump();
}

Result<std::vector<LinkState>> ParseLinks(const std::string& text) {
  return Parse<std::vector<LinkState>>(text, [](const json& from, std::vector<LinkState>& links) {
    for (const json& each : from) {
      LinkState& link = links.emplace_back();
      each.at("link").get_to(link.link);
      each.at("up").get_to(link.up);
      each.at("sendable").get_to(link.sendable_bytes);
      each.at("stamp").get_to(link.stamp);
    }
  });
}

}  // namespace ssn::qkdn::sim
