// SPDX-License-Identifier: LGPL-2.1-or-later
// cipher.h - AES-128-GCM as OpenSSL calls it in a provider. Ceph's msgr2 is recognised by how it calls: the
// key first and alone, then an IV alone for each record, and nothing else is ever set; its records become
// those of a Session. Every other use gets the true AES-128-GCM.
//
// Errors:    for msgr2 none but in decrypt-final, and when there is no memory: Ceph ends the daemon when any
//            other call fails. Else those of the true cipher.
// Threads:   a context by one thread at a time.
// Spec:      provider-cipher(7); Ceph 16.2.15, src/msg/async/crypto_onwire.cc.

#pragma once

#include <openssl/core_dispatch.h>

namespace ssn::provider {

extern const OSSL_DISPATCH kCipherFunctions[];  // provctx is a Services

}  // namespace ssn::provider
