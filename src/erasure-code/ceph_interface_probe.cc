// SPDX-License-Identifier: LGPL-2.1-or-later
// ceph_interface_probe.cc - what the compiler makes of ceph_interface.h, for the test `ceph_interface`.
// The module is read, never loaded: most functions of the class are only declared, so that its virtual
// table names them.

#include "erasure-code/ceph_interface.h"

namespace ceph {

class Probe : public ErasureCodeInterface {
 public:
  ~Probe() override;
  int init(ErasureCodeProfile&, std::ostream*) override;
  const ErasureCodeProfile& get_profile() const override;
  int create_rule(const std::string&, CrushWrapper&, std::ostream*) const override;
  unsigned int get_chunk_count() const override;
  unsigned int get_data_chunk_count() const override;
  unsigned int get_coding_chunk_count() const override;
  int get_sub_chunk_count() override;
  unsigned int get_chunk_size(unsigned int) const override;
  int minimum_to_decode(const std::set<int>&, const std::set<int>&, Minimum*) override;
  int minimum_to_decode_with_cost(const std::set<int>&, const std::map<int, int>&, std::set<int>*) override;
  int encode(const std::set<int>&, const ceph::buffer::list&, Chunks*) override;
  int encode_chunks(const std::set<int>&, Chunks*) override;
  int decode(const std::set<int>&, const Chunks&, Chunks*, int) override;
  int decode_chunks(const std::set<int>&, const Chunks&, Chunks*) override;
  const std::vector<int>& get_chunk_mapping() const override;
  int decode_concat(const Chunks&, ceph::buffer::list*) override;
};

class ProbePlugin : public ErasureCodePlugin {
 public:
  ~ProbePlugin() override;
  int factory(const std::string&, ErasureCodeProfile&, ErasureCodeInterfaceRef*, std::ostream*) override;
};

Probe::~Probe() = default;
ProbePlugin::~ProbePlugin() = default;

int Probe::create_rule(const std::string& name, CrushWrapper& crush, std::ostream* ss) const {
  return crush.add_simple_rule(name, name, name, name, name, 3, ss);
}

int UseRegistry(ErasureCodePlugin* plugin, ErasureCodeProfile& profile, ErasureCodeInterfaceRef* made) {
  const int error = ErasureCodePluginRegistry::singleton.add("probe", plugin);
  if (error != 0) return error;
  return ErasureCodePluginRegistry::singleton.factory("probe", "", profile, made, nullptr);
}

}  // namespace ceph
