// SPDX-License-Identifier: LGPL-2.1-or-later
// What is asked, and that the answer is what was asked for. Which failure leads to which action:
// kme_errors.cc.
#include "qkdn/etsi014/kme_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "qkdn/etsi014/https_session.h"
#include "qkdn/etsi014/kme_errors.h"

namespace ssn::qkdn::etsi014 {
namespace {

using Action = KmeError::Action;

// Plain ids hold characters that mean something in a path.
std::string Escaped(const std::string& id) {
  std::string escaped;
  for (const char c : id) {
    const bool unreserved = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                            c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved)
      escaped += c;
    else
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return escaped;
}

Status CheckSae(const char* name, const std::string& id) {
  // "." and ".." are steps in a path, not names.
  if (IsPlainId(id) && id != "." && id != "..") return {};
  return Status::InvalidArgument(
      fmt::format("{}={} is not an SAE ID of 1 to 128 plain characters", name, Printable(id)));
}

Status CheckIds(const std::vector<std::string>& ids) {
  if (ids.empty()) return Status::InvalidArgument("no key ids to ask for");
  std::unordered_map<std::string_view, int> seen;
  for (const std::string& id : ids) {
    if (!IsPlainId(id))
      return Status::InvalidArgument(
          fmt::format("key_ID={} is not an id of 1 to 128 plain characters", Printable(id)));
    if (++seen[id] > 1) return Status::InvalidArgument(fmt::format("key_ID={} is asked for twice", id));
  }
  return {};
}

// The mistake that KMEs make: the size of the wire is in bits.
Status CheckSize(std::uint64_t asked, std::uint64_t got) {
  if (asked == 0 || asked == got) return {};
  const char* const hint = got == asked * 8 || got == asked / 8 ? "; it takes bits for bytes" : "";
  return Status::InvalidArgument(
      fmt::format("asked for keys of {} bytes ({} bits), the KME sent keys of {} bytes ({} bits){}", asked,
                  asked * 8, got, got * 8, hint));
}

// The keys in the order of `ids`, if they are exactly those.
Result<Keys> InOrder(Keys keys, const std::vector<std::string>& ids) {
  if (keys.ids == ids) return keys;
  std::unordered_map<std::string_view, std::size_t> place;
  for (std::size_t i = 0; i < keys.ids.size(); ++i) place.emplace(keys.ids[i], i);
  Keys sorted{ids, keys.key_bytes, SecretBytes(ids.size() * keys.key_bytes)};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = place.find(ids[i]);
    if (found == place.end())
      return Status::InvalidArgument(
          fmt::format("key_ID={} is missing among the {} keys sent", ids[i], keys.ids.size()));
    const ByteSpan key = keys.material.span().subspan(found->second * keys.key_bytes, keys.key_bytes);
    std::ranges::copy(key, sorted.material.data() + i * keys.key_bytes);
    place.erase(found);
  }
  if (!place.empty())
    return Status::InvalidArgument(fmt::format("key_ID={} was not asked for", place.begin()->first));
  return sorted;
}

class HttpsKmeClient final : public KmeClient {
 public:
  explicit HttpsKmeClient(std::unique_ptr<HttpsSession> session) : session_(std::move(session)) {}

  KmeResult<PoolStatus> GetStatus(const std::string& slave_sae_id) override {
    if (Status status = CheckSae("slave_sae_id", slave_sae_id); !status.ok()) return Unsent(status);
    const auto parse = [](std::string_view body) { return ParsePoolStatus(body); };
    return Ask<PoolStatus>(Call::kStatus, slave_sae_id, "status", nullptr, parse);
  }

