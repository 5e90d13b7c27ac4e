// SPDX-License-Identifier: LGPL-2.1-or-later
// Whom the client talks to, whom it does not, and what it takes for its options.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "qkdn/etsi014/kme_client_fixture.h"

namespace ssn::qkdn::etsi014 {
namespace {

// A loopback port of the kernel's choice, without TLS behind it.
class RawPort {
 public:
  explicit RawPort(bool listening) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(0, bind(socket_, reinterpret_cast<sockaddr*>(&address), size));
    EXPECT_EQ(0, getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size));
    EXPECT_EQ(0, listening ? listen(socket_, 5) : 0);
    port_ = ntohs(address.sin_port);
  }
  ~RawPort() { close(socket_); }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }

  // Takes one connection, sends `greeting` after the client's first bytes, and hangs up.
  void AnswerOnce(const std::string& greeting) const {
    const int connection = accept(socket_, nullptr, nullptr);
    char first[1];
    EXPECT_EQ(1, recv(connection, first, 1, 0));
    EXPECT_EQ(static_cast<ssize_t>(greeting.size()),
              send(connection, greeting.data(), greeting.size(), MSG_NOSIGNAL));
    close(connection);
  }

 private:
  const int socket_;
  int port_ = 0;
};

// The version a server agrees to when everything old is allowed; empty when it does not.
std::string VersionAgreed(int port, const TestCertificate& own) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_use_certificate_file(context, own.certificate_file.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(context, own.key_file.c_str(), SSL_FILETYPE_PEM);
  BIO* const connection = BIO_new_ssl_connect(context);
  BIO_set_conn_hostname(connection, ("127.0.0.1:" + std::to_string(port)).c_str());
  std::string version;
  if (BIO_do_handshake(connection) == 1) {
    SSL* ssl = nullptr;
    BIO_get_ssl(connection, &ssl);
    version = SSL_get_version(ssl);
  }
  BIO_free_all(connection);
  SSL_CTX_free(context);
  return version;
}

class KmeClientTlsTest : public KmeClientTest {
 protected:
  static TestReply Answer(const TestRequest&) { return Reply(200, FormatKeys(TestKeys({"a"}, 32))); }

  // A request to a KME with this certificate.
  KmeResult<Keys> AskKmeWith(const TestCertificate& certificate) {
    kme_server_ = std::make_unique<TestKme>(
        TestKme::Options{certificate.certificate_file, certificate.key_file, authority_.file()}, Answer);
    return Connect(ClientOptions(kme_server_->url()))->GetKeys("B", 1, 32);
  }
  KmeResult<Keys> Ask(const KmeClient::Options& options) { return Connect(options)->GetKeys("B", 1, 32); }
};

TEST_F(KmeClientTlsTest, TheKmeIdMayStandInCommonNameDnsNameOrUri) {
  const TestCertificate right[] = {
      authority_.Issue(kKmeId, "IP:127.0.0.1"),
      authority_.Issue("other", "IP:127.0.0.1,DNS:other,DNS:KME_A"),
      authority_.Issue("other", "IP:127.0.0.1,URI:KME_A"),
  };
  for (const TestCertificate& certificate : right) {
    const auto keys = AskKmeWith(certificate);
    EXPECT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
  }
}

TEST_F(KmeClientTlsTest, AnotherKmeIdEndsTheHandshakeBeforeAnyRequest) {
  const TestCertificate wrong[] = {
      authority_.Issue("KME_B", "IP:127.0.0.1"),
      authority_.Issue("KME_AA", "IP:127.0.0.1,DNS:xKME_A,DNS:*,URI:KME_A/"),
      authority_.Issue("kme_a", "IP:127.0.0.1,email:KME_A"),
      authority_.Issue(std::string("KME_A\0.evil", 11), "IP:127.0.0.1"),
  };
  for (const TestCertificate& certificate : wrong) {
    const KmeError error = ErrorOf(AskKmeWith(certificate));
    EXPECT_EQ(Action::kRefused, error.action) << error.message;
    EXPECT_TRUE(Has(error.message, "not for kme_id=KME_A"));
    EXPECT_EQ(0u, kme_server_->requests().size());
  }
}

TEST_F(KmeClientTlsTest, AnotherAuthorityIsRefused) {
  const TestAuthority other(directory_, "other");
  const KmeError error = ErrorOf(AskKmeWith(other.Issue(kKmeId, "IP:127.0.0.1")));
  EXPECT_EQ(Action::kRefused, error.action) << error.message;
  EXPECT_TRUE(Has(error.message, "the KME's certificate: "));
  EXPECT_EQ(0u, kme_server_->requests().size());
}

TEST_F(KmeClientTlsTest, ACertificateForAnotherHostIsRefused) {
  const KmeError error = ErrorOf(AskKmeWith(authority_.Issue(kKmeId, "IP:127.0.0.2,DNS:elsewhere")));
  EXPECT_EQ(Action::kRefused, error.action) << error.message;
  EXPECT_EQ(0u, kme_server_->requests().size());
}

TEST_F(KmeClientTlsTest, AClientOfAnotherAuthorityIsRefusedByTheKme) {
  kme_server_ = std::make_unique<TestKme>(ServerOptions(), Answer);
  const TestCertificate foreign = TestAuthority(directory_, "other").Issue(kSaeId);
  KmeClient::Options options = ClientOptions(kme_server_->url());
  options.certificate_file = foreign.certificate_file;
  options.key_file = foreign.key_file;
  const KmeError error = ErrorOf(Ask(options));
  EXPECT_EQ(Action::kRefused, error.action) << error.message;
  EXPECT_TRUE(Has(error.message, "the KME ended TLS with the alert"));
  EXPECT_EQ(0u, kme_server_->requests().size());
}

