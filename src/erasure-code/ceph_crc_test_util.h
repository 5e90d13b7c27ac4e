// SPDX-License-Identifier: LGPL-2.1-or-later
// ceph_crc_test_util.h - the CRC32C that Ceph keeps of the shards of an object, for the tests of what it
// tells.

#pragma once

#include <isa-l/crc.h>

#include <cstdint>

#include "sharing/test_util.h"

namespace ssn::testing_util {

inline constexpr std::uint32_t kCephSeed = 0xffffffff;  // hinfo starts at -1 and inverts nothing at the end

inline std::uint32_t Crc32c(const Bytes& bytes, std::uint32_t crc) {
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0x82f63b78 & (0 - (crc & 1)));
  }
  return crc;
}

inline std::uint32_t FastCrc32c(Bytes& bytes, std::size_t size) {
  return crc32_iscsi(bytes.data(), static_cast<int>(size), kCephSeed);
}

}  // namespace ssn::testing_util
