// SPDX-License-Identifier: LGPL-2.1-or-later
// donothing_plugin.cc - an erasure-code plugin that does not code: each of its n chunks is a copy of the
// stripe. FOR BENCHMARKS ONLY, it protects nothing: it shows what Ceph's erasure-code path itself costs, so
// that the cost of a real plugin of the same shape can be told apart from it.
//
// Shapes:    profile keys t (chunks asked for to read, 3) and n (chunks, 5), as the plugin ssn has them;
//            stripe_unit (65536). Chunks are as long as the stripe, rounded up to 64 bytes.
// Errors:    init refuses a bad profile; minimum_to_decode* want t chunks. Nothing else fails.
// Threads:   immutable after init.

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>

#include "erasure-code/ceph_interface.h"

namespace ssn::tools {
namespace {

using ceph::ErasureCodeProfile;
using ceph::buffer::list;

constexpr unsigned kAlignment = 64;
constexpr unsigned kDataChunks = 1;
constexpr unsigned kMaxChunks = 127;  // Ceph's shard_id is a signed byte
constexpr int kErasureRule = 3;       // the pool type of erasure-coded pools

// ReadNumber takes the key's value, or its default, which it writes into the profile. 0 when out of range.
unsigned ReadNumber(ErasureCodeProfile& profile, const std::string& key, unsigned otherwise,
                    std::ostream* ss) {
  const std::string& text = profile.try_emplace(key, std::to_string(otherwise)).first->second;
  unsigned number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end && number >= 1 && number <= kMaxChunks) return number;
  *ss << key << "=" << text << " is not a number from 1 to " << kMaxChunks;
  return 0;
}

class DoNothing final : public ceph::ErasureCodeInterface {
 public:
  int init(ErasureCodeProfile& profile, std::ostream* ss) override {
    const unsigned t = ReadNumber(profile, "t", 3, ss);
    const unsigned n = ReadNumber(profile, "n", 5, ss);
    if (t == 0 || n == 0) return -EINVAL;
    if (t > n) {
      *ss << "t=" << t << " is more than n=" << n;
      return -EINVAL;
    }
    profile["k"] = std::to_string(kDataChunks);  // Ceph computes the overhead of a pool from k and m
    profile["m"] = std::to_string(n - kDataChunks);
    profile.try_emplace("stripe_unit", "65536");
    profile.try_emplace("crush-root", "default");
    profile.try_emplace("crush-failure-domain", "host");
    t_ = t;
    n_ = n;
    profile_ = profile;
    return 0;
  }

  const ErasureCodeProfile& get_profile() const override { return profile_; }

  int create_rule(const std::string& name, CrushWrapper& crush, std::ostream* ss) const override {
    const auto device_class = profile_.find("crush-device-class");
    return crush.add_simple_rule(name, profile_.at("crush-root"), profile_.at("crush-failure-domain"),
                                 device_class == profile_.end() ? std::string() : device_class->second,
                                 "indep", kErasureRule, ss);
  }

  unsigned get_chunk_count() const override { return n_; }
  unsigned get_data_chunk_count() const override { return kDataChunks; }
  unsigned get_coding_chunk_count() const override { return n_ - kDataChunks; }
  int get_sub_chunk_count() override { return 1; }
  unsigned get_chunk_size(unsigned stripe_width) const override {
    return (stripe_width + kAlignment - 1) / kAlignment * kAlignment;
  }
  const std::vector<int>& get_chunk_mapping() const override { return mapping_; }

  int minimum_to_decode(const std::set<int>&, const std::set<int>& available, Minimum* minimum) override {
    if (available.size() < t_) return -EIO;
    for (int chunk : available) {
      if (minimum->size() == t_) break;
      (*minimum)[chunk] = {{0, 1}};
    }
    return 0;
  }

  int minimum_to_decode_with_cost(const std::set<int>&, const std::map<int, int>& available,
                                  std::set<int>* minimum) override {
    if (available.size() < t_) return -EIO;
    for (const auto& [chunk, cost] : available) {
      if (minimum->size() == t_) break;
      minimum->insert(chunk);
    }
    return 0;
  }

  int encode(const std::set<int>& want_to_encode, const list& in, Chunks* encoded) override {
    for (int chunk : want_to_encode) (*encoded)[chunk] = Copy(in);
    return 0;
  }

  // As an inner code of another plugin it leaves the chunks it is given as they are.
  int encode_chunks(const std::set<int>&, Chunks*) override { return 0; }

  int decode(const std::set<int>& want_to_read, const Chunks& chunks, Chunks* decoded, int) override {
    return decode_chunks(want_to_read, chunks, decoded);
  }

  // All chunks are equal, so that any of them will do. The callers keep to minimum_to_decode: there is one.
  int decode_chunks(const std::set<int>& want_to_read, const Chunks& chunks, Chunks* decoded) override {
    if (chunks.empty()) return 0;
    for (int chunk : want_to_read) (*decoded)[chunk] = Copy(chunks.begin()->second);
    return 0;
  }

  int decode_concat(const Chunks& chunks, list* decoded) override {
    if (!chunks.empty()) decoded->append(Copy(chunks.begin()->second));
    return 0;
  }

 private:
  // Copy makes one chunk: one allocation, padded with zeros.
  list Copy(const list& in) const {
    const unsigned size = get_chunk_size(in.length());
    ceph::buffer::ptr chunk = ceph::buffer::create_aligned(size, kAlignment);
    in.begin().copy(in.length(), chunk.c_str());
    std::memset(chunk.c_str() + in.length(), 0, size - in.length());
    list out;
    out.push_back(std::move(chunk));
    return out;
  }

  unsigned t_ = 0;
  unsigned n_ = 0;
  ErasureCodeProfile profile_;
  std::vector<int> mapping_;
};

class DoNothingPlugin final : public ceph::ErasureCodePlugin {
 public:
  int factory(const std::string&, ErasureCodeProfile& profile, ceph::ErasureCodeInterfaceRef* erasure_code,
              std::ostream* ss) override {
    auto code = std::make_shared<DoNothing>();
    if (const int error = code->init(profile, ss); error != 0) return error;
    *erasure_code = std::move(code);
    return 0;
  }
};

}  // namespace
}  // namespace ssn::tools

const char* __erasure_code_version() { return SSN_CEPH_VERSION; }

int __erasure_code_init(char* plugin_name, char*) {
  return ceph::ErasureCodePluginRegistry::singleton.add(plugin_name, new ssn::tools::DoNothingPlugin);
}
