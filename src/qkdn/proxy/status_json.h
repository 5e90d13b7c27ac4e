// SPDX-License-Identifier: LGPL-2.1-or-later
// status_json.h - a snapshot as JSON, for `ssn keys` and `ssn links`.
//
// Shapes:    at most `max_bytes`: programs, then links, that do not fit are left out and counted. Members:
//            node, name, capacity, low, high, reserve (of every reservoir), links, links_left_out, programs,
//            programs_left_out. A link: peer, name, state ("up", "down"), waiting, tx, rx. A pair: held,
//            reservoir, fetched, granted, used, burnt (bytes), rate_in, rate_use (bytes per second over the
//            last minute), seconds_to_dry (null: at these rates never). A program: name, pid, uid, streams,
//            attached (sessions it sends in, those within the node included), peers: for each peer, name,
//            sessions (it sends in), tx_used, rx_used (bytes since it connected).
// Threads:   pure function.

#pragma once

#include <string>

#include "qkdn/proxy/snapshot.h"

namespace ssn::qkdn::proxy {

std::string FormatStatus(const Snapshot& snapshot, std::size_t max_bytes);

}  // namespace ssn::qkdn::proxy
