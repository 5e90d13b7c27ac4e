// SPDX-License-Identifier: LGPL-2.1-or-later
// services.h - what all sessions of one loaded provider share.
//
// Threads:   any number.

#pragma once

#include <chrono>
#include <memory>

#include "provider/aes_gcm.h"
#include "provider/peer_table.h"
#include "ssn/pad_client.h"

namespace ssn::provider {

struct Services {
  AesGcmLibrary aes;
  std::shared_ptr<PadClient> client;
  std::chrono::milliseconds wait;  // for pad, and for an answer of the proxy
  PeerTable peers;

  Services(OSSL_LIB_CTX* library, std::shared_ptr<PadClient> pad_client,
           std::chrono::milliseconds longest_wait)
      : aes(library), client(std::move(pad_client)), wait(longest_wait) {}
};

}  // namespace ssn::provider
