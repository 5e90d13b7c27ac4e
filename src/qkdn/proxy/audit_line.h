// SPDX-License-Identifier: LGPL-2.1-or-later
// audit_line.h - one line of the audit log: how it is made, how it is taken apart.
//
// Shapes:    a body is the middle of a line, from "time" to "outcome"; a line is without its line feed.
// Threads:   pure functions, except for the clock.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "qkdn/proxy/ledger.h"

namespace ssn::qkdn::proxy {

inline constexpr std::size_t kAuditHashChars = 64;
inline constexpr std::size_t kMaxAuditLineBytes = 4096;

std::string AuditBody(const AuditEvent& event, std::chrono::system_clock::time_point time);
std::string AuditLine(std::uint64_t seq, std::string_view body, std::string_view prev);
std::string AuditHash(std::string_view line);
// What a chain begins with.
std::string AuditGenesis();

struct AuditLink {
  std::uint64_t seq = 0;
  std::string prev;
};
// ParseAuditLine is nothing if the line is not one of ours.
std::optional<AuditLink> ParseAuditLine(std::string_view line);

}  // namespace ssn::qkdn::proxy
