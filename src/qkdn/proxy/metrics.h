// SPDX-License-Identifier: LGPL-2.1-or-later
// metrics.h - a snapshot as text for Prometheus.
//
// Threads:   pure function.
// Spec:      Prometheus text exposition format 0.0.4.

#pragma once

#include <string>

#include "qkdn/proxy/snapshot.h"

namespace ssn::qkdn::proxy {

std::string FormatMetrics(const Snapshot& snapshot);

}  // namespace ssn::qkdn::proxy