  KmeResult<Keys> GetKeys(const std::string& slave_sae_id, std::uint64_t number,
                          std::uint64_t key_bytes) override {
    if (Status status = CheckSae("slave_sae_id", slave_sae_id); !status.ok()) return Unsent(status);
    if (number == 0) return Unsent(Status::InvalidArgument("number=0 asks for nothing"));
    if (key_bytes > std::numeric_limits<std::uint64_t>::max() / 64)
      return Unsent(
          Status::InvalidArgument(fmt::format("key_bytes={} is more than bits can count", key_bytes)));
    KeyRequest request;
    request.number = number;
    request.size_bits = key_bytes * 8;
    const std::string body = FormatKeyRequest(request);
    bool no_keys = false;
    const auto parse = [&](std::string_view text) -> Result<Keys> {
      Result<Keys> keys = ParsePaddedKeys(text);
      if (!keys.ok()) return keys;
      const std::size_t got = keys.value().ids.size();
      no_keys = got == 0;
      if (no_keys) return Status::Unavailable(fmt::format("no key, of {} asked for", number));
      if (got > number) return Status::InvalidArgument(fmt::format("{} keys, asked for {}", got, number));
      if (Status status = CheckSize(key_bytes, keys.value().key_bytes); !status.ok()) return status;
      return keys;
    };
    KmeResult<Keys> keys = Ask<Keys>(Call::kEncKeys, slave_sae_id, "enc_keys", &body, parse);
    if (KmeError* const error = std::get_if<KmeError>(&keys)) error->no_keys = no_keys;
    return keys;
  }

  KmeResult<Keys> GetKeysWithIds(const std::string& master_sae_id,
                                 const std::vector<std::string>& ids) override {
    if (Status status = CheckSae("master_sae_id", master_sae_id); !status.ok()) return Unsent(status);
    if (Status status = CheckIds(ids); !status.ok()) return Unsent(status);
    const std::string body = FormatKeyIds(ids);
    const auto parse = [&](std::string_view text) -> Result<Keys> {
      Result<Keys> keys = ParsePaddedKeys(text);
      if (!keys.ok()) return keys;
      return InOrder(std::move(keys).value(), ids);
    };
    return Ask<Keys>(Call::kDecKeys, master_sae_id, "dec_keys", &body, parse);
  }

  void Interrupt() noexcept override { session_->Interrupt(); }

 private:
  static KmeError Unsent(const Status& status) { return {Action::kRefused, 0, status.message()}; }

  template <typename T>
  KmeResult<T> Ask(Call call, const std::string& sae_id, const char* method, const std::string* body,
                   auto parse) {
    const std::string path = fmt::format("/api/v1/keys/{}/{}", Escaped(sae_id), method);
    const std::string request = (body == nullptr ? "GET " : "POST ") + path;
    auto sent = session_->Send(path, body);
    if (KmeError* const error = std::get_if<KmeError>(&sent)) return std::move(*error);
    const auto& answer = std::get<HttpsSession::Answer>(sent);
    KmeResult<T> result = Understand<T>(call, request, answer, parse);
    session_->WipeBody();
    return result;
  }

  template <typename T>
  static KmeResult<T> Understand(Call call, const std::string& request, const HttpsSession::Answer& answer,
                                 auto parse) {
    if (answer.http_status != 200) return ClassifyAnswer(call, request, answer.http_status, answer.body);
    Result<T> value = parse(answer.body);
    if (!value.ok()) return ClassifyContent(call, request, value.status());
    return std::move(value).value();
  }

  const std::unique_ptr<HttpsSession> session_;
};

Status CheckLimits(const KmeClient::Options& options) {
  // libcurl takes 0 for "no limit", and counts in long.
  constexpr std::chrono::milliseconds kMost = std::chrono::hours(1);
  const std::pair<const char*, std::chrono::milliseconds> times[] = {
      {"connect_timeout", options.connect_timeout}, {"timeout", options.timeout}};
  for (const auto& [name, time] : times) {
    if (time.count() < 1 || time > kMost)
      return Status::InvalidArgument(
          fmt::format("{}={} ms is outside 1..{}", name, time.count(), kMost.count()));
  }
  if (options.max_body_bytes == 0)
    return Status::InvalidArgument("max_body_bytes=0 leaves no room for an answer");
  return {};
}

}  // namespace

Result<std::unique_ptr<KmeClient>> KmeClient::Make(Options options) {
  if (Status status = CheckLimits(options); !status.ok()) return status;
  auto session = HttpsSession::Make(options);
  if (!session.ok()) return session.status();
  return std::unique_ptr<KmeClient>(new HttpsKmeClient(std::move(session).value()));
}

}  // namespace ssn::qkdn::etsi014
