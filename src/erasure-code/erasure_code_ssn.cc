// SPDX-License-Identifier: LGPL-2.1-or-later
#include "erasure-code/erasure_code_ssn.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "erasure-code/crush_rule.h"
#include "erasure-code/share_log.h"
#include "ssn/secret.h"

namespace ssn::erasure_code {
namespace {

using ceph::buffer::list;

constexpr unsigned kAlignment = 64;
constexpr int kErasureRule = 3;
constexpr int kRetries = 20;
constexpr std::chrono::milliseconds kRetryDelay(100);

// The matrices of a scheme are made once in a process and kept: an OSD has an instance for each of its
// hundreds of placement groups, and their map caches are worth sharing.
Result<std::shared_ptr<const Sharing>> SharedSharing(const SchemeParams& scheme) {
  static std::mutex mutex;
  static std::map<SchemeParams, std::shared_ptr<const Sharing>> made;
  const std::lock_guard lock(mutex);
  if (const auto found = made.find(scheme); found != made.end()) return found->second;
  auto sharing = Sharing::Create(scheme);
  if (sharing.ok()) made.emplace(scheme, sharing.value());
  return sharing;
}

// One source for each name: a device is opened once in a process.
Result<std::shared_ptr<RandomSource>> SharedSource(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<RandomSource>> made;
  const std::lock_guard lock(mutex);
  if (const auto found = made.find(name); found != made.end()) return found->second;
  auto source = OpenRandomSource(name);
  if (source.ok()) made.emplace(name, source.value());
  return source;
}

ceph::buffer::ptr NewChunk(unsigned length) {
  return ceph::buffer::ptr(ceph::buffer::create_aligned(length, kAlignment));
}

MutableByteSpan BytesOf(ceph::buffer::ptr& chunk) {
  return {reinterpret_cast<std::uint8_t*>(chunk.c_str()), chunk.length()};
}

// The bytes of a list in one piece; `keep` holds the copy if one had to be made.
ByteSpan Flatten(const list& bytes, list& keep) {
  keep = bytes;  // shares the memory
  return {reinterpret_cast<const std::uint8_t*>(keep.c_str()), keep.length()};
}

// Chunks as shares: all of one length, as the OSD read them.
class GivenShares {
 public:
  // Takes `most` of them: more than were asked for may come (a pool with fast_read reads all there are).
  GivenShares(const std::map<int, list>& chunks, std::size_t most) : flat_(std::min(chunks.size(), most)) {
    std::size_t i = 0;
    for (const auto& [shard, bytes] : chunks) {
      if (i == flat_.size()) break;
      shares_.push_back({static_cast<unsigned>(shard), Flatten(bytes, flat_[i++])});
    }
  }
  const std::vector<Share>& shares() const { return shares_; }
  std::size_t size() const { return shares_.size(); }
  unsigned share_bytes() const {
    return shares_.empty() ? 0 : static_cast<unsigned>(shares_[0].bytes.size());
  }

