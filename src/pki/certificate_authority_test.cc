// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pki/certificate_authority.h"

#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "pki/openssl_handles.h"
#include "pki/pem_file.h"

namespace ssn::pki {
namespace {

using StoreHandle = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using StoreContextHandle = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

class CertificateAuthorityTest : public testing::Test {
 protected:
  CertificateAuthorityTest() {
    std::string name = testing::TempDir() + "ca-XXXXXX";
    folder_ = mkdtemp(name.data());
    authority_ = Made();
  }
  ~CertificateAuthorityTest() override { std::filesystem::remove_all(folder_); }

  static std::unique_ptr<CertificateAuthority> Made() {
    auto made = CertificateAuthority::Make("test root", 10);
    EXPECT_TRUE(made.ok());
    return std::move(made).value();
  }

  std::string In(const std::string& name) const { return folder_ + "/" + name; }

  Status Issue(const std::string& name, const std::vector<std::string>& addresses = {"127.0.0.1"}) {
    return authority_->Issue(name, addresses, 5, In(name + ".crt"), In(name + ".key"));
  }

  // What OpenSSL says of a certificate, judged by the files ca.crt and ca.crl.
  int Verify(const std::string& certificate_file, int purpose, const char* host, const char* address) {
    auto root = ReadCertificate(In("ca.crt"));
    auto list = ReadCrl(In("ca.crl"));
    auto certificate = ReadCertificate(certificate_file);
    EXPECT_TRUE(root.ok() && list.ok() && certificate.ok());
    const StoreHandle store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), root.value().get());
    X509_STORE_add_crl(store.get(), list.value().get());
    const StoreContextHandle context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), certificate.value().get(), nullptr);
    X509_STORE_CTX_set_purpose(context.get(), purpose);
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_X509_STRICT);
    if (host != nullptr) X509_VERIFY_PARAM_set1_host(parameters, host, 0);
    if (address != nullptr) X509_VERIFY_PARAM_set1_ip_asc(parameters, address);
    X509_verify_cert(context.get());
    return X509_STORE_CTX_get_error(context.get());
  }

  std::string folder_;
  std::unique_ptr<CertificateAuthority> authority_;
};

TEST_F(CertificateAuthorityTest, IssuedCertificatesServeBothEndsOfMutualTls) {
  ASSERT_TRUE(authority_->Save(folder_).ok());
  ASSERT_TRUE(Issue("node-0").ok());
  EXPECT_EQ(X509_V_OK, Verify(In("node-0.crt"), X509_PURPOSE_SSL_SERVER, "node-0", "127.0.0.1"));
  EXPECT_EQ(X509_V_OK, Verify(In("node-0.crt"), X509_PURPOSE_SSL_CLIENT, nullptr, nullptr));
  EXPECT_EQ(X509_V_ERR_HOSTNAME_MISMATCH,
            Verify(In("node-0.crt"), X509_PURPOSE_SSL_SERVER, "node-1", nullptr));
  EXPECT_EQ(X509_V_ERR_IP_ADDRESS_MISMATCH,
            Verify(In("node-0.crt"), X509_PURPOSE_SSL_SERVER, nullptr, "127.0.0.2"));
}

TEST_F(CertificateAuthorityTest, TheKeyFileHoldsTheKeyOfTheCertificateAndIsPrivate) {
  ASSERT_TRUE(Issue("node-0").ok());
  ASSERT_TRUE(authority_->Save(folder_).ok());
  for (const char* name : {"node-0.key", "ca.key"}) {
    struct stat file = {};
    ASSERT_EQ(0, stat(In(name).c_str(), &file));
    EXPECT_EQ(0600u, file.st_mode & 07777) << name;
  }
  auto certificate = ReadCertificate(In("node-0.crt"));
  auto key = ReadKey(In("node-0.key"));
  ASSERT_TRUE(certificate.ok() && key.ok());
  EXPECT_EQ(1, X509_check_private_key(certificate.value().get(), key.value().get()));
}

TEST_F(CertificateAuthorityTest, SerialNumbersDiffer) {
  ASSERT_TRUE(Issue("a").ok() && Issue("b").ok());
  auto a = ReadCertificate(In("a.crt"));
  auto b = ReadCertificate(In("b.crt"));
  EXPECT_NE(
      0, ASN1_INTEGER_cmp(X509_get0_serialNumber(a.value().get()), X509_get0_serialNumber(b.value().get())));
}

TEST_F(CertificateAuthorityTest, ARevokedCertificateIsRefusedAndTheOthersAreNot) {
  ASSERT_TRUE(Issue("good").ok() && Issue("stolen").ok());
  ASSERT_TRUE(authority_->Revoke(In("stolen.crt")).ok());
  ASSERT_TRUE(authority_->Revoke(In("stolen.crt")).ok()) << "a second time changes nothing";
  ASSERT_TRUE(authority_->Save(folder_).ok());
  EXPECT_EQ(X509_V_ERR_CERT_REVOKED, Verify(In("stolen.crt"), X509_PURPOSE_SSL_CLIENT, nullptr, nullptr));
  EXPECT_EQ(X509_V_OK, Verify(In("good.crt"), X509_PURPOSE_SSL_CLIENT, nullptr, nullptr));
}

