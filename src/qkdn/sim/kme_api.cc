// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/kme_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace ssn::qkdn::sim {
namespace {

// The standard gives these words.
constexpr const char* kNotMultipleOf8 = "size shall be a multiple of 8";
constexpr const char* kMandatoryExtension = "not all extension_mandatory parameters are supported";
constexpr const char* kKeyNotFound = "one or more keys specified are not found on KME";

KmeAnswer Error(int status, std::string message) {
  return {status, SecretText(etsi014::FormatError({std::move(message), ""}))};
}

KmeAnswer Unauthorised() { return {401, SecretText()}; }

Status ReadNumber(const std::string& name, const std::string& text, std::uint64_t& value) {
  const char* end_of_text = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), end_of_text, value);
  if (error == std::errc() && end == end_of_text && !text.empty()) return {};
  return Status::InvalidArgument(name + "=" + text.substr(0, 64) + " is not a whole number");
}

Result<etsi014::KeyRequest> FromParameters(const KmeApi::Parameters& parameters) {
  etsi014::KeyRequest request;
  std::set<std::string> seen;
  for (const auto& [name, value] : parameters) {
    if (name != "number" && name != "size")
      return Status::InvalidArgument("only number and size can be given with GET; use POST");
    if (!seen.insert(name).second) return Status::InvalidArgument(name + " is given twice");
    if (Status status = ReadNumber(name, value, name == "number" ? request.number : request.size_bits);
        !status.ok())
      return status;
  }
  if (seen.contains("size") && request.size_bits == 0) return Status::InvalidArgument("size=0 is no size");
  return request;
}

void FlipEachKey(etsi014::Keys& keys) {
  for (std::size_t i = 0; i < keys.ids.size(); ++i) keys.material.data()[i * keys.key_bytes] ^= 1;
}

void DropLastKey(etsi014::Keys& keys) {
  keys.ids.pop_back();
  const ByteSpan rest = keys.material.span().first(keys.ids.size() * keys.key_bytes);
  keys.material = PooledSecret(rest).Release();
}

std::uint64_t KeyBytes(std::uint64_t bits, Fault fault) {
  if (fault == Fault::kShortKeys) return std::max<std::uint64_t>(bits / 16, 1);
  return fault == Fault::kBitsForBytes ? bits : bits / 8;
}

// The keys are text from here on; their pages are used again.
KmeAnswer AnswerKeys(etsi014::Keys keys) {
  KmeAnswer answer{200, SecretText(etsi014::FormatKeys(keys))};
  const PooledSecret done(std::move(keys.material));
  return answer;
}

}  // namespace

// What every request goes through: the caller's right to be here, and the faults that spoil any answer.
KmeAnswer KmeApi::Answer(const std::string& caller, auto handle) {
  if (std::ranges::find(node_.config().sae_ids, caller) == node_.config().sae_ids.end())
    return Unauthorised();
  node_.fault().WaitWhileSlow();
  const Fault fault = node_.fault().Get();
  if (fault == Fault::k503) return Error(503, "the simulator was told to fail");
  if (fault == Fault::kGarbage) return {200, SecretText("<html><body>It works!</body></html>")};
  KmeAnswer answer = handle(fault);
  if (fault == Fault::kTruncated) {
    std::string& text = answer.body.text();
    Wipe({reinterpret_cast<std::uint8_t*>(text.data()) + text.size() / 2, text.size() - text.size() / 2});
    text.resize(text.size() / 2);
  }
  return answer;
}

Status KmeApi::CheckSlaves(const std::vector<std::string>& slave_sae_ids) const {
  std::set<std::string> seen;
  for (const std::string& sae : slave_sae_ids) {
    if (node_.network().FindNodeOfSae(sae) == nullptr)
      return Status::InvalidArgument("slave_SAE_ID=" + sae.substr(0, 64) + " is not known");
    if (!seen.insert(sae).second) return Status::InvalidArgument("slave_SAE_ID=" + sae + " is named twice");
  }
  return {};
}

