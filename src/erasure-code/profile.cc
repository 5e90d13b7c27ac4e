// SPDX-License-Identifier: LGPL-2.1-or-later
#include "erasure-code/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "erasure-code/hinfo_privacy.h"
#include "sharing/generator.h"
#include "ssn/random.h"
#include "ssn/version.h"

namespace ssn::erasure_code {
namespace {

constexpr std::uint64_t kMinStripeUnit = 4096;  // Ceph wants multiples of it
constexpr std::uint64_t kMaxStripeUnit = 16 << 20;
constexpr std::uint64_t kMaxStripe = 64 << 20;           // a write of one byte encodes a stripe
constexpr std::uint64_t kMaxSharesOfStripe = 256 << 20;  // and makes all its shares
constexpr unsigned kMaxVerify = 8;
constexpr unsigned kMaxVerifiedXorShares =
    17;  // above it the search for wrong shares takes too long for an OSD
constexpr std::uint64_t kDefaultStripeUnit = 64 << 10;
constexpr unsigned kVectorBytes = 64;
constexpr unsigned kXorBlockBytes = 32;

constexpr std::array kKnownKeys = {
    "plugin",
    "scheme",
    "t",
    "n",
    "l",
    "verify",
    "rng",
    "k",
    "m",
    "stripe_unit",
    "ssn-format",
    "ssn-privacy",
    "crush-root",
    "crush-failure-domain",
    "crush-device-class",
};

// Reads keys one after the other; the first error sticks and later reads give defaults.
class Reader {
 public:
  explicit Reader(const ProfileKeys& keys) : keys_(keys), complete_(keys) {}

  std::string Text(const std::string& key, const std::string& fallback) {
    const auto found = keys_.find(key);
    const std::string value = found == keys_.end() ? fallback : found->second;
    complete_[key] = value;
    return value;
  }

  unsigned Number(const std::string& key, unsigned fallback, unsigned least, unsigned most,
                  std::string_view range) {
    const std::string text = Text(key, std::to_string(fallback));
    const std::optional<std::uint64_t> value = ParseNumber(text, nullptr);
    if (!value) return Fail(fmt::format("{}={} is not a number in {}", key, text, range)), fallback;
    if (*value < least || *value > most)
      return Fail(fmt::format("{}={} is outside {}", key, text, range)), fallback;
    complete_[key] = std::to_string(*value);
    return static_cast<unsigned>(*value);
  }

  // A key that the others determine: absent it is filled in, present it must agree.
  void Derived(const std::string& key, unsigned value, std::string_view reason) {
    const std::string text = Text(key, std::to_string(value));
    if (text != std::to_string(value))
      Fail(fmt::format("{}={} contradicts {}: it must be {}, or be left out", key, text, reason, value));
  }

  void StripeUnit(const SchemeParams& scheme) {
    const std::string text = Text("stripe_unit", std::to_string(kDefaultStripeUnit));
    std::string_view suffix;
    const std::optional<std::uint64_t> number = ParseNumber(text, &suffix);
    const std::optional<unsigned> shift = SuffixShift(suffix);
    const std::uint64_t step = std::max<std::uint64_t>(kMinStripeUnit, ChunkAlignment(scheme));
    const std::uint64_t most =
        std::min({kMaxStripeUnit, kMaxStripe / scheme.l, kMaxSharesOfStripe / scheme.n}) / step * step;
    const bool fits = number && shift && *number <= kMaxStripeUnit && (*number << *shift) >= step &&
                      (*number << *shift) <= most && (*number << *shift) % step == 0;
    if (!fits)
      return Fail(
          fmt::format("stripe_unit={} is not a multiple of {} bytes in {}..{}", text, step, step, most));
    complete_["stripe_unit"] = std::to_string(*number << *shift);
  }

  void Fail(std::string message) {
    if (status_.ok()) status_ = Status::InvalidArgument(std::move(message));
  }

  const Status& status() const { return status_; }
  const ProfileKeys& complete() const { return complete_; }

 private:
  // Digits, then a suffix if the caller wants one; nothing for anything else.
  static std::optional<std::uint64_t> ParseNumber(std::string_view text, std::string_view* suffix) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    if (suffix != nullptr)
      *suffix = rest;
    else if (!rest.empty())
      return std::nullopt;
    return value;
  }

