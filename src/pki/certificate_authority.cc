// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pki/certificate_authority.h"

#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <ctime>

#include "pki/openssl_handles.h"
#include "pki/pem_file.h"

namespace ssn::pki {
namespace {

constexpr std::size_t kMaxNameBytes = 64;  // ub-common-name
constexpr int kMaxDays = 36500;
constexpr std::size_t kSerialBytes = 16;
constexpr std::time_t kClockSkewSeconds =
    300;  // a host whose clock is a little late accepts new certificates
constexpr long kVersion3 = 2;
constexpr long kCrlVersion2 = 1;

Status CheckName(const std::string& name) {
  constexpr const char* kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ";
  if (name.empty() || name.size() > kMaxNameBytes || name.find_first_not_of(kAllowed) != std::string::npos)
    return Status::InvalidArgument("common_name='" + name +
                                   "' is not 1..64 of letters, digits, '-', '_', '.', ' '");
  return {};
}

Status CheckDays(int days) {
  if (days >= 1 && days <= kMaxDays) return {};
  return Status::InvalidArgument("days=" + std::to_string(days) + " is outside 1..36500");
}

bool SetRandomSerial(ASN1_INTEGER* serial) {
  std::array<unsigned char, kSerialBytes> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);  // positive, and never shorter
  const BigNumberHandle number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), serial) != nullptr;
}

bool SetCommonName(X509* certificate, const std::string& name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// The names are given as objects, not as text with commas that a name could hold.
bool AddAlternativeNames(X509* certificate, const std::string& dns,
                         const std::vector<std::string>& addresses) {
  const NamesHandle names(GENERAL_NAMES_new());
  const auto add = [&](int type, ASN1_STRING* value) {
    GENERAL_NAME* name = value == nullptr ? nullptr : GENERAL_NAME_new();
    if (name == nullptr) return ASN1_STRING_free(value), false;
    GENERAL_NAME_set0_value(name, type, value);
    return sk_GENERAL_NAME_push(names.get(), name) > 0;
  };
  ASN1_STRING* text = ASN1_STRING_type_new(V_ASN1_IA5STRING);
  if (!names || text == nullptr || ASN1_STRING_set(text, dns.data(), static_cast<int>(dns.size())) != 1 ||
      !add(GEN_DNS, text))
    return false;
  for (const std::string& address : addresses) {
    if (!add(GEN_IPADD, a2i_IPADDRESS(address.c_str()))) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

Result<CertificateHandle> StartCertificate(const std::string& name, int days, EVP_PKEY* key) {
  if (Status status = CheckName(name); !status.ok()) return status;
  if (Status status = CheckDays(days); !status.ok()) return status;
  CertificateHandle certificate(X509_new());
  const std::time_t now = std::time(nullptr);
  const bool made =
      certificate && X509_set_version(certificate.get(), kVersion3) == 1 &&
      SetRandomSerial(X509_get_serialNumber(certificate.get())) &&
      ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now - kClockSkewSeconds) != nullptr &&
      ASN1_TIME_adj(X509_getm_notAfter(certificate.get()), now, days, 0) != nullptr &&
      SetCommonName(certificate.get(), name) && X509_set_pubkey(certificate.get(), key) == 1;
  if (!made) return OpenSslError("a certificate for '" + name + "'");
  return certificate;
}

class Authority final : public CertificateAuthority {
 public:
  Authority(CertificateHandle certificate, KeyHandle key, CrlHandle crl)
      : certificate_(std::move(certificate)), key_(std::move(key)), crl_(std::move(crl)) {}

  Status SignList();
  Status Save(const std::string& folder) const override;
  Status Issue(const std::string& common_name, const std::vector<std::string>& ip_addresses, int days,
               const std::string& certificate_file, const std::string& key_file) override;
  Status Revoke(const std::string& certificate_file) override;

 private:
  CertificateHandle certificate_;
  KeyHandle key_;
  CrlHandle crl_;
};

// The list holds as long as the root: nobody renews it in between.
Status Authority::SignList() {
  X509_CRL* list = crl_.get();
  const TimeHandle now(ASN1_TIME_set(nullptr, std::time(nullptr) - kClockSkewSeconds));
  const bool signed_list = now && X509_CRL_set_version(list, kCrlVersion2) == 1 &&
                           X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate_.get())) == 1 &&
                           X509_CRL_set1_lastUpdate(list, now.get()) == 1 &&
                           X509_CRL_set1_nextUpdate(list, X509_get0_notAfter(certificate_.get())) == 1 &&
                           X509_CRL_sort(list) == 1 && X509_CRL_sign(list, key_.get(), EVP_sha256()) > 0;
  return signed_list ? Status() : OpenSslError("the revocation list");
}

Status Authority::Save(const std::string& folder) const {
  if (Status status = WriteCertificate(folder + "/ca.crt", certificate_.get()); !status.ok()) return status;
  if (Status status = WriteKey(folder + "/ca.key", key_.get()); !status.ok()) return status;
  return WriteCrl(folder + "/ca.crl", crl_.get());
}