Status KmeApi::CheckRequest(const std::string& slave_sae_id, const etsi014::KeyRequest& request) const {
  const NodeConfig& limits = node_.config();
  if (!request.extension_mandatory.empty()) return Status::InvalidArgument(kMandatoryExtension);
  if (request.size_bits % 8 != 0) return Status::InvalidArgument(kNotMultipleOf8);
  if (request.size_bits != 0 &&
      (request.size_bits < limits.min_key_size_bits || request.size_bits > limits.max_key_size_bits))
    return Status::InvalidArgument(fmt::format("size={} is outside {}..{}", request.size_bits,
                                               limits.min_key_size_bits, limits.max_key_size_bits));
  if (request.number < 1 || request.number > limits.max_key_per_request)
    return Status::InvalidArgument(
        fmt::format("number={} is outside 1..{}", request.number, limits.max_key_per_request));
  if (request.additional_slave_sae_ids.size() > limits.max_sae_id_count)
    return Status::InvalidArgument(
        fmt::format("additional_slave_SAE_IDs names {} SAEs, max_SAE_ID_count is {}",
                    request.additional_slave_sae_ids.size(), limits.max_sae_id_count));
  std::vector<std::string> slaves = request.additional_slave_sae_ids;
  slaves.push_back(slave_sae_id);
  return CheckSlaves(slaves);
}

KmeAnswer KmeApi::GetStatus(const std::string& caller, const std::string& slave_sae_id) {
  return Answer(caller, [&](Fault) {
    if (Status status = CheckSlaves({slave_sae_id}); !status.ok()) return Error(400, status.message());
    return KmeAnswer{200, SecretText(etsi014::FormatPoolStatus(node_.Pool(caller, slave_sae_id)))};
  });
}

KmeAnswer KmeApi::Supply(const std::string& caller, const std::string& slave_sae_id,
                         Result<etsi014::KeyRequest> parsed) {
  return Answer(caller, [&](Fault fault) {
    if (!parsed.ok()) return Error(400, parsed.status().message());
    const etsi014::KeyRequest& request = parsed.value();
    if (Status status = CheckRequest(slave_sae_id, request); !status.ok())
      return Error(400, status.message());
    std::vector<std::string> slaves = {slave_sae_id};
    slaves.insert(slaves.end(), request.additional_slave_sae_ids.begin(),
                  request.additional_slave_sae_ids.end());
    const std::uint64_t bits = request.size_bits == 0 ? node_.config().key_size_bits : request.size_bits;
    auto supplied = node_.Supply(caller, slaves, request.number, KeyBytes(bits, fault));
    if (const auto* refusal = std::get_if<Node::Refusal>(&supplied))
      return Error(refusal->http_status, refusal->message);
    return AnswerKeys(std::get<etsi014::Keys>(std::move(supplied)));
  });
}

KmeAnswer KmeApi::GetKey(const std::string& caller, const std::string& slave_sae_id,
                         const Parameters& parameters) {
  return Supply(caller, slave_sae_id, FromParameters(parameters));
}

KmeAnswer KmeApi::PostGetKey(const std::string& caller, const std::string& slave_sae_id,
                             const std::string& body) {
  return Supply(caller, slave_sae_id, etsi014::ParseKeyRequest(body));
}

KmeAnswer KmeApi::Deliver(const std::string& caller, const std::string& master_sae_id,
                          Result<std::vector<std::string>> parsed) {
  return Answer(caller, [&](Fault fault) {
    if (!parsed.ok()) return Error(400, parsed.status().message());
    const std::vector<std::string>& ids = parsed.value();
    if (ids.empty() || ids.size() > node_.config().max_key_per_request)
      return Error(
          400, fmt::format("{} key_IDs are outside 1..{}", ids.size(), node_.config().max_key_per_request));
    auto taken = node_.store().Take(master_sae_id, caller, ids);
    if (const auto* refusal = std::get_if<KeyStore::Refusal>(&taken)) {
      if (*refusal == KeyStore::Refusal::kNotYours) return Unauthorised();
      if (*refusal == KeyStore::Refusal::kMixedSizes)
        return Error(400, "keys of different sizes in one request");
      return Error(400, kKeyNotFound);
    }
    etsi014::Keys& keys = std::get<etsi014::Keys>(taken);
    if (fault == Fault::kDifferentKeys) FlipEachKey(keys);
    if (fault == Fault::kMissingIds) DropLastKey(keys);
    return AnswerKeys(std::move(keys));
  });
}

KmeAnswer KmeApi::GetKeyWithIds(const std::string& caller, const std::string& master_sae_id,
                                const Parameters& parameters) {
  if (parameters.size() != 1 || parameters.begin()->first != "key_ID")
    return Deliver(caller, master_sae_id,
                   Status::InvalidArgument("exactly one key_ID can be given with GET; use POST"));
  return Deliver(caller, master_sae_id, std::vector<std::string>{parameters.begin()->second});
}

KmeAnswer KmeApi::PostGetKeyWithIds(const std::string& caller, const std::string& master_sae_id,
                                    const std::string& body) {
  return Deliver(caller, master_sae_id, etsi014::ParseKeyIds(body));
}

}  // namespace ssn::qkdn::sim
