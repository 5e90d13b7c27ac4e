// SPDX-License-Identifier: LGPL-2.1-or-later
// test_certificates.h - authorities, certificates and keys for tests, as PEM files in a directory of theirs.
//
// Errors:    what cannot be made ends the test program with a line on stderr.
// Ownership: TestDirectory removes itself and all that was put in it.

#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace ssn::qkdn::etsi014 {

class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct TestCertificate {
  std::string certificate_file;
  std::string key_file;
};

// A self-signed authority, valid from an hour ago until in an hour; so is what it issues.
class TestAuthority {
 public:
  TestAuthority(const TestDirectory& directory, const std::string& name);

  const std::string& file() const { return file_; }
  // Issue signs a certificate with this CN and, unless empty, subjectAltName (such as
  // "IP:127.0.0.1,DNS:kme").
  TestCertificate Issue(const std::string& common_name, const std::string& alternative_names = "") const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  using Certificate = std::unique_ptr<X509, Free>;

  static Key NewKey();
  // `issuer` null: signed with the key itself.
  static Certificate Sign(const std::string& common_name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
                          bool authority, const std::string& alternative_names);

  const TestDirectory& directory_;
  const std::string name_;
  const std::string file_;
  const Key key_;
  const Certificate certificate_;
};

}  // namespace ssn::qkdn::etsi014
