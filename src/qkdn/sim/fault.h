// SPDX-License-Identifier: LGPL-2.1-or-later
// fault.h - what a KME is told to do wrong, so that its clients can be tested.
//
// Errors:    ParseFault: kInvalidArgument with the names there are.
// Threads:   FaultSwitch: any.

#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include "ssn/status.h"

namespace ssn::qkdn::sim {

enum class Fault {
  kNone,
  k503,              // "503"
  kGarbage,          // "garbage": 200 with something that is not JSON
  kTruncated,        // "truncated": the answer breaks off in the middle
  kDifferentKeys,    // "different-keys": the slave's copies differ from the master's
  kMissingIds,       // "missing-ids": dec_keys leaves out the last key
  kEqualKeysNewIds,  // "equal-keys-new-ids": enc_keys gives the same bytes again, as a machine set back does
  kShortKeys,        // "short-keys": enc_keys gives keys of half the size asked for
  kBitsForBytes,     // "bits-for-bytes": enc_keys takes the size in bits for one in bytes
  kSlow,             // "slow": no answer before the fault is over, or 30 seconds
};

Result<Fault> ParseFault(const std::string& name);

class FaultSwitch {
 public:
  void Set(Fault fault);
  Fault Get() const;
  // WaitWhileSlow returns when the fault is another one, when Close was called, or after 30 seconds.
  void WaitWhileSlow();
  void Close();

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Fault fault_ = Fault::kNone;
  bool closed_ = false;
};

}  // namespace ssn::qkdn::sim
