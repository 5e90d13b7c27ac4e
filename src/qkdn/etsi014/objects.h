// SPDX-License-Identifier: LGPL-2.1-or-later
// objects.h - the JSON objects of ETSI GS QKD 014 as C++ values, read and written.
//
// Shapes:    sizes of the standard are in bits at the wire; here every member says its unit in its name.
// Errors:    Parse functions answer kInvalidArgument that names the member at fault; those that read a KME's
//            answer say kUnavailable when the text is no JSON at all (cut off, HTML, empty). Format functions
//            cannot fail. Unknown members are ignored, `Keys` is taken for `keys` (the standard's table 11
//            and example differ), and numbers are taken for strings of digits and the other way round.
// Ownership: values. Key material is in SecretBytes; text that holds keys is wiped by whoever made it.
// Threads:   pure functions.
// Spec:      ETSI GS QKD 014 V1.1.1 (2019-02), clause 6.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ssn/secret.h"
#include "ssn/status.h"

namespace ssn::qkdn::etsi014 {

// Answer of `status` (table 8).
struct PoolStatus {
  std::string source_kme_id;
  std::string target_kme_id;
  std::string master_sae_id;
  std::string slave_sae_id;
  std::uint64_t key_size_bits = 0;  // of a key when the request names no size; a multiple of 8
  std::uint64_t stored_key_count = 0;
  std::uint64_t max_key_count = 0;
  std::uint64_t max_key_per_request = 0;
  std::uint64_t max_key_size_bits = 0;  // the two limits need not be multiples of 8
  std::uint64_t min_key_size_bits = 0;
  std::uint64_t max_sae_id_count = 0;  // 0: no additional slave SAEs
};

// Body of `enc_keys` (table 10); what is absent in the JSON keeps its default here.
struct KeyRequest {
  std::uint64_t number = 1;
  std::uint64_t size_bits = 0;  // 0: key_size of the pool
  std::vector<std::string> additional_slave_sae_ids;
  std::vector<std::string> extension_mandatory;  // the names only
  std::vector<std::string> extension_optional;
};

// IsPlainId: 1 to 128 printable ASCII characters, none of them a space, `"` or `\`. Key ids (UUIDs by the
// standard) and SAE IDs that are not plain are refused; what is plain needs no escaping in JSON and no care
// in a log.
bool IsPlainId(std::string_view id);

// Key container (table 11). All keys have the same size here; a container that mixes sizes is refused.
struct Keys {
  std::vector<std::string> ids;
  std::size_t key_bytes = 0;
  SecretBytes material;  // ids.size() * key_bytes, in the order of ids
};

// Error (table 13).
struct Error {
  std::string message;
  std::string details;  // the member `details` as compact JSON; empty if absent
};

Result<PoolStatus> ParsePoolStatus(std::string_view json);
// ParseKeyRequest takes an empty body for a request of defaults. A size that is no multiple of 8 is refused
// with the message of table 10, to the letter.
Result<KeyRequest> ParseKeyRequest(std::string_view json);
// ParseKeys refuses ids that are not plain or come twice, keys of different sizes, and loose base64.
Result<Keys> ParseKeys(std::string_view json);
// ParsePaddedKeys is ParseKeys without a copy of the text.
// REQUIRES: kJsonPadding bytes behind the text that may be read.
inline constexpr std::size_t kJsonPadding = 64;
Result<Keys> ParsePaddedKeys(std::string_view json);
Result<std::vector<std::string>> ParseKeyIds(std::string_view json);
// ParseError takes anything: HTML or an empty body gives an Error whose message is empty.
Error ParseError(std::string_view body);

std::string FormatPoolStatus(const PoolStatus& status);
std::string FormatKeyRequest(const KeyRequest& request);  // members that have their default are left out
// FormatKeys: the caller wipes the text. REQUIRES: IsPlainId of every id.
std::string FormatKeys(const Keys& keys);
std::string FormatKeyIds(const std::vector<std::string>& ids);
std::string FormatError(const Error& error);

}  // namespace ssn::qkdn::etsi014
