// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_bench_sharing.h - what split, combine and rebuild have in common: their options and their data.

#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ssn/sharing.h"
#include "tools/ssn_bench_measure.h"

namespace ssn::tools {

struct SharingOptions {
  std::string scheme = "shamir";
  unsigned k = 3;
  unsigned n = 5;
  unsigned l = 0;  // 0: 2 for ramp, 1 for the others
  std::uint64_t size = 4 << 20;
  std::string random = "drbg";
  bool peers = false;
  bool json = false;
  Timing timing;
};

void AddSharingOptions(CLI::App& app, SharingOptions& options);

// Memory aligned to 64 bytes and touched, as a caller who cares about speed has it.
class Buffer {
 public:
  explicit Buffer(std::size_t size);
  MutableByteSpan span() const noexcept { return {bytes_.get(), size_}; }
  std::uint8_t* data() const noexcept { return bytes_.get(); }
  std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const noexcept { std::free(bytes); }
  };
  std::unique_ptr<std::uint8_t, Free> bytes_;
  std::size_t size_;
};

// A scheme with a secret, a place for its shares and a place for what is made of them.
class Workplace {
 public:
  // Make rounds the size up to what the scheme can split, with blocks kept aligned.
  static Result<std::shared_ptr<Workplace>> Make(const SharingOptions& options);

  const Sharing& sharing() const noexcept { return *sharing_; }
  const SchemeParams& params() const noexcept { return sharing_->params(); }
  RandomSource& random() const noexcept { return *random_; }
  const Buffer& secret() const noexcept { return secret_; }
  const Buffer& output() const noexcept { return output_; }  // as long as the secret
  std::size_t share_bytes() const noexcept { return secret_.size() / params().l; }
  const std::vector<MutableByteSpan>& shares() const noexcept { return share_spans_; }

  Status Split() const { return sharing_->Split(secret_.span(), share_spans_, *random_); }
  std::vector<Share> LastShares() const;  // the last k of them

 private:
  Workplace(std::shared_ptr<const Sharing> sharing, std::shared_ptr<RandomSource> random, std::size_t size);

  std::shared_ptr<const Sharing> sharing_;
  std::shared_ptr<RandomSource> random_;
  Buffer secret_;
  Buffer output_;
  std::vector<Buffer> share_buffers_;
  std::vector<MutableByteSpan> share_spans_;
};

// What a subcommand measures.
struct SharingWork {
  std::string name;
  Subject ours;
  std::function<Status()> check;  // is what `ours` made right?
  std::function<Result<std::vector<Subject>>()> peers;
};

// RunSharing counts the memory of the first run of `ours`, in a thread that has not used the library yet,
// checks what it made, measures it and, when asked for, the peers, and prints.
Status RunSharing(const SharingWork& work, const SharingOptions& options, const Workplace& place);

// WithOwnShamir: for the scheme xor, Shamir's with the same k and n, made by `subject`, to be compared with
// it.
Result<std::vector<Subject>> WithOwnShamir(
    const Workplace& place, const std::function<Subject(std::shared_ptr<const Sharing>)>& subject);

// Borrowed: the sharing of the workplace, which outlives all that is measured.
std::shared_ptr<const Sharing> Borrowed(const Workplace& place);

// ExpectEqual is kCorrupt, with `what` in its message, when the bytes differ.
Status ExpectEqual(ByteSpan actual, ByteSpan expected, const std::string& what);

}  // namespace ssn::tools
