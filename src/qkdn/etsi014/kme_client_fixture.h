// SPDX-License-Identifier: LGPL-2.1-or-later
// kme_client_fixture.h - what the client's tests share: certificates of both sides, a KME, a client for it.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "qkdn/etsi014/kme_client.h"
#include "qkdn/etsi014/test_certificates.h"
#include "qkdn/etsi014/test_kme.h"

namespace ssn::qkdn::etsi014 {

inline constexpr char kKmeId[] = "KME_A";
inline constexpr char kSaeId[] = "SAE_A";

// Keys whose bytes say which one they are.
inline Keys TestKeys(const std::vector<std::string>& ids, std::size_t key_bytes) {
  Keys keys{ids, key_bytes, SecretBytes(ids.size() * key_bytes)};
  for (std::size_t i = 0; i < keys.material.size(); ++i)
    keys.material.data()[i] = static_cast<std::uint8_t>(ids[i / key_bytes].back());
  return keys;
}

inline TestReply Reply(int status, std::string body) {
  TestReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

// What `result` says when it is an error; a value fails the test.
template <typename T>
KmeError ErrorOf(const KmeResult<T>& result) {
  const KmeError* const error = std::get_if<KmeError>(&result);
  EXPECT_NE(nullptr, error) << "an answer, where an error should be";
  return error == nullptr ? KmeError{} : *error;
}

// For messages: empty when there is a value.
template <typename T>
std::string WordsOf(const KmeResult<T>& result) {
  const KmeError* const error = std::get_if<KmeError>(&result);
  return error == nullptr ? "" : error->message;
}

inline ::testing::AssertionResult Has(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << '"' << text << "\" does not hold \"" << part << '"';
}

class KmeClientTest : public ::testing::Test {
 protected:
  using Action = KmeError::Action;

  TestKme::Options ServerOptions() const { return {kme_.certificate_file, kme_.key_file, authority_.file()}; }

  KmeClient::Options ClientOptions(std::string url) const {
    KmeClient::Options options;
    options.url = std::move(url);
    options.kme_id = kKmeId;
    options.ca_file = authority_.file();
    options.certificate_file = sae_.certificate_file;
    options.key_file = sae_.key_file;
    return options;
  }

  static std::unique_ptr<KmeClient> Connect(const KmeClient::Options& options) {
    auto client = KmeClient::Make(options);
    EXPECT_TRUE(client.ok()) << client.status().message();
    return std::move(client).value();
  }

  // Starts a KME that answers everything with `handler`, and a client for it.
  void Serve(TestKme::Handler handler) {
    kme_server_ = std::make_unique<TestKme>(ServerOptions(), std::move(handler));
    client_ = Connect(ClientOptions(kme_server_->url()));
  }
  void Serve(int status, std::string body) {
    Serve([reply = Reply(status, std::move(body))](const TestRequest&) { return reply; });
  }

  const TestDirectory directory_;
  const TestAuthority authority_{directory_, "authority"};
  const TestCertificate kme_ = authority_.Issue(kKmeId, "IP:127.0.0.1");
  const TestCertificate sae_ = authority_.Issue(kSaeId);
  std::unique_ptr<TestKme> kme_server_;
  std::unique_ptr<KmeClient> client_;
};

}  // namespace ssn::qkdn::etsi014
