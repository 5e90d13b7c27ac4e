// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/etsi014/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace ssn::qkdn::etsi014 {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxIdChars = 128;
constexpr std::size_t kMaxSmallText = 64 << 10;  // of an object that holds no list of keys
constexpr int kMaxDepth = 8;                     // what lies deeper is dropped: printing it would recurse

std::optional<Json> ReadJson(std::string_view text) {
  const auto keep = [](int depth, Json::parse_event_t event, const Json&) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    return !opens || depth < kMaxDepth;
  };
  Json value = Json::parse(text.begin(), text.end(), keep, /*allow_exceptions=*/false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

std::string Print(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string Cut(std::string text) {
  constexpr std::size_t kMost = 40;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

std::optional<std::uint64_t> ReadNumber(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> ReadText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return Print(value);
  return std::nullopt;
}

// Reads members of one object; the first error sticks and later reads give defaults.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {
    if (!object.is_object()) Fail(fmt::format("{} is not a JSON object", Cut(Print(object))));
  }

  // A member that is absent or null is nullptr.
  const Json* Find(const char* name) const {
    if (!status_.ok()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  void Number(const char* name, std::uint64_t& number) {
    const Json* const value = Find(name);
    if (value == nullptr) return;
    if (const std::optional<std::uint64_t> read = ReadNumber(*value))
      number = *read;
    else
      Fail(fmt::format("{}={} is not a whole number", name, Cut(Print(*value))));
  }

  void RequiredNumber(const char* name, std::uint64_t& number) {
    if (status_.ok() && Find(name) == nullptr) Fail(fmt::format("{} is missing", name));
    Number(name, number);
  }

  // Names of KMEs and SAEs: spaces and UTF-8 are taken, control characters are not.
  void Name(const char* name, std::string& text) {
    const Json* const value = Find(name);
    if (value == nullptr) return;
    std::optional<std::string> read = ReadText(*value);
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (!read || read->size() > kMaxIdChars || std::ranges::any_of(*read, control))
      return Fail(
          fmt::format("{}={} is not a name of at most {} characters", name, Cut(Print(*value)), kMaxIdChars));
    text = *std::move(read);
  }

  // Calls visit(element) for each element of a list, until the first error.
  template <typename Visit>
  void List(const char* name, Visit visit) {
    const Json* const value = Find(name);
    if (value == nullptr) return;
    if (!value->is_array()) return Fail(fmt::format("{}={} is not a list", name, Cut(Print(*value))));
    for (const Json& element : *value) {
      if (status_.ok()) visit(element);
    }
  }

  void PlainId(const char* name, const Json& value, std::vector<std::string>& ids) {
    std::optional<std::string> read = ReadText(value);
    if (!read || !IsPlainId(*read))
      return Fail(fmt::format("{}={} is not an id of 1 to {} plain characters", name, Cut(Print(value)),
                              kMaxIdChars));
    ids.push_back(*std::move(read));
  }

  // A list of objects; their members' names are what counts.
  void ExtensionNames(const char* name, std::vector<std::string>& names) {
    List(name, [&](const Json& element) {
      if (!element.is_object())
        return Fail(fmt::format("{}: {} is not an object", name, Cut(Print(element))));
      for (const auto& [key, ignored] : element.items()) names.push_back(key);
    });
  }

  void Fail(std::string message) {
    if (status_.ok()) status_ = Status::InvalidArgument(std::move(message));
  }
  const Status& status() const { return status_; }

 private:
  const Json& object_;
  Status status_;
};

Json ExtensionList(const std::vector<std::string>& names) {
  Json list = Json::array();
  for (const std::string& name : names) list.emplace_back(Json::object())[name] = nullptr;
  return list;
}

Status TooLong(std::string_view what, std::size_t size) {
  return Status::InvalidArgument(fmt::format("{} of {} bytes is longer than {}", what, size, kMaxSmallText));
}

}  // namespace

bool IsPlainId(std::string_view id) {
  const auto plain = [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\'; };
  return !id.empty() && id.size() <= kMaxIdChars && std::ranges::all_of(id, plain);
}

Result<PoolStatus> ParsePoolStatus(std::string_view json) {
  if (json.size() > kMaxSmallText) return TooLong("status", json.size());
  const std::optional<Json> object = ReadJson(json);
  if (!object) return Status::Unavailable(fmt::format("status of {} bytes is not JSON", json.size()));
  Members members(*object);
  PoolStatus status;
  members.Name("source_KME_ID", status.source_kme_id);
  members.Name("target_KME_ID", status.target_kme_id);
  members.Name("master_SAE_ID", status.master_sae_id);
  members.Name("slave_SAE_ID", status.slave_sae_id);
  // What no request can be made without must be there.
  members.RequiredNumber("key_size", status.key_size_bits);
  members.RequiredNumber("stored_key_count", status.stored_key_count);
  members.Number("max_key_count", status.max_key_count);
  members.RequiredNumber("max_key_per_request", status.max_key_per_request);
  members.RequiredNumber("max_key_size", status.max_key_size_bits);
  members.RequiredNumber("min_key_size", status.min_key_size_bits);
  members.Number("max_SAE_ID_count", status.max_sae_id_count);
  if (status.key_size_bits % 8 != 0)
    members.Fail(fmt::format("key_size={} (bits) is not a multiple of 8", status.key_size_bits));
  if (!members.status().ok()) return members.status();
  return status;
}

Result<KeyRequest> ParseKeyRequest(std::string_view json) {
  KeyRequest request;
  if (json.empty()) return request;
  if (json.size() > kMaxSmallText) return TooLong("key request", json.size());
  const std::optional<Json> object = ReadJson(json);
  if (!object)
    return Status::InvalidArgument(fmt::format("key request of {} bytes is not JSON", json.size()));
  Members members(*object);
  members.Number("number", request.number);
  if (request.number == 0) members.Fail("number=0 asks for nothing");
  members.Number("size", request.size_bits);
  if (request.size_bits == 0 && members.Find("size") != nullptr) members.Fail("size=0 asks for nothing");
  if (request.size_bits % 8 != 0) members.Fail("size shall be a multiple of 8");
  members.List("additional_slave_SAE_IDs", [&](const Json& id) {
    members.PlainId("additional_slave_SAE_IDs", id, request.additional_slave_sae_ids);
  });
  members.ExtensionNames("extension_mandatory", request.extension_mandatory);
  members.ExtensionNames("extension_optional", request.extension_optional);
  if (!members.status().ok()) return members.status();
  return request;
}

Result<std::vector<std::string>> ParseKeyIds(std::string_view json) {
  const std::optional<Json> object = ReadJson(json);
  if (!object) return Status::InvalidArgument(fmt::format("key ids of {} bytes are not JSON", json.size()));
  Members members(*object);
  std::vector<std::string> ids;
  members.List("key_IDs", [&](const Json& element) {
    const auto id = element.is_object() ? element.find("key_ID") : element.end();
    if (id == element.end())
      return members.Fail(fmt::format("key_IDs: {} has no key_ID", Cut(Print(element))));
    members.PlainId("key_ID", *id, ids);
  });
  if (ids.empty()) members.Fail("key_IDs is missing or empty");
  if (!members.status().ok()) return members.status();
  return ids;
}

Error ParseError(std::string_view body) {
  Error error;
  if (body.size() > kMaxSmallText) return error;
  const std::optional<Json> object = ReadJson(body);
  if (!object || !object->is_object()) return error;
  if (const auto message = object->find("message"); message != object->end())
    error.message = ReadText(*message).value_or("");
  if (const auto details = object->find("details"); details != object->end()) error.details = Print(*details);
  return error;
}

std::string FormatPoolStatus(const PoolStatus& status) {
  return Print({
      {"source_KME_ID", status.source_kme_id},
      {"target_KME_ID", status.target_kme_id},
      {"master_SAE_ID", status.master_sae_id},
      {"slave_SAE_ID", status.slave_sae_id},
      {"key_size", status.key_size_bits},
      {"stored_key_count", status.stored_key_count},
      {"max_key_count", status.max_key_count},
      {"max_key_per_request", status.max_key_per_request},
      {"max_key_size", status.max_key_size_bits},
      {"min_key_size", status.min_key_size_bits},
      {"max_SAE_ID_count", status.max_sae_id_count},
  });
}

std::string FormatKeyRequest(const KeyRequest& request) {
  Json object = Json::object();
  if (request.number != 1) object["number"] = request.number;
  if (request.size_bits != 0) object["size"] = request.size_bits;
  if (!request.additional_slave_sae_ids.empty())
    object["additional_slave_SAE_IDs"] = request.additional_slave_sae_ids;
  if (!request.extension_mandatory.empty())
    object["extension_mandatory"] = ExtensionList(request.extension_mandatory);
  if (!request.extension_optional.empty())
    object["extension_optional"] = ExtensionList(request.extension_optional);
  return Print(object);
}

std::string FormatKeyIds(const std::vector<std::string>& ids) {
  Json object = Json::object();
  Json& list = object["key_IDs"] = Json::array();
  for (const std::string& id : ids) list.emplace_back(Json::object())["key_ID"] = id;
  return Print(object);
}

std::string FormatError(const Error& error) {
  Json object = Json::object();
  object["message"] = error.message;
  if (std::optional<Json> details = ReadJson(error.details)) object["details"] = *std::move(details);
  return Print(object);
}

}  // namespace ssn::qkdn::etsi014
