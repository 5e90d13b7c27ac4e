// SPDX-License-Identifier: LGPL-2.1-or-later
// kme_errors.h - what an answer of a KME that is no success means to the caller. kme_errors.cc has the table.
//
// Errors:    messages hold method, path, status and the KME's own words, cut and without control characters.
// Threads:   pure functions.
// Spec:      ETSI GS QKD 014 V1.1.1 (2019-02), clauses 5.2 to 5.4 and 6.5, and what KMEs in the field do.

#pragma once

#include <string>
#include <string_view>

#include "qkdn/etsi014/kme_client.h"

namespace ssn::qkdn::etsi014 {

enum class Call { kStatus, kEncKeys, kDecKeys };

// ClassifyAnswer sorts an HTTP answer whose status is not 200. `request` is METHOD and path, for the message.
KmeError ClassifyAnswer(Call call, std::string_view request, int http_status, std::string_view body);

// ClassifyContent sorts an answer 200 whose body is not what was asked for: kUnavailable of the parsers (not
// JSON, cut off) is worth another try; anything else is not.
KmeError ClassifyContent(Call call, std::string_view request, const Status& fault);

// Words of somebody else, fit for a log: printable ASCII, cut.
std::string Printable(std::string_view text);

}  // namespace ssn::qkdn::etsi014
