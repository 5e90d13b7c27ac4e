// SPDX-License-Identifier: LGPL-2.1-or-later
// crush_rule.h - lets a CRUSH rule place as many shards as the pool has.
//
// add_simple_rule leaves a mask of 3 to 20 shards in an erasure rule, and 16.2 maps no placement group of a
// pool whose size is outside. Ceph's own plugins widen it through CrushWrapper's inline functions, which no
// package declares; this does the same through the layout of 16.2.15.
//
// Errors:    false, and nothing written, when the memory does not look as expected.

#pragma once

class CrushWrapper;

namespace ssn::erasure_code {

bool WidenRuleMask(CrushWrapper& crush, int rule, unsigned shards);

}  // namespace ssn::erasure_code
