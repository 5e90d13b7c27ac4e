// SPDX-License-Identifier: LGPL-2.1-or-later
// erasure_code_ssn.h - secret sharing as an erasure code: NOT systematic. Every chunk is a share, no chunk is
// data, and t of them are needed whatever is wanted: `decode` gives shares, `decode_concat` plaintext.
//
// Shapes:    a stripe of l chunks of plaintext becomes n chunks, one share each, as long as one chunk.
// Errors:    init refuses a profile; minimum_to_decode says -EIO for too few shares. Anything else that
//            cannot be done is handled here, because the OSD aborts on it: shares that disagree give zero
//            bytes and a line in the log. Two things do end the OSD, on purpose: no memory, and a random
//            source that fails (shares made with weaker randomness would be worse than an OSD that is down).
// Threads:   as Ceph calls it: one instance for each placement group; all methods but init are thread-safe.

#pragma once

#include <memory>

#include "erasure-code/ceph_interface.h"
#include "erasure-code/profile.h"
#include "ssn/sharing.h"

namespace ssn::erasure_code {

class ErasureCodeSsn final : public ceph::ErasureCodeInterface {
 public:
  int init(ceph::ErasureCodeProfile& profile, std::ostream* ss) override;
  const ceph::ErasureCodeProfile& get_profile() const override { return keys_; }
  int create_rule(const std::string& name, CrushWrapper& crush, std::ostream* ss) const override;

  unsigned int get_chunk_count() const override { return profile_.scheme.n; }
  unsigned int get_data_chunk_count() const override { return profile_.scheme.l; }
  unsigned int get_coding_chunk_count() const override { return profile_.scheme.n - profile_.scheme.l; }
  int get_sub_chunk_count() override { return 1; }
  unsigned int get_chunk_size(unsigned int stripe_width) const override;

  int minimum_to_decode(const std::set<int>& want_to_read, const std::set<int>& available,
                        Minimum* minimum) override;
  int minimum_to_decode_with_cost(const std::set<int>& want_to_read, const std::map<int, int>& available,
                                  std::set<int>* minimum) override;

  int encode(const std::set<int>& want_to_encode, const ceph::buffer::list& in, Chunks* encoded) override;
  int encode_chunks(const std::set<int>& want_to_encode, Chunks* encoded) override;
  int decode(const std::set<int>& want_to_read, const Chunks& chunks, Chunks* decoded,
             int chunk_size) override;
  int decode_chunks(const std::set<int>& want_to_read, const Chunks& chunks, Chunks* decoded) override;
  const std::vector<int>& get_chunk_mapping() const override { return chunk_mapping_; }
  int decode_concat(const Chunks& chunks, ceph::buffer::list* decoded) override;

 private:
  std::set<int> Choose(const std::set<int>& available) const;

  ceph::ErasureCodeProfile keys_;
  Profile profile_;
  std::shared_ptr<const Sharing> sharing_;
  std::shared_ptr<RandomSource> random_;
  const std::vector<int> chunk_mapping_;  // empty: chunk i is on shard i
};

}  // namespace ssn::erasure_code
