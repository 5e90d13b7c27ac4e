// SPDX-License-Identifier: LGPL-2.1-or-later
// tls_identity.h - who we are to a KME, who we take for it, and why a handshake failed.
//
// Errors:    Load names the file at fault. A handshake fails, before the first byte of HTTP, when the KME's
//            certificate is not signed by our authority or does not carry the KME ID.
// Ownership: holds certificate, key and authority in OpenSSL's memory; the files are not read again.
// Threads:   one handshake at a time; refusal() belongs to the thread that does it.
// Spec:      ETSI GS QKD 014 V1.1.1 (2019-02), clause 5.1: the SAE confirms the KME ID.

#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "ssn/status.h"

namespace ssn::qkdn::etsi014 {

class TlsIdentity {
 public:
  static Result<std::unique_ptr<TlsIdentity>> Load(const std::string& ca_file,
                                                   const std::string& certificate_file,
                                                   const std::string& key_file, const std::string& kme_id);
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  // Apply sets up a client's context; the identity must outlive it. False: OpenSSL had no memory for it.
  bool Apply(SSL_CTX* context);

  // Why the last handshake was refused by us or by the KME; empty when it was not, or just broke off.
  const std::string& refusal() const { return refusal_; }
  void ForgetRefusal() { refusal_.clear(); }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  explicit TlsIdentity(std::string kme_id);
  static int Verify(X509_STORE_CTX* chain, void* self);
  static void Observe(const SSL* connection, int where, int alert);
  void Refuse(std::string reason);

  const std::string kme_id_;
  const std::unique_ptr<SSL_CTX, FreeContext> files_;  // what was read, in the form OpenSSL reads it in
  std::string refusal_;
};

}  // namespace ssn::qkdn::etsi014
