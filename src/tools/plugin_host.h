// SPDX-License-Identifier: LGPL-2.1-or-later
// plugin_host.h - runs Ceph erasure-code plugins, ours and Ceph's own, in a process that is no daemon.
//
// Shapes:    takes the daemon's place: defines the registry that plugins register with, exports it from the
//            executable (plugin_host.exports), and gives Ceph's plugins the context they log through.
// Errors:    kInvalidArgument for a plugin that is missing, foreign or refuses its profile, with its own
//            words.
// Ownership: plugins stay loaded until the process ends, as in a daemon.
// Threads:   Load and Instantiate may be called from any thread.

#pragma once

#include <string>

#include "erasure-code/ceph_interface.h"
#include "ssn/status.h"

namespace ssn::tools {

class HostedPlugin {
 public:
  // Load opens DIRECTORY/libec_NAME.so as a daemon does: its version must be the one we were built for, and
  // it must register itself as NAME. A plugin that is loaded already is not opened again.
  static Result<HostedPlugin> Load(const std::string& name, const std::string& directory);

  // Instantiate makes an erasure code of `profile`. Its get_profile() shows the defaults the plugin added.
  Result<ceph::ErasureCodeInterfaceRef> Instantiate(ceph::ErasureCodeProfile profile) const;

  const std::string& name() const noexcept { return name_; }
  const std::string& directory() const noexcept { return directory_; }

 private:
  HostedPlugin(std::string name, std::string directory, ceph::ErasureCodePlugin* plugin)
      : name_(std::move(name)), directory_(std::move(directory)), plugin_(plugin) {}

  std::string name_;
  std::string directory_;
  ceph::ErasureCodePlugin* plugin_;
};

// PluginVersion reads the Ceph version a plugin file says it was built for.
Result<std::string> PluginVersion(const std::string& path);

}  // namespace ssn::tools
