// SPDX-License-Identifier: LGPL-2.1-or-later
// The standard names 400, 401 and 503 and leaves the rest open, and KMEs fill it differently. The first rule
// that fits counts. "Says" looks, without regard to case, into `message` and `details`, or into the body that
// is no Error object.
//
//   answer                                               call      action
//   no connection, connection lost, time-out             any       kRetryLater  (https_session.cc)
//   certificate, KME ID, TLS version, alert, no TLS,
//     answer longer than max_body_bytes                  any       kRefused     (https_session.cc)
//   200, not JSON or cut off                             any       kRetryLater
//   200, no keys in it                                   enc_keys  kRetryLater
//   200, JSON, but not what was asked for                dec_keys  kDiscard     (the KME has removed these
//   keys) 200, JSON, but not what was asked for                other     kRefused 408, 425, 429, 5xx any
//   kRetryLater 403, 404, 410                                        dec_keys  kDiscard     (expired,
//   consumed, never issued) 400, says: not found, expired, consumed, unknown     dec_keys  kDiscard 400,
//   says: key, and one of: not enough,
//     insufficient, exhausted, depleted, unavailable,
//     not available                                      any       kRetryLater  (the store is empty)
//   anything else: 400 of other words, 401, 3xx, ...     any       kRefused
//
// After a dec_keys answer that was cut off the keys may be gone at the KME: the next try then says so.
#include "qkdn/etsi014/kme_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ssn::qkdn::etsi014 {
namespace {

using Action = KmeError::Action;

constexpr std::size_t kMostWords = 4096;  // of a body that are looked at
constexpr std::size_t kMostLogged = 300;  // of somebody else's words in a message
constexpr std::array kGone = {"not found", "expired", "consumed", "unknown"};
constexpr std::array kShort = {"not enough", "insufficient", "exhausted",
                               "depleted",   "unavailable",  "not available"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool Says(std::string_view lowered, const auto& phrases) {
  return std::ranges::any_of(phrases,
                             [&](const char* phrase) { return lowered.find(phrase) != lowered.npos; });
}

Action ActionOf(Call call, int http_status, std::string_view said) {
  std::string lowered(said.substr(0, kMostWords));
  std::ranges::transform(lowered, lowered.begin(), Lower);
  if (http_status == 408 || http_status == 425 || http_status == 429 || http_status >= 500)
    return Action::kRetryLater;
  if (call == Call::kDecKeys) {
    if (http_status == 403 || http_status == 404 || http_status == 410) return Action::kDiscard;
    if (http_status == 400 && Says(lowered, kGone)) return Action::kDiscard;
  }
  if (http_status == 400 && Says(lowered, kShort) && lowered.find("key") != lowered.npos)
    return Action::kRetryLater;
  return Action::kRefused;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string words(text.substr(0, kMostLogged));
  std::ranges::replace_if(
      words, [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > kMostLogged) words += "...";
  return words;
}

KmeError ClassifyAnswer(Call call, std::string_view request, int http_status, std::string_view body) {
  const Error error = ParseError(body);
  std::string words = error.message;
  if (!error.details.empty()) words += (words.empty() ? "" : " ") + error.details;
  const Action action = ActionOf(call, http_status, words.empty() ? body : words);
  // A body that is no Error is counted, not quoted: it may be anything, a web page or keys.
  const std::string quoted =
      words.empty() ? fmt::format("({} bytes that are no Error object)", body.size()) : Printable(words);
  return {action, http_status, fmt::format("{}: status {}: {}", request, http_status, quoted)};
}

KmeError ClassifyContent(Call call, std::string_view request, const Status& fault) {
  const bool not_json = fault.code() == Status::Code::kUnavailable;
  const Action action = not_json                 ? Action::kRetryLater
                        : call == Call::kDecKeys ? Action::kDiscard
                                                 : Action::kRefused;
  return {action, 200, fmt::format("{}: status 200: {}", request, Printable(fault.message()))};
}

}  // namespace ssn::qkdn::etsi014
