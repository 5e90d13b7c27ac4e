// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/etsi014/tls_identity.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace ssn::qkdn::etsi014 {
namespace {

// A key that asks for a pass phrase is an error: nobody sits at a daemon's terminal.
int NoPassPhrase(char*, int, int, void*) { return -1; }

// The slot of a context in which its identity is found again.
int IdentitySlot() {
  static const int slot = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

std::string View(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::vector<std::string> CommonNames(const X509* certificate) {
  std::vector<std::string> names;
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
    if (size >= 0) names.emplace_back(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
  }
  return names;
}

// The names a KME ID may stand in: CN, and the DNS names and URIs of subjectAltName. Compared whole, so that
// neither a zero byte nor a wildcard makes one name another.
std::vector<std::string> Names(const X509* certificate) {
  std::vector<std::string> names = CommonNames(certificate);
  auto* const alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type == GEN_DNS || name->type == GEN_URI) names.push_back(View(name->d.ia5));
  }
  GENERAL_NAMES_free(alternatives);
  return names;
}

std::string Listed(const std::vector<std::string>& names) {
  std::string text = fmt::format("{}", fmt::join(names, ", ")).substr(0, 200);
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

Status Unreadable(const char* option, const std::string& path) {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return Status::InvalidArgument(
      fmt::format("{}={}: {}", option, path, reason == nullptr ? "cannot be read" : reason));
}

}  // namespace

TlsIdentity::TlsIdentity(std::string kme_id)
    : kme_id_(std::move(kme_id)), files_(SSL_CTX_new(TLS_client_method())) {}

Result<std::unique_ptr<TlsIdentity>> TlsIdentity::Load(const std::string& ca_file,
                                                       const std::string& certificate_file,
                                                       const std::string& key_file,
                                                       const std::string& kme_id) {
  if (kme_id.empty()) return Status::InvalidArgument("kme_id is empty: any KME of the authority would do");
  std::unique_ptr<TlsIdentity> identity(new TlsIdentity(kme_id));
  SSL_CTX* const files = identity->files_.get();
  if (files == nullptr) return Status::Unavailable("OpenSSL has no memory for a TLS context");
  SSL_CTX_set_default_passwd_cb(files, NoPassPhrase);
  if (SSL_CTX_load_verify_file(files, ca_file.c_str()) != 1) return Unreadable("ca_file", ca_file);
  if (SSL_CTX_use_certificate_chain_file(files, certificate_file.c_str()) != 1)
    return Unreadable("certificate_file", certificate_file);
  if (SSL_CTX_use_PrivateKey_file(files, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return Unreadable("key_file", key_file);
  return identity;
}

bool TlsIdentity::Apply(SSL_CTX* context) {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(files_.get(), &chain);
  if (SSL_CTX_use_cert_and_key(context, SSL_CTX_get0_certificate(files_.get()),
                               SSL_CTX_get0_privatekey(files_.get()), chain, 1) != 1)
    return false;
  SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(files_.get()));
  // ca_file names who is trusted; it need not be a root.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, Verify, this);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
  // libcurl would write the session's secrets to the file that SSLKEYLOGFILE names.
  SSL_CTX_set_keylog_callback(context, nullptr);
  SSL_CTX_set_info_callback(context, Observe);
  return SSL_CTX_set_ex_data(context, IdentitySlot(), this) == 1;
}

int TlsIdentity::Verify(X509_STORE_CTX* chain, void* self) {
  auto& identity = *static_cast<TlsIdentity*>(self);
  if (X509_verify_cert(chain) != 1) {
    identity.Refuse(fmt::format("the KME's certificate: {}",
                                X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain))));
    return 0;
  }
  const std::vector<std::string> names = Names(X509_STORE_CTX_get0_cert(chain));
  if (std::ranges::find(names, identity.kme_id_) != names.end()) return 1;
  identity.Refuse(
      fmt::format("the KME's certificate is for '{}', not for kme_id={}", Listed(names), identity.kme_id_));
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

// A fatal alert is a refusal, by the side that sends it. Not counted: internal errors, which pass, and the
// alert that OpenSSL sends into a connection that was lost.
void TlsIdentity::Observe(const SSL* connection, int where, int alert) {
  if ((where & SSL_CB_ALERT) == 0 || (alert >> 8) != SSL3_AL_FATAL) return;
  const bool theirs = (where & SSL_CB_READ) != 0;
  const int description = alert & 0xFF;
  if (description == SSL_AD_INTERNAL_ERROR || (!theirs && description == SSL_AD_DECODE_ERROR)) return;
  auto* const self =
      static_cast<TlsIdentity*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), IdentitySlot()));
  self->Refuse(fmt::format("{} ended TLS with the alert '{}'", theirs ? "the KME" : "our side",
                           SSL_alert_desc_string_long(alert)));
}

void TlsIdentity::Refuse(std::string reason) {
  if (refusal_.empty()) refusal_ = std::move(reason);
}

}  // namespace ssn::qkdn::etsi014
