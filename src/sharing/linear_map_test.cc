// SPDX-License-Identifier: LGPL-2.1-or-later
// Every kind of map, and every kernel this processor can run, against a loop over bytes.
#include "sharing/linear_map.h"

#include <array>

#include "sharing/gf256.h"
#include "sharing/test_util.h"
#include "sharing/xor_kernel.h"

namespace ssn {
namespace {

using namespace testing_util;

// Around the sizes of vectors, chunks and gathered chunks.
constexpr std::array<std::size_t, 19> kLengths = {1,   15,  16,  31,   63,   64,   65,   127,  128, 129,
                                                  191, 255, 257, 1000, 1023, 1024, 1025, 4096, 5000};
constexpr std::size_t kMargin = 64;
constexpr std::uint8_t kUntouched = 0xa5;

// Regions of `length` bytes that start at `misalignment` past a multiple of 64, with a margin on both sides.
class Regions {
 public:
  Regions(std::size_t count, std::size_t length, std::size_t misalignment)
      : length_(length),
        stride_((length + 3 * kMargin) / 64 * 64 + misalignment % 2),
        bytes_(count * stride_ + 256) {
    std::ranges::fill(bytes_, kUntouched);
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
    std::uint8_t* first = bytes_.data() + (64 - address % 64) % 64 + kMargin + misalignment;
    for (std::size_t r = 0; r < count; ++r) starts_.push_back(first + r * stride_);
  }
  void FillRandom(std::uint64_t seed) {
    SeededSource random(seed);
    for (std::uint8_t* start : starts_) EXPECT_TRUE(random.Fill({start, length_}).ok());
  }
  const std::vector<std::uint8_t*>& starts() const { return starts_; }
  std::vector<const std::uint8_t*> inputs() const { return {starts_.begin(), starts_.end()}; }
  bool MarginsUntouched() const {
    std::size_t untouched = 0;
    for (const std::uint8_t* start : starts_)
      untouched += static_cast<std::size_t>(start[-1] == kUntouched && start[length_] == kUntouched);
    return untouched == starts_.size();
  }

 private:
  std::size_t length_;
  std::size_t stride_;
  Bytes bytes_;
  std::vector<std::uint8_t*> starts_;
};

Bytes Expected(const Matrix& matrix, std::size_t row, const Regions& inputs, std::size_t length) {
  Bytes sum(length);
  for (std::size_t c = 0; c < matrix.columns(); ++c) {
    const std::uint8_t factor = matrix.row(row)[c];
    const std::uint8_t* const in = inputs.starts()[c];
    for (std::size_t i = 0; i < length; ++i)
      sum[i] = static_cast<std::uint8_t>(sum[i] ^ (factor <= 1 ? factor * in[i] : gf256::Mul(factor, in[i])));
  }
  return sum;
}

Matrix RandomMatrix(std::size_t rows, std::size_t columns, std::uint8_t mask, std::uint64_t seed) {
  Matrix matrix(rows, columns);
  const Bytes entries = RandomBytes(rows * columns, seed);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) matrix(r, c) = entries[r * columns + c] & mask;
  return matrix;
}

void ExpectRight(const Matrix& matrix, std::size_t length, std::size_t misalignment, Stores stores) {
  const LinearMap map(matrix);
  Regions inputs(matrix.columns(), length, misalignment);
  inputs.FillRandom(length + misalignment);
  Regions outputs(matrix.rows(), length, misalignment);
  map.Apply(length, inputs.inputs(), outputs.starts(), stores);
  for (std::size_t r = 0; r < matrix.rows(); ++r)
    ASSERT_EQ(Expected(matrix, r, inputs, length), Bytes(outputs.starts()[r], outputs.starts()[r] + length))
        << "row " << r << ", length " << length << ", misalignment " << misalignment;
  ASSERT_TRUE(outputs.MarginsUntouched()) << "length " << length << ", misalignment " << misalignment;
}

void ExpectRightEverywhere(const Matrix& matrix) {
  for (const std::size_t length : kLengths)
    for (const std::size_t misalignment : {0u, 1u, 8u, 16u, 32u, 63u})
      for (const Stores stores : {Stores::kCached, Stores::kStreaming})
        ExpectRight(matrix, length, misalignment, stores);
}

TEST(LinearMap, GfMapsAreRight) {
  ExpectRightEverywhere(RandomMatrix(3, 3, 0xff, 1));
  ExpectRightEverywhere(RandomMatrix(1, 5, 0xff, 2));
  ExpectRightEverywhere(RandomMatrix(7, 2, 0xff, 3));
}

TEST(LinearMap, SumsOfFewInputsAreRight) {
  ExpectRightEverywhere(RandomMatrix(20, 13, 0x01, 4));
  ExpectRightEverywhere(RandomMatrix(4, 4, 0x01, 5));
  Matrix copies(3, 2);  // of one input, of nothing, of the other
  copies(0, 0) = 1;
  copies(2, 1) = 1;
  ExpectRightEverywhere(copies);
}

TEST(LinearMap, SumsWhoseInputsAreGatheredAreRight) {
  ExpectRightEverywhere(RandomMatrix(16, 64, 0x01, 6));
  ExpectRightEverywhere(RandomMatrix(12, 200, 0x01, 7));
}

TEST(LinearMap, SumsOfMoreInputsThanCanBeGatheredAreRight) {
  const Matrix matrix = RandomMatrix(20, 600, 0x01, 8);
  for (const std::size_t length : {1u, 64u, 300u}) ExpectRight(matrix, length, 1, Stores::kCached);
}

TEST(XorKernel, EveryKernelOfThisProcessorAddsUpEveryNumberOfTerms) {
  ASSERT_STREQ("baseline", XorKernels().back().name);
  for (const XorKernel& kernel : XorKernels()) {
    SCOPED_TRACE(kernel.name);
    for (std::size_t columns = 1; columns <= 6; ++columns) {
      Matrix all(1, columns);
      std::vector<std::uint16_t> terms;
      for (std::size_t c = 0; c < columns; ++c) {
        all(0, c) = 1;
        terms.push_back(static_cast<std::uint16_t>(c));
      }
      for (const std::size_t length : kLengths)
        for (const std::size_t misalignment : {0u, 1u, 16u, 32u})
          for (const Stores stores : {Stores::kCached, Stores::kStreaming}) {
            Regions inputs(columns, length, misalignment);
            inputs.FillRandom(length + columns);
            Regions output(1, length, misalignment);
            std::uint8_t* const out = output.starts()[0];
            kernel.sum(length, inputs.inputs().data(), terms, out, stores);
            StreamingFence();
            ASSERT_EQ(Expected(all, 0, inputs, length), Bytes(out, out + length))
                << columns << " terms, length " << length << ", misalignment " << misalignment;
            ASSERT_TRUE(output.MarginsUntouched());
          }
    }
  }
}

}  // namespace
}  // namespace ssn
