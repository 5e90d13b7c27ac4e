// SPDX-License-Identifier: LGPL-2.1-or-later
// The key container is the one object whose size counts: megabytes of base64 around a few ids. It is read in
// place, each key straight into its SecretBytes, and written straight into the text.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <unordered_set>

#include "qkdn/etsi014/base64.h"
#include "qkdn/etsi014/objects.h"

namespace ssn::qkdn::etsi014 {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

// simdjson finds a wrong type where JSON is right; anything else it finds is no JSON.
Status Wrong(simdjson::error_code error, std::string_view member) {
  if (error == simdjson::INCORRECT_TYPE)
    return Status::InvalidArgument(fmt::format("{} has a wrong type", member));
  return Status::Unavailable(
      fmt::format("key container is not JSON, near {}: {}", member, simdjson::error_message(error)));
}

// The text of a token without the white space up to the next one.
std::string_view Token(ondemand::value& value) {
  std::string_view token = value.raw_json_token();
  token.remove_suffix(token.size() - 1 - token.find_last_not_of(" \t\r\n"));
  return token;
}

// First pass: ids and where the base64 of each key is. Second pass: decode.
class ContainerReader {
 public:
  explicit ContainerReader(std::string_view json) : json_(json) {}

  Status Read() {
    ondemand::document document;
    auto error = parser_.iterate(json_.data(), json_.size(), json_.size() + kJsonPadding).get(document);
    ondemand::object container;
    if (!error) error = document.get_object().get(container);
    if (error)
      return Status::Unavailable(fmt::format("answer of {} bytes is no key container", json_.size()));
    bool found = false;
    for (auto member : container) {
      std::string_view name;
      ondemand::value value;
      if ((error = member.unescaped_key().get(name)) || (error = member.value().get(value)))
        return Wrong(error, "a member of the container");
      if (name != "keys" && name != "Keys") continue;
      if (found) return Status::InvalidArgument("keys is there twice");
      found = true;
      if (Status status = ReadKeys(value); !status.ok()) return status;
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
      return Wrong(simdjson::TAPE_ERROR, "its end");
    if (!found) return Status::InvalidArgument("keys is missing");
    return CheckIds();
  }

  Result<Keys> Decode() {
    Keys keys;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      const std::optional<std::size_t> size = DecodedSize(texts_[i]);
      if (!size || *size == 0)
        return Status::InvalidArgument(
            fmt::format("key of key_ID={} is {} characters, no base64", ids_[i], texts_[i].size()));
      if (i == 0) keys.key_bytes = *size;
      if (*size != keys.key_bytes)
        return Status::InvalidArgument(
            fmt::format("keys differ in size: key_ID={} has {} bytes, key_ID={} has {}", ids_[0],
                        keys.key_bytes, ids_[i], *size));
    }
    keys.material = SecretBytes(texts_.size() * keys.key_bytes);
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (!DecodeBase64(texts_[i], keys.material.span().subspan(i * keys.key_bytes, keys.key_bytes)))
        return Status::InvalidArgument(fmt::format("key of key_ID={} is not base64", ids_[i]));
    }
    keys.ids = std::move(ids_);
    return keys;
  }

 private:
  Status ReadKeys(ondemand::value& value) {
    ondemand::array list;
    if (const auto error = value.get_array().get(list)) return Wrong(error, "keys");
    for (auto element : list) {
      ondemand::object key;
      if (const auto error = element.get_object().get(key))
        return Wrong(error, fmt::format("keys[{}]", ids_.size()));
      if (Status status = ReadKey(key); !status.ok()) return status;
    }
    return {};
  }

  Status ReadKey(ondemand::object& key) {
    const std::size_t ids = ids_.size();
    const std::size_t texts = texts_.size();
    for (auto member : key) {
      std::string_view name;
      ondemand::value value;
      simdjson::error_code error{};
      if ((error = member.unescaped_key().get(name)) || (error = member.value().get(value)))
        return Wrong(error, fmt::format("a member of keys[{}]", ids));
      if (name == "key_ID") error = ReadId(value);
      if (name == "key") error = ReadText(value);
      if (error) return Wrong(error, fmt::format("keys[{}].{}", ids, name));
    }
    if (ids_.size() != ids + 1)
      return Status::InvalidArgument(fmt::format("keys[{}] must have one key_ID", ids));
    if (texts_.size() != texts + 1)
      return Status::InvalidArgument(fmt::format("keys[{}] must have one key", ids));
    if (!IsPlainId(ids_.back()))
      return Status::InvalidArgument(fmt::format(
          "keys[{}].key_ID of {} characters is not an id of 1 to 128 plain ones", ids, ids_.back().size()));
    return {};
  }

