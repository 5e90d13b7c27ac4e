// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn_links.h - `ssn links`: which programs of this trusted node have their msgr2 sessions under one-time
// pad, and which daemons of Ceph do not.
//
// Errors:    kCorrupt: the answer of a proxy or a daemon cannot be understood.
// Threads:   none of its own.
// Spec:      ssn(1); the JSON is described in src/qkdn/proxy/status_json.h.

#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "ssn/status.h"
#include "tools/ceph_daemons.h"
#include "tools/messenger_banner.h"

namespace ssn::tools {

// FormatLinks makes the table of the status of one or more proxies.
Result<std::string> FormatLinks(const std::vector<std::string>& statuses);

// FindUnprotected are those daemons that have no session attached to a proxy. OpenSSL goes on in silence with
// its own AES-GCM when a provider or its configuration is missing: nothing else tells. kUnavailable if a
// proxy had more programs than it could list.
Result<std::vector<CephDaemon>> FindUnprotected(const std::vector<CephDaemon>& daemons,
                                                const std::vector<std::string>& statuses);

// NotSecureOnly names the messenger modes, of a daemon's answer to `config show`, that let it have sessions
// which are not encrypted: "ms_cluster_mode=crc secure". Empty: there is none. No proxy knows of such
// sessions.
Result<std::string> NotSecureOnly(const std::string& config);

// NotVersion2Only says where a daemon listens by version 1 of the messenger, or that it cannot be seen. Empty:
// nowhere.
std::string NotVersion2Only(const CephDaemon& daemon, const std::vector<Listener>& listeners);

struct LinksOptions {
  std::vector<std::string> socket_paths = {"/run/ssn/pad.sock"};
  bool json = false;
  bool check = false;
  std::string conf;  // empty: whatever the daemons were started with
};
CLI::App* AddLinks(CLI::App& app, LinksOptions& options);
// RunLinks prints; the exit status of the program comes back.
int RunLinks(const LinksOptions& options);

}  // namespace ssn::tools