 private:
  std::vector<list> flat_;
  std::vector<Share> shares_;
};

int Failed(const char* call, const Status& status) {
  TheShareLog().Failed(fmt::format("{}: {}", call, status.message()));
  return status.ToErrno();
}

}  // namespace

int ErasureCodeSsn::init(ceph::ErasureCodeProfile& profile, std::ostream* ss) {
  const auto refuse = [&](const Status& status) {
    if (ss != nullptr) *ss << status.message();
    return status.ToErrno();
  };
  const Result<Profile> parsed = ParseProfile(profile);
  if (!parsed.ok()) return refuse(parsed.status());
  const auto sharing = SharedSharing(parsed.value().scheme);
  if (!sharing.ok()) return refuse(sharing.status());
  const auto random = SharedSource(parsed.value().random);
  if (!random.ok()) return refuse(random.status());
  profile_ = parsed.value();
  sharing_ = sharing.value();
  random_ = random.value();
  keys_ = profile;
  return 0;
}

int ErasureCodeSsn::create_rule(const std::string& name, CrushWrapper& crush, std::ostream* ss) const {
  const int rule = crush.add_simple_rule(name, profile_.crush_root, profile_.crush_failure_domain,
                                         profile_.crush_device_class, "indep", kErasureRule, ss);
  if (rule < 0) return rule;
  if (!WidenRuleMask(crush, rule, profile_.scheme.n)) {
    if (ss != nullptr)
      *ss << "the CRUSH map of this Ceph is not laid out as in the version ssn was built for";
    return -ENOTSUP;
  }
  return rule;
}

unsigned int ErasureCodeSsn::get_chunk_size(unsigned int stripe_width) const {
  const unsigned alignment = ChunkAlignment(profile_.scheme);
  const unsigned step = alignment * profile_.scheme.l;
  return (stripe_width / step + (stripe_width % step != 0 ? 1 : 0)) * alignment;
}

std::set<int> ErasureCodeSsn::Choose(const std::set<int>& available) const {
  std::set<int> chosen;
  for (const int shard : available)
    if (chosen.size() < profile_.scheme.k + profile_.verify) chosen.insert(shard);
  return chosen;
}

int ErasureCodeSsn::minimum_to_decode(const std::set<int>& want_to_read, const std::set<int>& available,
                                      Minimum* minimum) {
  minimum->clear();
  if (want_to_read.empty()) return 0;
  if (available.size() < profile_.scheme.k) return -EIO;
  for (const int shard : Choose(available)) (*minimum)[shard] = {{0, 1}};
  return 0;
}

int ErasureCodeSsn::minimum_to_decode_with_cost(const std::set<int>& want_to_read,
                                                const std::map<int, int>& available, std::set<int>* minimum) {
  minimum->clear();
  if (want_to_read.empty()) return 0;
  if (available.size() < profile_.scheme.k) return -EIO;
  std::set<int> shards;
  for (const auto& [shard, cost] : available) shards.insert(shard);
  *minimum = Choose(shards);
  return 0;
}

int ErasureCodeSsn::encode(const std::set<int>& want_to_encode, const list& in, Chunks* encoded) {
  const unsigned chunk_bytes = get_chunk_size(in.length());
  const unsigned stripe_bytes = chunk_bytes * profile_.scheme.l;
  std::vector<ceph::buffer::ptr> chunks;
  std::vector<MutableByteSpan> shares;
  for (unsigned shard = 0; shard < profile_.scheme.n; ++shard) chunks.push_back(NewChunk(chunk_bytes));
  for (ceph::buffer::ptr& chunk : chunks) shares.push_back(BytesOf(chunk));

  if (stripe_bytes > 0) {
    // The last stripe of a tool's file may be short: zeros fill it. An OSD hands over whole stripes.
    list flat;
    ByteSpan secret = Flatten(in, flat);
    SecretBytes padded(in.length() == stripe_bytes ? 0 : stripe_bytes);
    if (padded.size() != 0) {
      std::memcpy(padded.data(), secret.data(), secret.size());
      secret = padded.span();
    }
    Status status = sharing_->Split(secret, shares, *random_);
    // A device may stumble. The OSD ends if this call fails, so wait a little before it comes to that.
    for (int retry = 0; retry < kRetries && status.code() == Status::Code::kUnavailable; ++retry) {
      std::this_thread::sleep_for(kRetryDelay);
      status = sharing_->Split(secret, shares, *random_);
    }
    if (!status.ok()) return Failed("encode", status);
  }
  for (const int shard : want_to_encode) {
    if (shard < 0 || static_cast<unsigned>(shard) >= profile_.scheme.n) return -EINVAL;
    list& out = (*encoded)[shard];
    out.clear();
    out.push_back(chunks[static_cast<std::size_t>(shard)]);
  }
  return 0;
}

// Only codes that are layered on another code call these two; a share has no meaning inside another code.
int ErasureCodeSsn::encode_chunks(const std::set<int>&, Chunks*) { return -ENOTSUP; }

int ErasureCodeSsn::decode_chunks(const std::set<int>& want_to_read, const Chunks& chunks, Chunks* decoded) {
  return decode(want_to_read, chunks, decoded, 0);
}

int ErasureCodeSsn::decode(const std::set<int>& want_to_read, const Chunks& chunks, Chunks* decoded, int) {
  const GivenShares given(chunks, profile_.scheme.k + profile_.verify);
  const bool check = profile_.verify > 0 && given.size() > profile_.scheme.k;
  bool recorded = false;
  for (const int shard : want_to_read) {
    if (shard < 0 || static_cast<unsigned>(shard) >= profile_.scheme.n) return -EINVAL;
    list& out = (*decoded)[shard];
    out.clear();
    if (const auto present = chunks.find(shard); present != chunks.end() && !check) {
      out = present->second;
      continue;
    }
    ceph::buffer::ptr chunk = NewChunk(given.share_bytes());
    if (given.share_bytes() > 0) {
      const auto index = static_cast<unsigned>(shard);
      if (check) {
        const Result<Findings> findings = sharing_->RebuildChecked(given.shares(), index, BytesOf(chunk));
        if (!findings.ok()) return Failed("decode", findings.status());
        if (!std::exchange(recorded, true))
          TheShareLog().Record(findings.value(), profile_.scheme, "recovery");
      } else if (const Status status = sharing_->Rebuild(given.shares(), index, BytesOf(chunk));
                 !status.ok()) {
        return Failed("decode", status);
      }
    }
    out.push_back(std::move(chunk));
  }
  return 0;
}

int ErasureCodeSsn::decode_concat(const Chunks& chunks, list* decoded) {
  const GivenShares given(chunks, profile_.scheme.k + profile_.verify);
  if (given.share_bytes() == 0) return given.size() >= profile_.scheme.k ? 0 : -EIO;
  ceph::buffer::ptr stripe = NewChunk(given.share_bytes() * profile_.scheme.l);
  if (profile_.verify > 0 && given.size() > profile_.scheme.k) {
    const Result<Findings> findings = sharing_->CombineChecked(given.shares(), BytesOf(stripe));
    if (!findings.ok()) return Failed("decode_concat", findings.status());
    TheShareLog().Record(findings.value(), profile_.scheme, "read");
  } else if (const Status status = sharing_->Combine(given.shares(), BytesOf(stripe)); !status.ok()) {
    return Failed("decode_concat", status);
  }
  decoded->push_back(std::move(stripe));
  return 0;
}

}  // namespace ssn::erasure_code
