// SPDX-License-Identifier: LGPL-2.1-or-later
// certificate_authority.h - a small X.509 certificate authority: one self-signed root that issues end-entity
// certificates for mutual TLS and revokes them.
//
// Shapes:    keys are EC P-256, signatures ECDSA with SHA-256; files are PEM, private keys PKCS#8 without a
//            password.
// Errors:    kInvalidArgument for names that do not fit, kUnavailable with OpenSSL's or the system's reason.
// Ownership: the authority holds its private key until it is destroyed; files it writes belong to the caller.
//            Private keys are written with mode 0600.
// Threads:   no locking of its own.
// Spec:      RFC 5280.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ssn/status.h"

namespace ssn::pki {

class CertificateAuthority {
 public:
  // Make creates a new root named `common_name`, good for `days`.
  static Result<std::unique_ptr<CertificateAuthority>> Make(const std::string& common_name, int days);
  // Load reads what Save wrote: ca.crt, ca.key and, if present, ca.crl of `folder`.
  static Result<std::unique_ptr<CertificateAuthority>> Load(const std::string& folder);
  virtual ~CertificateAuthority() = default;

  // Save writes ca.crt, ca.key and ca.crl (empty if nothing was revoked) into `folder`.
  virtual Status Save(const std::string& folder) const = 0;

  // Issue writes a new key to `key_file` and a certificate for it to `certificate_file`: subject CN
  // `common_name`, subjectAltName the same as a DNS name, and `ip_addresses`, extended key usage serverAuth
  // and clientAuth.
  virtual Status Issue(const std::string& common_name, const std::vector<std::string>& ip_addresses, int days,
                       const std::string& certificate_file, const std::string& key_file) = 0;
  // Revoke adds the certificate in `certificate_file` to the revocation list; Save writes it.
  virtual Status Revoke(const std::string& certificate_file) = 0;
};

}  // namespace ssn::pki
