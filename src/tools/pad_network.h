// SPDX-License-Identifier: LGPL-2.1-or-later
// pad_network.h - a simulated QKDN and its proxies as child processes, for ssn-bench.
//
// Errors:    kUnavailable with the program's last words when one does not start.
// Ownership: the folder and all processes are the network's; its destructor ends and removes them. A child
//            dies with us.
// Threads:   one.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ssn/status.h"

namespace ssn::tools {

class PadNetwork {
 public:
  struct Options {
    unsigned nodes = 2;
    std::vector<std::string> init;  // more arguments of `qkdn-sim init`
  };
  // Make writes certificates and configurations into a new folder under $TMPDIR. The programs qkdn-sim and
  // qkdn-proxy are those beside this one.
  static Result<std::unique_ptr<PadNetwork>> Make(const Options& options);
  ~PadNetwork();

  // Start… return when the program says that it is ready.
  Status StartSim();
  Status StartProxy(unsigned node);
  // KillProxy ends it without warning.
  void KillProxy(unsigned node);

  std::string Folder(unsigned node) const;
  std::string Socket(unsigned node) const { return Folder(node) + "/pad.sock"; }
  // The KME of a node.
  std::string KmeUrl(unsigned node) const;
  // Memory of the proxy that is in RAM, in bytes; 0 if it cannot be told.
  std::uint64_t ResidentBytes(unsigned node) const;
  // The bound its configuration sets.
  Result<std::uint64_t> MemoryBound(unsigned node) const;

 private:
  PadNetwork() = default;
  Status Start(const std::string& name, const std::vector<std::string>& command);
  void Stop(const std::string& name, int signal);

  std::string folder_;
  std::string programs_;
  std::string address_;
  std::map<std::string, pid_t> children_;
};

}  // namespace ssn::tools
