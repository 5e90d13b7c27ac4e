// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/tls_files.h"

#include <openssl/err.h>

#include <cstring>

namespace ssn::qkdn::sim {
namespace {

Status FileError(const std::string& key, const std::string& path) {
  const unsigned long code = ERR_peek_error();  // the first one: the others are what followed from it
  ERR_clear_error();
  const char* reason =
      ERR_SYSTEM_ERROR(code) ? std::strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
  return Status::InvalidArgument(key + "=\"" + path + "\": " + (reason == nullptr ? "not usable" : reason));
}

}  // namespace

Status UseTlsFiles(SSL_CTX* context, const TlsFiles& files) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (SSL_CTX_load_verify_file(context, files.ca.c_str()) != 1) return FileError("ca", files.ca);
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(files.ca.c_str());
  if (names == nullptr) return FileError("ca", files.ca);
  SSL_CTX_set_client_CA_list(context, names);
  if (!files.crl.empty()) {
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (lookup == nullptr || X509_load_crl_file(lookup, files.crl.c_str(), X509_FILETYPE_PEM) < 1)
      return FileError("crl", files.crl);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  }
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return FileError("certificate", files.certificate);
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return FileError("key", files.key);
  if (SSL_CTX_check_private_key(context) != 1) return FileError("key", files.key);
  return {};
}

std::string CommonName(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0) return {};
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return name.find('\0') == std::string::npos ? name : std::string();
}

}  // namespace ssn::qkdn::sim