  // The suffixes of Ceph's own sizes: B, K, Ki, M, Mi; more would be too much.
  static std::optional<unsigned> SuffixShift(std::string_view suffix) {
    if (suffix.empty() || suffix == "B") return 0;
    if (suffix == "K" || suffix == "Ki") return 10;
    if (suffix == "M" || suffix == "Mi") return 20;
    return std::nullopt;
  }

  const ProfileKeys& keys_;
  ProfileKeys complete_;
  Status status_;
};

Status CheckNames(const ProfileKeys& keys) {
  for (const auto& [key, value] : keys) {
    if (std::ranges::find(kKnownKeys, key) == kKnownKeys.end())
      return Status::InvalidArgument(fmt::format("{}={}: plugin ssn has no such key (it has {})", key, value,
                                                 fmt::join(kKnownKeys, " ")));
  }
  if (const auto plugin = keys.find("plugin"); plugin != keys.end() && plugin->second != "ssn")
    return Status::InvalidArgument(fmt::format("plugin={} was given to plugin ssn", plugin->second));
  return {};
}

SchemeParams ReadScheme(Reader& reader) {
  SchemeParams scheme;
  const Result<SchemeKind> kind = ParseSchemeName(reader.Text("scheme", "shamir"));
  if (!kind.ok()) {
    reader.Fail(kind.status().message());
    return scheme;
  }
  scheme.kind = kind.value();
  const unsigned least_t = scheme.kind == SchemeKind::kRamp ? 3 : 2;
  scheme.n = reader.Number("n", 5, least_t, kMaxShares, fmt::format("{}..{}", least_t, kMaxShares));
  scheme.k = reader.Number("t", std::min(3u, scheme.n), least_t, scheme.n,
                           fmt::format("{}..n={}", least_t, scheme.n));
  if (scheme.kind == SchemeKind::kRamp)
    scheme.l =
        reader.Number("l", 2, 2, scheme.k - 1, fmt::format("2..{} (below t={})", scheme.k - 1, scheme.k));
  else
    scheme.l = reader.Number("l", 1, 1, 1, "1..1 (only scheme=ramp takes more)");
  // What is left for Validate is the bound on large XOR schemes.
  if (reader.status().ok() && !Validate(scheme).ok())
    reader.Fail(fmt::format("t={} with scheme={} n={}: t is at most 4 when n is above 17", scheme.k,
                            SchemeName(scheme.kind), scheme.n));
  return scheme;
}

}  // namespace

unsigned ChunkAlignment(const SchemeParams& scheme) {
  return scheme.kind == SchemeKind::kXor ? kXorBlockBytes * (XorPrime(scheme.n) - 1) : kVectorBytes;
}

Result<Profile> ParseProfile(ProfileKeys& keys) {
  if (Status status = CheckNames(keys); !status.ok()) return status;
  Reader reader(keys);
  Profile profile;
  reader.Text("plugin", "ssn");
  profile.scheme = ReadScheme(reader);
  if (!reader.status().ok()) return reader.status();

  const auto& [kind, k, n, l] = profile.scheme;
  const bool searchable = kind != SchemeKind::kXor || n <= kMaxVerifiedXorShares;
  const unsigned most_verify = searchable ? std::min(n - k, kMaxVerify) : 0;
  profile.verify = reader.Number(
      "verify", 0, 0, most_verify,
      searchable ? fmt::format("0..{} (n={} less t={}, at most {})", most_verify, n, k, kMaxVerify)
                 : fmt::format("0..0 (scheme=xor with n={} above {})", n, kMaxVerifiedXorShares));
  profile.random = reader.Text("rng", "drbg");
  if (const auto source = OpenRandomSource(profile.random); !source.ok())
    reader.Fail(fmt::format("rng={}: {}", profile.random, source.status().message()));
  reader.StripeUnit(profile.scheme);
  reader.Derived("k", l,
                 "the pieces of a stripe (Ceph takes k and m for capacity; the threshold's key is t)");
  reader.Derived("m", n - l, "n less the pieces of a stripe");
  reader.Derived("ssn-format", kShareFormat, "the share format of this plugin");
  if (reader.status().ok())
    reader.Derived("ssn-privacy", HinfoPrivacy(profile.scheme), "what scheme, t and n give");
  profile.crush_root = reader.Text("crush-root", "default");
  profile.crush_failure_domain = reader.Text("crush-failure-domain", "host");
  profile.crush_device_class = reader.Text("crush-device-class", "");
  if (!reader.status().ok()) return reader.status();
  keys = reader.complete();
  return profile;
}

}  // namespace ssn::erasure_code
