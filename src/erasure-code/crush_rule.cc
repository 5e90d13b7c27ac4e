// SPDX-License-Identifier: LGPL-2.1-or-later
#include "erasure-code/crush_rule.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ssn::erasure_code {
namespace {

// struct crush_map and struct crush_rule of 16.2.15, as far as needed.
struct Rule {
  std::uint32_t length;
  std::uint8_t ruleset;
  std::uint8_t type;
  std::uint8_t min_size;
  std::uint8_t max_size;
};
struct Map {
  void* buckets;
  Rule** rules;
  std::int32_t max_buckets;
  std::uint32_t max_rules;
};
constexpr std::size_t kMapOffset = 0x180;  // of the map pointer in CrushWrapper
constexpr std::uint8_t kErasureType = 3;
constexpr std::uint8_t kSimpleRuleMin = 3;
constexpr std::uint8_t kSimpleRuleMax = 20;

}  // namespace

bool WidenRuleMask(CrushWrapper& crush, int rule, unsigned shards) {
  Map* map = nullptr;
  std::memcpy(&map, reinterpret_cast<const char*>(&crush) + kMapOffset, sizeof map);
  if (map == nullptr || rule < 0 || static_cast<std::uint32_t>(rule) >= map->max_rules) return false;
  Rule* const made = map->rules[rule];
  // What add_simple_rule has just written: if it is not there, this is not the layout we know.
  if (made == nullptr || made->type != kErasureType || made->min_size != kSimpleRuleMin ||
      made->max_size != kSimpleRuleMax)
    return false;
  made->min_size = static_cast<std::uint8_t>(std::min<unsigned>(kSimpleRuleMin, shards));
  made->max_size = static_cast<std::uint8_t>(shards);
  return true;
}

}  // namespace ssn::erasure_code
