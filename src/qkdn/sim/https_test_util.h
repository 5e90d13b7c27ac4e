// SPDX-License-Identifier: LGPL-2.1-or-later
// https_test_util.h - a folder with certificates, clients, and running simulations for tests over real TLS.

#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "pki/certificate_authority.h"
#include "qkdn/etsi014/objects.h"
#include "qkdn/sim/simulation.h"
#include "qkdn/sim/test_util.h"

namespace ssn::qkdn::sim {

// A port that was free a moment ago, for addresses that a configuration must name beforehand.
inline std::uint16_t FreePort() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(0, bind(probe, reinterpret_cast<sockaddr*>(&address), size));
  EXPECT_EQ(0, getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size));
  close(probe);
  return ntohs(address.sin_port);
}

// Waits for `condition`, half a minute at most.
inline bool Eventually(auto condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class HttpsTest : public testing::Test {
 protected:
  HttpsTest() {
    std::string name = testing::TempDir() + "qkdn-sim-XXXXXX";
    folder_ = mkdtemp(name.data());
    authority_ = pki::CertificateAuthority::Make("test root", 2).value();
    for (const std::string node : {"a", "b", "c"}) {
      Issue(*authority_, "kme-" + node);
      Issue(*authority_, "sae-" + node);
    }
    EXPECT_TRUE(authority_->Save(folder_).ok());
  }
  ~HttpsTest() override { std::filesystem::remove_all(folder_); }

  void Issue(pki::CertificateAuthority& authority, const std::string& name) {
    EXPECT_TRUE(authority.Issue(name, {"127.0.0.1"}, 1, In(name + ".crt"), In(name + ".key")).ok());
  }

  std::string In(const std::string& name) const { return folder_ + "/" + name; }

  std::unique_ptr<Simulation> Start(const std::string& toml, const std::string& only_node = "") {
    auto made = Simulation::Make(TestConfig(toml, folder_), only_node, Address{"127.0.0.1", 0});
    EXPECT_TRUE(made.ok()) << made.status().message();
    const Status started = made.value()->Start();
    EXPECT_TRUE(started.ok()) << started.message();
    return std::move(made).value();
  }

  std::unique_ptr<httplib::SSLClient> Client(std::uint16_t port, const std::string& certificate) {
    auto client = std::make_unique<httplib::SSLClient>("127.0.0.1", port, In(certificate + ".crt"),
                                                       In(certificate + ".key"));
    client->set_ca_cert_path(In("ca.crt"));
    client->set_keep_alive(true);
    client->set_read_timeout(20);
    return client;
  }

  static std::string EncUrl(const std::string& slave) { return "/api/v1/keys/sae-" + slave + "/enc_keys"; }
  static std::string DecUrl(const std::string& master) { return "/api/v1/keys/sae-" + master + "/dec_keys"; }

  static etsi014::Keys KeysOf(const httplib::Result& answer) {
    if (!answer) {
      ADD_FAILURE() << "no answer: " << httplib::to_string(answer.error());
      return {};
    }
    EXPECT_EQ(200, answer->status) << answer->body;
    EXPECT_EQ("application/json", answer->get_header_value("Content-Type"));
    Result<etsi014::Keys> keys = etsi014::ParseKeys(answer->body);
    EXPECT_TRUE(keys.ok());
    return keys.ok() ? std::move(keys).value() : etsi014::Keys();
  }

  static void ExpectError(int status, const std::string& message, const httplib::Result& answer) {
    ASSERT_TRUE(answer) << httplib::to_string(answer.error());
    EXPECT_EQ(status, answer->status);
    EXPECT_EQ("application/json", answer->get_header_value("Content-Type"));
    EXPECT_EQ(message, etsi014::ParseError(answer->body).message);
  }

  // True when keys that SAE `from` gets at its KME are the ones SAE `to` gets at the other.
  bool KeysPass(Simulation& at_from, const std::string& from, Simulation& at_to, const std::string& to) {
    const auto master = Client(at_from.kme_port(from), "sae-" + from);
    const auto slave = Client(at_to.kme_port(to), "sae-" + to);
    const httplib::Result answer = master->Post(EncUrl(to), R"({"number": 2})", "application/json");
    if (!answer || answer->status != 200) return false;
    const etsi014::Keys keys = KeysOf(answer);
    const etsi014::Keys copy =
        KeysOf(slave->Post(DecUrl(from), etsi014::FormatKeyIds(keys.ids), "application/json"));
    return copy.ids == keys.ids && std::ranges::equal(copy.material.span(), keys.material.span());
  }

  std::string folder_;
  std::unique_ptr<pki::CertificateAuthority> authority_;
};

}  // namespace ssn::qkdn::sim
