// SPDX-License-Identifier: LGPL-2.1-or-later
// command_line.h - what the command line of a daemon or tool of Ceph tells of it.
//
// Threads:   pure functions.
// Spec:      ceph(8), "-n", "-i", "-c".

#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ssn::provider {

// ProgramName is osd.3 of `ceph-osd -i 3`, client.admin of `rados -n client.admin`, else the name of the
// file.
std::string ProgramName(const std::vector<std::string>& arguments);

// OptionValue is the value of an option given as "-i 3", "--id 3" or "--id=3".
std::optional<std::string> OptionValue(const std::vector<std::string>& arguments, const std::string& brief,
                                       const std::string& full);

}  // namespace ssn::provider
