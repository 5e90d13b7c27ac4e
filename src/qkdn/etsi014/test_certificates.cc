// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/etsi014/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>

namespace ssn::qkdn::etsi014 {
namespace {

void Need(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "test certificates: %s failed\n", what);
  std::abort();
}

void Extend(X509* certificate, X509* issuer, int extension, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, extension, value.c_str());
  Need(made != nullptr && X509_add_ext(certificate, made, -1) == 1, value.c_str());
  X509_EXTENSION_free(made);
}

void Write(const std::string& path, auto write) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  Need(file != nullptr, path.c_str());
  const bool written = write(file) == 1;
  Need(std::fclose(file) == 0 && written, path.c_str());
}

}  // namespace

TestDirectory::TestDirectory() : path_(std::filesystem::temp_directory_path().string() + "/ssn-test-XXXXXX") {
  Need(mkdtemp(path_.data()) != nullptr, path_.c_str());
}

TestDirectory::~TestDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestAuthority::TestAuthority(const TestDirectory& directory, const std::string& name)
    : directory_(directory),
      name_(name),
      file_(directory.File(name + ".pem")),
      key_(NewKey()),
      certificate_(Sign(name, key_.get(), nullptr, key_.get(), true, "")) {
  Write(file_, [&](std::FILE* file) { return PEM_write_X509(file, certificate_.get()); });
}

TestCertificate TestAuthority::Issue(const std::string& common_name,
                                     const std::string& alternative_names) const {
  const Key key = NewKey();
  const Certificate certificate =
      Sign(common_name, key.get(), certificate_.get(), key_.get(), false, alternative_names);
  const std::string serial = std::to_string(X509_issuer_and_serial_hash(certificate.get()));
  const TestCertificate files{directory_.File(name_ + "-" + serial + ".pem"),
                              directory_.File(name_ + "-" + serial + ".key")};
  Write(files.certificate_file, [&](std::FILE* file) { return PEM_write_X509(file, certificate.get()); });
  Write(files.key_file, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

TestAuthority::Key TestAuthority::NewKey() {
  Key key(EVP_EC_gen("P-256"));
  Need(key != nullptr, "a P-256 key");
  return key;
}

TestAuthority::Certificate TestAuthority::Sign(const std::string& common_name, EVP_PKEY* key, X509* issuer,
                                               EVP_PKEY* issuer_key, bool authority,
                                               const std::string& alternative_names) {
  Certificate certificate(X509_new());
  X509* const x = certificate.get();
  std::uint64_t serial = 0;
  Need(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "a serial number");
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, key);
  X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  X509* const signer = issuer == nullptr ? x : issuer;
  X509_set_issuer_name(x, X509_get_subject_name(signer));
  Extend(x, signer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  Extend(x, signer, NID_subject_key_identifier, "hash");
  if (!alternative_names.empty()) Extend(x, signer, NID_subject_alt_name, alternative_names);
  Need(X509_sign(x, issuer_key, EVP_sha256()) > 0, "X509_sign");
  return certificate;
}

}  // namespace ssn::qkdn::etsi014