  simdjson::error_code ReadId(ondemand::value& value) {
    ondemand::json_type type{};
    if (const auto error = value.type().get(type)) return error;
    if (type == ondemand::json_type::number) {
      std::uint64_t number = 0;
      if (const auto error = value.get_uint64().get(number)) return error;
      ids_.push_back(std::to_string(number));
      return simdjson::SUCCESS;
    }
    std::string_view id;
    if (const auto error = value.get_string().get(id)) return error;
    ids_.emplace_back(id);
    return simdjson::SUCCESS;
  }

  // Base64 has no need of escapes, but writers of JSON may escape `/` and `+`. Such keys are unescaped in
  // memory of ours: simdjson's own would not be wiped.
  simdjson::error_code ReadText(ondemand::value& value) {
    std::string_view text = Token(value);
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return simdjson::INCORRECT_TYPE;
    if (std::memchr(text.data(), '\\', text.size()) != nullptr) {
      if (unescaped_.size() == 0) {
        unescaped_ = SecretBytes(json_.size() + kJsonPadding);
        unescaped_end_ = unescaped_.data();
      }
      ondemand::raw_json_string raw;
      if (const auto error = value.get_raw_json_string().get(raw)) return error;
      if (const auto error = parser_.unescape(raw, unescaped_end_).get(text)) return error;
    } else {
      text = text.substr(1, text.size() - 2);
    }
    texts_.push_back(text);
    return simdjson::SUCCESS;
  }

  Status CheckIds() const {
    std::unordered_set<std::string_view> seen;
    for (const std::string& id : ids_) {
      if (!seen.insert(id).second)
        return Status::InvalidArgument(fmt::format("key_ID={} is there twice", id));
    }
    return {};
  }

  const std::string_view json_;
  ondemand::parser parser_;
  std::vector<std::string> ids_;
  std::vector<std::string_view> texts_;  // base64, in json_ or unescaped_
  SecretBytes unescaped_;
  std::uint8_t* unescaped_end_ = nullptr;
};

}  // namespace

Result<Keys> ParsePaddedKeys(std::string_view json) {
  ContainerReader reader(json);
  if (Status status = reader.Read(); !status.ok()) return status;
  return reader.Decode();
}

Result<Keys> ParseKeys(std::string_view json) {
  // The caller's text is in ordinary memory; its copy may be too: mapping pages takes longer than all else.
  std::string padded;
  padded.reserve(json.size() + kJsonPadding);
  padded = json;
  Result<Keys> keys = ParsePaddedKeys(padded);
  Wipe({reinterpret_cast<std::uint8_t*>(padded.data()), padded.size()});
  return keys;
}

std::string FormatKeys(const Keys& keys) {
  constexpr std::string_view kBegin = R"({"keys":[)";
  constexpr std::string_view kId = R"({"key_ID":")";
  constexpr std::string_view kKey = R"(","key":")";
  constexpr std::string_view kEnd = R"("},)";
  assert(keys.material.size() == keys.ids.size() * keys.key_bytes);
  std::size_t size = kBegin.size() + 2;
  for (const std::string& id : keys.ids)
    size += kId.size() + id.size() + kKey.size() + Base64Size(keys.key_bytes) + kEnd.size();
  // One block from the start: a string that grew would leave keys behind in the memory it grew out of.
  std::string text(size, '\0');
  char* end = std::ranges::copy(kBegin, text.data()).out;
  for (std::size_t i = 0; i < keys.ids.size(); ++i) {
    assert(IsPlainId(keys.ids[i]));
    end = std::ranges::copy(kId, end).out;
    end = std::ranges::copy(keys.ids[i], end).out;
    end = std::ranges::copy(kKey, end).out;
    EncodeBase64(keys.material.span().subspan(i * keys.key_bytes, keys.key_bytes), end);
    end = std::ranges::copy(kEnd, end + Base64Size(keys.key_bytes)).out;
  }
  if (!keys.ids.empty()) --end;  // the comma behind the last key
  end = std::ranges::copy(std::string_view("]}"), end).out;
  text.resize(static_cast<std::size_t>(end - text.data()));
  return text;
}

}  // namespace ssn::qkdn::etsi014
