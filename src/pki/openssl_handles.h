// SPDX-License-Identifier: LGPL-2.1-or-later
// openssl_handles.h - owners for the OpenSSL objects of this folder, and OpenSSL's reason as a Status.
//
// Ownership: each handle frees what it holds.
// Threads:   OpenSSL's error queue belongs to a thread; OpenSslError empties that of its caller.

#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "ssn/status.h"

namespace ssn::pki {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using KeyHandle = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using CertificateHandle = std::unique_ptr<X509, Freed<X509_free>>;
using CrlHandle = std::unique_ptr<X509_CRL, Freed<X509_CRL_free>>;
using RevokedHandle = std::unique_ptr<X509_REVOKED, Freed<X509_REVOKED_free>>;
using BioHandle = std::unique_ptr<BIO, Freed<BIO_free>>;
using BigNumberHandle = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using IntegerHandle = std::unique_ptr<ASN1_INTEGER, Freed<ASN1_INTEGER_free>>;
using TimeHandle = std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using NamesHandle = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

inline Status OpenSslError(const std::string& what) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return Status::Unavailable(what + ": " + (reason == nullptr ? "OpenSSL gives no reason" : reason));
}

}  // namespace ssn::pki
