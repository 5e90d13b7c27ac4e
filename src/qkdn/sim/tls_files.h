// SPDX-License-Identifier: LGPL-2.1-or-later
// tls_files.h - certificates from files into a TLS context of OpenSSL, for servers and clients alike.
//
// Errors:    kInvalidArgument with the file and OpenSSL's reason.
// Threads:   pure functions apart from the files and the context.
// Spec:      ETSI GS QKD 014 V1.1.1, clause 4: mutual authentication, TLS 1.2 or newer.

#pragma once

#include <openssl/ssl.h>

#include <string>

#include "qkdn/sim/http_server.h"

namespace ssn::qkdn::sim {

// UseTlsFiles takes the other side's certificate only from our authority, and not if it is on the list.
Status UseTlsFiles(SSL_CTX* context, const TlsFiles& files);
// CommonName is the one CN of the subject; empty if there is none, several, or one with a zero byte in it.
std::string CommonName(const X509* certificate);

}  // namespace ssn::qkdn::sim
