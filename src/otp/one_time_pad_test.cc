// SPDX-License-Identifier: LGPL-2.1-or-later
#include "otp/one_time_pad.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ssn::otp {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes Draw(std::mt19937& generator, std::size_t size) {
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator());
  return bytes;
}

class OneTimePad : public testing::Test {
 protected:
  const unsigned seed_ = std::random_device{}();
  std::mt19937 generator_{seed_};
};

TEST_F(OneTimePad, XorsAndWipesAnySizeAtAnyAlignment) {
  for (std::size_t size = 0; size < 300; ++size) {
    const std::size_t shift = generator_() % 64;
    Bytes pad = Draw(generator_, size + 128);
    const Bytes in = Draw(generator_, size + 64);
    Bytes out(size + 64, 0xEE);
    const Bytes pad_before = pad;
    const std::size_t in_shift = generator_() % 64, out_shift = generator_() % 64;
    XorAndWipe(MutableByteSpan(pad).subspan(shift, size), ByteSpan(in).subspan(in_shift, size),
               MutableByteSpan(out).subspan(out_shift, size));
    for (std::size_t i = 0; i < pad.size(); ++i)
      ASSERT_EQ(i >= shift && i < shift + size ? 0 : pad_before[i], pad[i])
          << "size " << size << " seed " << seed_;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const bool inside = i >= out_shift && i < out_shift + size;
      const int expected = inside ? in[in_shift + i - out_shift] ^ pad_before[shift + i - out_shift] : 0xEE;
      ASSERT_EQ(expected, out[i]) << "size " << size << " seed " << seed_;
    }
  }
}

TEST_F(OneTimePad, WorksInPlaceAndIsItsOwnInverse) {
  for (const std::size_t size : {1u, 63u, 64u, 65u, 4096u, 100001u}) {
    const Bytes plain = Draw(generator_, size);
    Bytes pad = Draw(generator_, size), same_pad = pad, data = plain;
    XorAndWipe(pad, data, data);
    EXPECT_NE(plain, data) << "seed " << seed_;
    XorAndWipe(same_pad, data, data);
    EXPECT_EQ(plain, data) << "seed " << seed_;
    EXPECT_EQ(Bytes(size), pad);
    EXPECT_EQ(Bytes(size), same_pad);
  }
}

}  // namespace
}  // namespace ssn::otp
