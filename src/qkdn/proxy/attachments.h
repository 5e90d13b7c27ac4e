// SPDX-License-Identifier: LGPL-2.1-or-later
// attachments.h - which streams have their transmitting end at a program of this node: the word of the proxy
// that two programs are on one node, in place of a number that either could claim.
//
// Ownership: an owner is a program's connection; it is only compared.
// Threads:   that of the event loop.
// Spec:      src/qkdn/protocol/NORTH.md, "Both ends at one node".

#pragma once

#include <cstddef>
#include <map>

#include "ssn/pad_client.h"

namespace ssn::qkdn::proxy {

class Attachments {
 public:
  static constexpr std::size_t kMaxOfAnOwner = 65536;

  enum class Outcome { kOk, kExists, kTooMany };
  Outcome Add(const StreamId& stream, const void* owner);
  // Remove does nothing to what another owner has attached.
  void Remove(const StreamId& stream, const void* owner);
  void RemoveAll(const void* owner);
  bool Contains(const StreamId& stream) const { return owners_.contains(stream); }
  std::size_t CountOf(const void* owner) const;

 private:
  std::map<StreamId, const void*> owners_;
  std::map<const void*, std::size_t> counts_;  // never 0
};

}  // namespace ssn::qkdn::proxy
