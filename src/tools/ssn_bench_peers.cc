// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench_peers.h"

#include <isa-l/erasure_code.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <utility>

extern "C" {
#include <libgfshare.h>
}

namespace ssn::tools {
namespace {

constexpr std::size_t kIsalTableBytes = 32;  // for one coefficient

struct FreeContext {
  void operator()(gfshare_ctx* context) const noexcept { gfshare_ctx_free(context); }
};
using Context = std::shared_ptr<gfshare_ctx>;

Context Own(gfshare_ctx* context) {
  if (context == nullptr) throw std::bad_alloc();
  return {context, FreeContext()};
}

// The bytes libgfshare takes for random. It has one global function to get them, without an argument.
const Buffer* gfshare_noise = nullptr;

void CopyNoise(unsigned char* out, unsigned int size) {
  while (size > 0) {
    const auto part = static_cast<unsigned>(std::min<std::size_t>(size, gfshare_noise->size()));
    std::memcpy(out, gfshare_noise->data(), part);
    out += part;
    size -= part;
  }
}

void GiveNoise(const Workplace& place) {
  static const Buffer noise = [&] {
    Buffer bytes(1 << 20);
    if (!place.random().Fill(bytes.span()).ok()) std::memset(bytes.data(), 0x5a, bytes.size());
    return bytes;
  }();
  gfshare_noise = &noise;
  gfshare_fill_rand = CopyNoise;
}

std::vector<unsigned char> ShareNumbers(unsigned count) {
  std::vector<unsigned char> numbers(count);
  for (unsigned i = 0; i < count; ++i) numbers[i] = static_cast<unsigned char>(i + 1);
  return numbers;
}

struct IsalMatrix {
  std::vector<unsigned char> tables;
  int inputs;
  int outputs;
};

// Rows of powers of 1 .. outputs: the matrix of Shamir's scheme. A Vandermonde matrix, like any without
// zeros, takes ISA-L's full time.
IsalMatrix MakeIsalMatrix(unsigned inputs, unsigned outputs) {
  std::vector<unsigned char> rows;
  for (unsigned point = 1; point <= outputs; ++point) {
    unsigned char power = 1;
    for (unsigned j = 0; j < inputs; ++j) {
      rows.push_back(power);
      power = gf_mul(power, static_cast<unsigned char>(point));
    }
  }
  IsalMatrix matrix{{}, static_cast<int>(inputs), static_cast<int>(outputs)};
  matrix.tables.resize(kIsalTableBytes * inputs * outputs);
  ec_init_tables(matrix.inputs, matrix.outputs, rows.data(), matrix.tables.data());
  return matrix;
}

struct IsalWork {
  IsalMatrix matrix;
  std::vector<Buffer> random_blocks;
  std::vector<unsigned char*> inputs;
  std::vector<unsigned char*> outputs;
  int block_bytes;

  void Encode() {
    ec_encode_data(block_bytes, matrix.inputs, matrix.outputs, matrix.tables.data(), inputs.data(),
                   outputs.data());
  }
};

}  // namespace

Subject GfshareSplit(const Workplace& place) {
  GiveNoise(place);
  std::vector<unsigned char> numbers = ShareNumbers(place.params().n);
  const Context context =
      Own(gfshare_ctx_init_enc(numbers.data(), place.params().n, static_cast<unsigned char>(place.params().k),
                               static_cast<unsigned>(place.secret().size())));
  return {"libgfshare",
          [&place, context] {
            gfshare_ctx_enc_setsecret(context.get(), place.secret().data());
            for (unsigned i = 0; i < place.params().n; ++i) {
              gfshare_ctx_enc_getshare(context.get(), static_cast<unsigned char>(i),
                                       place.shares()[i].data());
            }
            return Status();
          },
          "its randomness is given to it"};
}

Subject GfshareCombine(const Workplace& place) {
  std::vector<unsigned char> numbers = ShareNumbers(place.params().k);
  const Context context = Own(
      gfshare_ctx_init_dec(numbers.data(), place.params().k, static_cast<unsigned>(place.secret().size())));
  return {"libgfshare",
          [&place, context] {
            for (unsigned i = 0; i < place.params().k; ++i) {
              gfshare_ctx_dec_giveshare(context.get(), static_cast<unsigned char>(i),
                                        place.shares()[i].data());
            }
            gfshare_ctx_dec_extract(context.get(), place.output().data());
            return Status();
          },
          "it copies the shares it is given"};
}

Status CheckGfshare(const Workplace& place) {
  for (const Subject& subject : {GfshareSplit(place), GfshareCombine(place)}) {
    if (Status status = subject.run(); !status.ok()) return status;
  }
  if (std::ranges::equal(place.output().span(), place.secret().span())) return {};
  return Status::Corrupt("the shares of libgfshare do not combine to the secret");
}

Subject IsalSplit(const Workplace& place, bool clean) {
  const SchemeParams& params = place.params();
  const std::size_t share_bytes = place.share_bytes();
  auto work = std::make_shared<IsalWork>();
  work->matrix = MakeIsalMatrix(params.k, params.n);
  work->block_bytes = static_cast<int>(share_bytes);
  for (unsigned i = 0; i < params.l; ++i) work->inputs.push_back(place.secret().data() + i * share_bytes);
  for (unsigned i = params.l; i < params.k; ++i) {
    work->random_blocks.emplace_back(share_bytes);
    work->inputs.push_back(work->random_blocks.back().data());
  }
  for (const MutableByteSpan& share : place.shares()) work->outputs.push_back(share.data());
  return {clean ? "isa-l+vzeroupper" : "isa-l",
          [work, clean] {
            for (const Buffer& block : work->random_blocks) {
              if (RAND_bytes(block.data(), work->block_bytes) != 1)
                return Status::Unavailable("RAND_bytes failed");
            }
            work->Encode();
            if (clean) CleanVectorRegisters();
            return Status();
          },
          clean ? "the same, registers zeroed after ISA-L" : "RAND_bytes, then ec_encode_data"};
}

Subject IsalCombine(const Workplace& place, unsigned outputs) {
  auto work = std::make_shared<IsalWork>();
  work->matrix = MakeIsalMatrix(place.params().k, outputs);
  work->block_bytes = static_cast<int>(place.share_bytes());
  for (unsigned i = 0; i < place.params().k; ++i) work->inputs.push_back(place.shares()[i].data());
  for (unsigned i = 0; i < outputs; ++i) {
    work->outputs.push_back(place.output().data() + i * place.share_bytes());
  }
  return {"isa-l",
          [work] {
            work->Encode();
            return Status();
          },
          "ec_encode_data, k to " + std::to_string(outputs)};
}

Subject MemoryCopy(const Workplace& place, std::size_t bytes) {
  return {"memcpy",
          [&place, bytes] {
            std::memcpy(place.output().data(), place.secret().data(), bytes);
            asm volatile("" : : "r"(place.output().data()) : "memory");
            return Status();
          },
          "of " + std::to_string(bytes) + " bytes"};
}

}  // namespace ssn::tools
