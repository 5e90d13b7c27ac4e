// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/audit_line.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace ssn::qkdn::proxy {
namespace {

constexpr std::string_view kStart = "{\"seq\":";
constexpr std::string_view kPrev = ",\"prev\":\"";
constexpr std::string_view kEnd = "\"}";

// Ids come from peers and KMEs: nothing in them may end the string they stand in.
std::string Quotable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 256)) out += c >= ' ' && c < '\x7f' && c != '"' && c != '\\' ? c : '_';
  return out;
}

bool IsHex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string AuditBody(const AuditEvent& event, std::chrono::system_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since - seconds).count();
  // Splitting a date into its parts costs more than all the rest, and the second rarely changes.
  static thread_local std::chrono::seconds formatted{-1};
  static thread_local std::string text;
  if (formatted != seconds) {
    formatted = seconds;
    text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(std::chrono::system_clock::time_point(seconds)));
  }
  return fmt::format(
      R"("time":"{}.{:03}Z","event":"{}","from":{},"to":{},"bytes":{},"position":{},"id":"{}","outcome":"{}")",
      text, ms, Quotable(event.event), event.from, event.to, event.bytes, event.position, Quotable(event.id),
      Quotable(event.outcome));
}

std::string AuditLine(std::uint64_t seq, std::string_view body, std::string_view prev) {
  return fmt::format("{}{},{}{}{}{}", kStart, seq, body, kPrev, prev, kEnd);
}

std::string AuditHash(std::string_view line) {
  std::array<std::uint8_t, 32> digest{};
  EVP_Digest(line.data(), line.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string hex;
  hex.reserve(kAuditHashChars);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string AuditGenesis() { return std::string(kAuditHashChars, '0'); }

std::optional<AuditLink> ParseAuditLine(std::string_view line) {
  const std::size_t tail = kPrev.size() + kAuditHashChars + kEnd.size();
  if (line.size() > kMaxAuditLineBytes || line.size() < kStart.size() + tail) return std::nullopt;
  if (!line.starts_with(kStart) || !line.ends_with(kEnd)) return std::nullopt;
  AuditLink link;
  const char* const first = line.data() + kStart.size();
  const auto [end, error] = std::from_chars(first, line.data() + line.size(), link.seq);
  if (error != std::errc() || *end != ',') return std::nullopt;
  const std::string_view last = line.substr(line.size() - tail);
  link.prev = last.substr(kPrev.size(), kAuditHashChars);
  if (!last.starts_with(kPrev) || !IsHex(link.prev)) return std::nullopt;
  return link;
}

}  // namespace ssn::qkdn::proxy
