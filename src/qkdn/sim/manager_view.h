// SPDX-License-Identifier: LGPL-2.1-or-later
// manager_view.h - the QKDN manager: what there is to see of rates, stores and faults, and how to make them.
//
// Shapes:    text of the Prometheus exposition format; JSON. Bytes and keys are counted, never shown.
// Errors:    ApplyFault: kInvalidArgument with the member at fault.
// Threads:   any.
// Spec:      qkdn-sim(1), MANAGER.

#pragma once

#include <string>

#include "qkdn/sim/network.h"

namespace ssn::qkdn::sim {

// What every view and the program itself say first.
extern const char* const kSimulationNotice;

std::string FormatMetrics(const Network& network);
std::string FormatStatus(const Network& network);
// ApplyFault takes {"link": NAME, "up": true|false} or {"node": NAME, "answer": FAULT|null}.
Status ApplyFault(Network& network, const std::string& json);

}  // namespace ssn::qkdn::sim
