// SPDX-License-Identifier: LGPL-2.1-or-later
// Constant time: the bytes of secrets, shares and randomness are marked as undefined memory, and valgrind's
// memcheck reports every branch and every address that depends on them. usage, under valgrind:
// sharing_ct_test CASE
//
// valgrind 3.19 emulates a processor without AVX-512 and GFNI, so ISA-L takes its AVX2 code here. Its other
// code is not seen; it is the same shuffles and exclusive-ors on other registers.
#include <valgrind/memcheck.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include "sharing/gf256.h"
#include "sharing/test_util.h"

namespace ssn {
namespace {

using namespace testing_util;

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(2);
}

void Check(const Status& status) {
  if (!status.ok()) Fail(status.message());
}

void Check(const Result<Findings>& findings) {
  if (!findings.ok()) Fail(findings.status().message());
}

void MakeSecret(MutableByteSpan bytes) { VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()); }

// Were the result defined, the secret would not have been in it, and nothing would have been checked.
void ExpectSecret(ByteSpan bytes) {
  Bytes undefined_bits(bytes.size());
  VALGRIND_GET_VBITS(bytes.data(), undefined_bits.data(), bytes.size());
  if (std::ranges::count(undefined_bits, 0) != 0) Fail("the result does not depend on the secret");
}

class SecretSource final : public RandomSource {
 public:
  Status Fill(MutableByteSpan out) override {
    Check(seeded_.Fill(out));
    MakeSecret(out);
    return {};
  }

 private:
  SeededSource seeded_{1};
};

// A secret and its shares, all of them undefined memory.
struct Dealt {
  Dealt(const SchemeParams& params, std::size_t block_bytes, std::size_t offset)
      : sharing(Make(params)), share_bytes(block_bytes * sharing->granule()) {
    secret = RandomBytes(params.l * share_bytes + offset, 1);
    MakeSecret(secret);
    buffers.assign(params.n, Bytes(share_bytes + offset));
    for (Bytes& buffer : buffers) spans.push_back(MutableByteSpan(buffer).subspan(offset));
    Check(sharing->Split(ByteSpan(secret).subspan(offset), spans, random));
  }

  std::vector<Share> Last(std::size_t count) const {
    std::vector<Share> shares;
    for (std::size_t i = spans.size() - count; i < spans.size(); ++i)
      shares.push_back({static_cast<unsigned>(i), spans[i]});
    return shares;
  }

  const std::shared_ptr<const Sharing> sharing;
  const std::size_t share_bytes;
  SecretSource random;
  Bytes secret;
  std::vector<Bytes> buffers;
  std::vector<MutableByteSpan> spans;
};

void Split(Dealt& dealt) {
  for (const MutableByteSpan& share : dealt.spans) ExpectSecret(share);
}

void Combine(Dealt& dealt) {
  const SchemeParams& params = dealt.sharing->params();
  Bytes out(params.l * dealt.share_bytes);
  Check(dealt.sharing->Combine(dealt.Last(params.k), out));
  ExpectSecret(out);
}

void Rebuild(Dealt& dealt) {
  Bytes out(dealt.share_bytes);
  Check(dealt.sharing->Rebuild(dealt.Last(dealt.sharing->params().k), 0, out));
  ExpectSecret(out);
}

// Whether the shares agree is one branch, and is not secret: sharing_ct_test.supp exempts that branch and no
// other.
void Checked(Dealt& dealt) {
  const SchemeParams& params = dealt.sharing->params();
  Bytes out(params.l * dealt.share_bytes);
  Check(dealt.sharing->CombineChecked(dealt.Last(params.n), out));
  ExpectSecret(out);
  out.resize(dealt.share_bytes);
  Check(dealt.sharing->RebuildChecked(dealt.Last(params.n), 0, out));
  ExpectSecret(out);
}

void Deal(Dealt& dealt) {
  const SchemeParams& params = dealt.sharing->params();
  std::vector<Bytes> zeros(params.n, Bytes(dealt.share_bytes));
  Check(dealt.sharing->DealZero(Spans(zeros), dealt.random));
  for (unsigned i = 0; i < params.n; ++i) {
    ExpectSecret(zeros[i]);
    AddShare(dealt.spans[i], zeros[i]);
  }
  std::vector<unsigned> dealers;
  for (unsigned i = 0; i < params.k; ++i) dealers.push_back(i);
  Check(
      dealt.sharing->DealSubshares(dealers, {1, dealt.spans[1]}, *dealt.sharing, Spans(zeros), dealt.random));
  for (const Bytes& subshare : zeros) ExpectSecret(subshare);
}

// Lengths of blocks: below a vector, where data goes through buffers; one vector; several and a rest; several
// tiles; and shares so large that they are stored around the caches.
void ForEachLength(const SchemeParams& params, const std::function<void(Dealt&)>& operation) {
  const std::size_t large = (5u << 20) / (params.n * Make(params)->granule());
  for (const std::size_t block_bytes : {std::size_t{1}, std::size_t{31}, std::size_t{63}, std::size_t{64},
                                        std::size_t{200}, std::size_t{40'000}, large})
    for (const std::size_t offset : {0u, 1u}) {
      Dealt dealt(params, block_bytes, offset);
      operation(dealt);
    }
}

// What must be reported: a product looked up in a table by a secret byte, and the search for wrong shares.
volatile std::uint8_t sink;
void LeakyTable() {
  Bytes secret = RandomBytes(1, 1);
  MakeSecret(secret);
  sink = gf256::Mul(secret[0], 3);
}

void Disagreement() {
  Dealt dealt({SchemeKind::kShamir, 3, 5, 1}, 64, 0);
  dealt.buffers[4][7] ^= 1;
  Checked(dealt);
}

int Run(const std::string& name) {
  if (RUNNING_ON_VALGRIND == 0) Fail("nothing is checked without valgrind");
  const std::map<std::string, SchemeParams> schemes = {{"shamir", {SchemeKind::kShamir, 3, 5, 1}},
                                                       {"ramp", {SchemeKind::kRamp, 4, 6, 2}},
                                                       {"xor", {SchemeKind::kXor, 3, 5, 1}}};
  const std::map<std::string, void (*)(Dealt&)> operations = {
      {"split", Split}, {"combine", Combine}, {"rebuild", Rebuild}, {"checked", Checked}, {"deal", Deal}};
  if (name == "leaky_table") return LeakyTable(), 0;
  if (name == "disagreement") return Disagreement(), 0;
  const std::size_t dash = name.find('_');
  const auto operation = operations.find(name.substr(0, dash));
  const auto scheme = schemes.find(dash == std::string::npos ? "" : name.substr(dash + 1));
  if (operation == operations.end() || scheme == schemes.end()) Fail("no such case: " + name);
  ForEachLength(scheme->second, operation->second);
  return 0;
}

}  // namespace
}  // namespace ssn

int main(int argc, char** argv) { return argc == 2 ? ssn::Run(argv[1]) : 2; }