TEST_F(KmeClientTlsTest, AClientWithoutACertificateIsNotMade) {
  KmeClient::Options options = ClientOptions("https://127.0.0.1:1");
  options.certificate_file.clear();
  const auto client = KmeClient::Make(options);
  ASSERT_FALSE(client.ok());
  EXPECT_TRUE(Has(client.status().message(), "certificate_file="));
}

TEST_F(KmeClientTlsTest, AServerOfTls11IsRefused) {
  TestKme::Options options = ServerOptions();
  options.only_tls_1_1 = true;
  kme_server_ = std::make_unique<TestKme>(options, Answer);
  EXPECT_EQ("TLSv1.1", VersionAgreed(kme_server_->port(), sae_));
  const KmeError error = ErrorOf(Ask(ClientOptions(kme_server_->url())));
  EXPECT_EQ(Action::kRefused, error.action) << error.message;
  EXPECT_TRUE(Has(error.message, "alert 'protocol version'"));
  EXPECT_EQ(0u, kme_server_->requests().size());
}

TEST_F(KmeClientTlsTest, APortThatRefusesIsWorthAnotherTry) {
  const RawPort port(false);
  const KmeError error = ErrorOf(Ask(ClientOptions(port.url())));
  EXPECT_EQ(Action::kRetryLater, error.action) << error.message;
  EXPECT_TRUE(Has(error.message, port.url()));
}

TEST_F(KmeClientTlsTest, AServerThatNeverShakesHandsTimesOut) {
  const RawPort port(true);
  KmeClient::Options options = ClientOptions(port.url());
  options.connect_timeout = std::chrono::milliseconds(200);
  const KmeError error = ErrorOf(Ask(options));
  EXPECT_EQ(Action::kRetryLater, error.action) << error.message;
}

TEST_F(KmeClientTlsTest, AServerThatHangsUpDuringTheHandshakeIsWorthAnotherTry) {
  const RawPort port(true);
  std::thread server([&] { port.AnswerOnce(""); });
  const KmeError error = ErrorOf(Ask(ClientOptions(port.url())));
  server.join();
  EXPECT_EQ(Action::kRetryLater, error.action) << error.message;
}

TEST_F(KmeClientTlsTest, AServerWithoutTlsIsRefused) {
  const RawPort port(true);
  std::thread server([&] { port.AnswerOnce("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); });
  const KmeError error = ErrorOf(Ask(ClientOptions(port.url())));
  server.join();
  EXPECT_EQ(Action::kRefused, error.action) << error.message;
}

TEST_F(KmeClientTlsTest, OptionsThatCannotWorkAreNamed) {
  const std::string other_key = authority_.Issue("x").key_file;
  std::ofstream(directory_.File("empty.pem")) << "no PEM\n";
  const auto complaint = [&](auto change) {
    KmeClient::Options options = ClientOptions("https://127.0.0.1:1");
    change(options);
    const auto client = KmeClient::Make(options);
    return client.ok() ? "no complaint" : client.status().message();
  };
  for (const char* const url :
       {"", "127.0.0.1", "http://h", "https://", "https://u@h", "https://u:p@h", "https://h/x",
        "https://h/?q", "https://h/#f", "ftp://h", "https://h:99999", "https://h h"})
    EXPECT_EQ("url=" + std::string(url) + " is not https://HOST[:PORT]",
              complaint([&](auto& options) { options.url = url; }));
  for (const char* const url :
       {"https://h", "https://h/", "https://h:8443", "https://[::1]:8443", "HTTPS://h"})
    EXPECT_EQ("no complaint", complaint([&](auto& options) { options.url = url; })) << url;
  EXPECT_TRUE(Has(complaint([](auto& options) { options.kme_id.clear(); }), "kme_id is empty"));
  EXPECT_TRUE(Has(complaint([](auto& options) { options.ca_file = "/nowhere"; }), "ca_file=/nowhere: "));
  EXPECT_TRUE(
      Has(complaint([&](auto& options) { options.ca_file = directory_.File("empty.pem"); }), "ca_file="));
  EXPECT_TRUE(
      Has(complaint([](auto& options) { options.certificate_file = "/no"; }), "certificate_file=/no: "));
  EXPECT_TRUE(Has(complaint([](auto& options) { options.key_file = "/no"; }), "key_file=/no: "));
  EXPECT_TRUE(Has(complaint([&](auto& options) { options.key_file = other_key; }), "key values mismatch"));
  EXPECT_TRUE(
      Has(complaint([](auto& options) { options.timeout = std::chrono::milliseconds(0); }), "timeout=0 ms"));
  EXPECT_TRUE(Has(complaint([](auto& options) { options.connect_timeout = std::chrono::hours(2); }),
                  "connect_timeout=7200000 ms is outside 1..3600000"));
  EXPECT_TRUE(Has(complaint([](auto& options) { options.max_body_bytes = 0; }), "max_body_bytes=0"));
}

// The variable is read once, when libcurl is first used: ctest runs this case in a process of its own.
TEST_F(KmeClientTlsTest, SecretsOfTheSessionAreNotWrittenToAKeyLog) {
  const std::string log = directory_.File("keylog");
  ASSERT_EQ(0, setenv("SSLKEYLOGFILE", log.c_str(), 1));
  kme_server_ = std::make_unique<TestKme>(ServerOptions(), Answer);
  const auto keys = Ask(ClientOptions(kme_server_->url()));
  EXPECT_TRUE(std::holds_alternative<Keys>(keys)) << WordsOf(keys);
  unsetenv("SSLKEYLOGFILE");
  std::error_code none;
  EXPECT_TRUE(!std::filesystem::exists(log) || std::filesystem::file_size(log, none) == 0);
}

}  // namespace
}  // namespace ssn::qkdn::etsi014