TEST_F(CertificateAuthorityTest, ALoadedAuthorityRemembersWhatItRevoked) {
  ASSERT_TRUE(Issue("first").ok() && Issue("second").ok());
  ASSERT_TRUE(authority_->Revoke(In("first.crt")).ok());
  ASSERT_TRUE(authority_->Save(folder_).ok());
  auto loaded = CertificateAuthority::Load(folder_);
  ASSERT_TRUE(loaded.ok());
  ASSERT_TRUE(loaded.value()->Revoke(In("second.crt")).ok());
  ASSERT_TRUE(loaded.value()->Issue("third", {}, 5, In("third.crt"), In("third.key")).ok());
  ASSERT_TRUE(loaded.value()->Save(folder_).ok());
  for (const char* name : {"first.crt", "second.crt"})
    EXPECT_EQ(X509_V_ERR_CERT_REVOKED, Verify(In(name), X509_PURPOSE_SSL_CLIENT, nullptr, nullptr)) << name;
  EXPECT_EQ(X509_V_OK, Verify(In("third.crt"), X509_PURPOSE_SSL_CLIENT, nullptr, nullptr));
}

TEST_F(CertificateAuthorityTest, WithoutARevocationListLoadBeginsAnEmptyOne) {
  ASSERT_TRUE(authority_->Save(folder_).ok());
  std::filesystem::remove(In("ca.crl"));
  auto loaded = CertificateAuthority::Load(folder_);
  ASSERT_TRUE(loaded.ok());
  ASSERT_TRUE(loaded.value()->Save(folder_).ok());
  ASSERT_TRUE(Issue("node-0").ok());
  EXPECT_EQ(X509_V_OK, Verify(In("node-0.crt"), X509_PURPOSE_SSL_CLIENT, nullptr, nullptr));
}

TEST_F(CertificateAuthorityTest, OfAnotherAuthorityNothingIsTrustedOrRevoked) {
  ASSERT_TRUE(authority_->Save(folder_).ok());
  auto other = Made();
  ASSERT_TRUE(other->Issue("x", {}, 5, In("x.crt"), In("x.key")).ok());
  EXPECT_NE(X509_V_OK, Verify(In("x.crt"), X509_PURPOSE_SSL_CLIENT, nullptr, nullptr));
  EXPECT_EQ(Status::Code::kInvalidArgument, authority_->Revoke(In("x.crt")).code());
}

TEST_F(CertificateAuthorityTest, WhatDoesNotFitIsRefusedByName) {
  EXPECT_EQ("common_name='' is not 1..64 of letters, digits, '-', '_', '.', ' '",
            authority_->Issue("", {}, 5, In("x.crt"), In("x.key")).message());
  EXPECT_EQ(Status::Code::kInvalidArgument, Issue(std::string(65, 'a')).code());
  EXPECT_EQ(Status::Code::kInvalidArgument, Issue("a,DNS:b").code());
  EXPECT_EQ(Status::Code::kInvalidArgument,
            CertificateAuthority::Make(std::string("a\0b", 3), 5).status().code());
  EXPECT_EQ("ip_address='127.0.0' is no IPv4 or IPv6 address", Issue("a", {"127.0.0"}).message());
  EXPECT_EQ("days=0 is outside 1..36500", CertificateAuthority::Make("a", 0).status().message());
}

TEST_F(CertificateAuthorityTest, FilesThatAreMissingOrNotPemAreNamed) {
  EXPECT_EQ("/nowhere/ca.crt: No such file or directory",
            CertificateAuthority::Load("/nowhere").status().message());
  std::ofstream(In("ca.crt")) << "not a certificate\n";
  const Status status = CertificateAuthority::Load(folder_).status();
  EXPECT_EQ(Status::Code::kUnavailable, status.code());
  EXPECT_EQ(0u, status.message().find(In("ca.crt"))) << status.message();
  EXPECT_EQ(Status::Code::kUnavailable, authority_->Save("/nowhere").code());
}

TEST_F(CertificateAuthorityTest, AKeyThatIsNotTheRootsIsRefused) {
  ASSERT_TRUE(authority_->Save(folder_).ok());
  ASSERT_TRUE(Issue("a").ok());
  std::filesystem::rename(In("a.key"), In("ca.key"));
  EXPECT_EQ(Status::Code::kInvalidArgument, CertificateAuthority::Load(folder_).status().code());
}

}  // namespace
}  // namespace ssn::pki
