// SPDX-License-Identifier: LGPL-2.1-or-later
// pem_file.h - certificates, keys and revocation lists as PEM files.
//
// Errors:    kUnavailable with the path and the system's or OpenSSL's reason.
// Ownership: readers give what they read to the caller. A file is written under another name first and then
//            renamed: whoever reads it at the same time sees the old or the new one.
// Threads:   pure functions apart from the files.
// Spec:      RFC 7468; private keys are PKCS#8 without a password, mode 0600.

#pragma once

#include <string>

#include "pki/openssl_handles.h"

namespace ssn::pki {

Result<CertificateHandle> ReadCertificate(const std::string& path);
Result<KeyHandle> ReadKey(const std::string& path);
Result<CrlHandle> ReadCrl(const std::string& path);

Status WriteCertificate(const std::string& path, X509* certificate);
Status WriteKey(const std::string& path, EVP_PKEY* key);
Status WriteCrl(const std::string& path, X509_CRL* crl);

}  // namespace ssn::pki
