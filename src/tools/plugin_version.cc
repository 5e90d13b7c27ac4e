// SPDX-License-Identifier: LGPL-2.1-or-later
// plugin_version.cc - prints the Ceph version of a plugin file, for the test `ceph_interface`.

#include <cstdio>

#include "tools/plugin_host.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PLUGIN.so\n", argv[0]);
    return 2;
  }
  const auto version = ssn::tools::PluginVersion(argv[1]);
  std::puts(version.ok() ? version.value().c_str() : version.status().message().c_str());
  return version.ok() ? 0 : 1;
}
