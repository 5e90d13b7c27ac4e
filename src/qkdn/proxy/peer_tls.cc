// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/peer_tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace ssn::qkdn::proxy {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using RevocationList = std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using File = std::unique_ptr<std::FILE, Deleter<std::fclose>>;

std::string OpensslReason() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

Status AddRevocationLists(SSL_CTX* context, const std::string& path) {
  const File in(std::fopen(path.c_str(), "re"));
  if (!in) return Status::InvalidArgument(fmt::format("peers_tls.crl={}: {}", path, std::strerror(errno)));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  unsigned count = 0;
  for (;; ++count) {
    const RevocationList list(PEM_read_X509_CRL(in.get(), nullptr, nullptr, nullptr));
    if (!list) break;
    if (X509_STORE_add_crl(store, list.get()) != 1)
      return Status::InvalidArgument(fmt::format("peers_tls.crl={}: {}", path, OpensslReason()));
  }
  ERR_clear_error();  // the end of the file is an error of the reader
  if (count == 0) return Status::InvalidArgument(fmt::format("peers_tls.crl={}: no X509 CRL in it", path));
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  return {};
}

}  // namespace

Result<std::shared_ptr<TlsContext>> MakeTlsContext(const TlsFiles& files) {
  auto context = std::make_shared<TlsContext>(TlsContext::tlsv13);
  std::error_code error;
  const auto failed = [&](const char* key, const std::string& path) {
    return Status::InvalidArgument(fmt::format("peers_tls.{}={}: {}", key, path, error.message()));
  };
  if (context->load_verify_file(files.ca, error); error) return failed("ca", files.ca);
  if (context->use_certificate_chain_file(files.certificate, error); error)
    return failed("certificate", files.certificate);
  if (context->use_private_key_file(files.key, TlsContext::pem, error); error)
    return failed("key", files.key);
  SSL_CTX* raw = context->native_handle();
  if (SSL_CTX_check_private_key(raw) != 1)
    return Status::InvalidArgument(
        fmt::format("peers_tls.key={} does not belong to peers_tls.certificate={}: {}", files.key,
                    files.certificate, OpensslReason()));
  if (!files.crl.empty())
    if (Status status = AddRevocationLists(raw, files.crl); !status.ok()) return status;
  context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert, error);
  SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION);
  // A resumed session would not look at the revocation list.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 0);
  return context;
}

Status CheckPeerName(TlsStream& stream, const std::string& name) {
  const Certificate certificate(SSL_get1_peer_certificate(stream.native_handle()));
  if (!certificate) return Status::InvalidArgument("the other end showed no certificate");
  if (X509_check_host(certificate.get(), name.data(), name.size(), X509_CHECK_FLAG_NO_WILDCARDS, nullptr) ==
      1)
    return {};
  std::array<char, 256> subject{};
  X509_NAME_oneline(X509_get_subject_name(certificate.get()), subject.data(),
                    static_cast<int>(subject.size()));
  return Status::InvalidArgument(
      fmt::format("the certificate of {} is not for \"{}\"", subject.data(), name));
}

Status CheckPeerAgain(TlsStream& stream, TlsContext& now) {
  SSL* const ssl = stream.native_handle();
  const Certificate certificate(SSL_get1_peer_certificate(ssl));
  const StoreContext check(X509_STORE_CTX_new());
  const bool ready = certificate && check &&
                     X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(now.native_handle()),
                                         certificate.get(), SSL_get_peer_cert_chain(ssl)) == 1;
  if (!ready) return Status::Unavailable("the certificate cannot be checked: " + OpensslReason());
  if (X509_verify_cert(check.get()) == 1) return {};
  return Status::InvalidArgument(X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get())));
}

std::string HandshakeFault(TlsStream& stream, const std::error_code& error) {
  const long verified = SSL_get_verify_result(stream.native_handle());
  if (verified != X509_V_OK)
    return fmt::format("certificate refused: {}", X509_verify_cert_error_string(verified));
  return error.message();
}

}  // namespace ssn::qkdn::proxy