Status Authority::Issue(const std::string& common_name, const std::vector<std::string>& ip_addresses,
                        int days, const std::string& certificate_file, const std::string& key_file) {
  for (const std::string& address : ip_addresses) {
    ASN1_OCTET_STRING* parsed = a2i_IPADDRESS(address.c_str());
    if (parsed == nullptr)
      return Status::InvalidArgument("ip_address='" + address + "' is no IPv4 or IPv6 address");
    ASN1_OCTET_STRING_free(parsed);
  }
  const KeyHandle key(EVP_EC_gen("P-256"));
  if (!key) return OpenSslError("a P-256 key");
  Result<CertificateHandle> started = StartCertificate(common_name, days, key.get());
  if (!started.ok()) return started.status();
  X509* certificate = started.value().get();
  X509* issuer = certificate_.get();
  const bool made = X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
                    AddExtension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                    AddExtension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
                    AddExtension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
                    AddExtension(certificate, issuer, NID_subject_key_identifier, "hash") &&
                    AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
                    AddAlternativeNames(certificate, common_name, ip_addresses) &&
                    X509_sign(certificate, key_.get(), EVP_sha256()) > 0;
  if (!made) return OpenSslError("a certificate for '" + common_name + "'");
  if (Status status = WriteKey(key_file, key.get()); !status.ok()) return status;
  return WriteCertificate(certificate_file, certificate);
}

Status Authority::Revoke(const std::string& certificate_file) {
  Result<CertificateHandle> read = ReadCertificate(certificate_file);
  if (!read.ok()) return read.status();
  X509* certificate = read.value().get();
  if (X509_verify(certificate, X509_get0_pubkey(certificate_.get())) != 1) {
    ERR_clear_error();
    return Status::InvalidArgument(certificate_file + " was not issued by this authority");
  }
  X509_REVOKED* known = nullptr;
  if (X509_CRL_get0_by_cert(crl_.get(), &known, certificate) != 0) return {};
  RevokedHandle entry(X509_REVOKED_new());
  const TimeHandle now(ASN1_TIME_set(nullptr, std::time(nullptr)));
  const bool added = entry && now &&
                     X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(certificate)) == 1 &&
                     X509_REVOKED_set_revocationDate(entry.get(), now.get()) == 1 &&
                     X509_CRL_add0_revoked(crl_.get(), entry.get()) == 1;
  if (!added) return OpenSslError("revoking " + certificate_file);
  (void)entry.release();  // the list owns it now
  return SignList();
}

}  // namespace

Result<std::unique_ptr<CertificateAuthority>> CertificateAuthority::Make(const std::string& common_name,
                                                                         int days) {
  KeyHandle key(EVP_EC_gen("P-256"));
  if (!key) return OpenSslError("a P-256 key");
  Result<CertificateHandle> started = StartCertificate(common_name, days, key.get());
  if (!started.ok()) return started.status();
  CertificateHandle root = std::move(started).value();
  X509* certificate = root.get();
  const bool made =
      X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
      AddExtension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      AddExtension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      AddExtension(certificate, certificate, NID_subject_key_identifier, "hash") &&
      X509_sign(certificate, key.get(), EVP_sha256()) > 0;
  CrlHandle list(X509_CRL_new());
  if (!made || !list) return OpenSslError("the root certificate '" + common_name + "'");
  auto authority = std::make_unique<Authority>(std::move(root), std::move(key), std::move(list));
  if (Status status = authority->SignList(); !status.ok()) return status;
  return std::unique_ptr<CertificateAuthority>(std::move(authority));
}

Result<std::unique_ptr<CertificateAuthority>> CertificateAuthority::Load(const std::string& folder) {
  Result<CertificateHandle> certificate = ReadCertificate(folder + "/ca.crt");
  if (!certificate.ok()) return certificate.status();
  Result<KeyHandle> key = ReadKey(folder + "/ca.key");
  if (!key.ok()) return key.status();
  if (X509_check_private_key(certificate.value().get(), key.value().get()) != 1) {
    ERR_clear_error();
    return Status::InvalidArgument(folder + "/ca.key is not the key of " + folder + "/ca.crt");
  }
  const std::string list_file = folder + "/ca.crl";
  const bool listed = access(list_file.c_str(), F_OK) == 0;
  Result<CrlHandle> list = listed ? ReadCrl(list_file) : Result<CrlHandle>(CrlHandle(X509_CRL_new()));
  if (!list.ok()) return list.status();
  auto authority = std::make_unique<Authority>(std::move(certificate).value(), std::move(key).value(),
                                               std::move(list).value());
  if (!listed) {
    if (Status status = authority->SignList(); !status.ok()) return status;
  }
  return std::unique_ptr<CertificateAuthority>(std::move(authority));
}

}  // namespace ssn::pki
