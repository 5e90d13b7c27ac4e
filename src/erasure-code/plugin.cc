// SPDX-License-Identifier: LGPL-2.1-or-later
// plugin.cc - what Ceph looks up in libec_ssn.so.
#include "erasure-code/ceph_interface.h"
#include "erasure-code/erasure_code_ssn.h"

namespace {

class Plugin final : public ceph::ErasureCodePlugin {
 public:
  int factory(const std::string&, ceph::ErasureCodeProfile& profile,
              ceph::ErasureCodeInterfaceRef* erasure_code, std::ostream* ss) override {
    auto code = std::make_shared<ssn::erasure_code::ErasureCodeSsn>();
    if (const int error = code->init(profile, ss); error != 0) return error;
    *erasure_code = std::move(code);
    return 0;
  }
};

}  // namespace

const char* __erasure_code_version() { return SSN_CEPH_VERSION; }

int __erasure_code_init(char* plugin_name, char*) {
  return ceph::ErasureCodePluginRegistry::singleton.add(plugin_name, new Plugin);  // the daemon's from now on
}
