// SPDX-License-Identifier: LGPL-2.1-or-later
// test_node.h - qkdn-proxies for tests: each in a thread of this process, with real sockets, real TLS, and
// KMEs in memory; and a program that speaks the north protocol by itself.
//
// Threads:   a TestNode is used by one; its proxy runs in another.

#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "pki/certificate_authority.h"
#include "qkdn/protocol/north.h"
#include "qkdn/proxy/proxy.h"
#include "qkdn/proxy/test_kmes.h"
#include "ssn/pad_client.h"

namespace ssn::qkdn::proxy {

template <typename Condition>
bool Soon(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// A folder with a certificate authority and the certificates of nodes.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();

  // Certificate writes NAME.crt and NAME.key, by the authority the proxies trust, or by a stranger.
  void Certificate(const std::string& name, const std::string& common_name, bool by_stranger = false);
  void Revoke(const std::string& name);
  TlsFiles Tls(const std::string& certificate) const;
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<pki::CertificateAuthority> authority_;
  std::unique_ptr<pki::CertificateAuthority> stranger_;
};

class TestNode {
 public:
  // Node `id` of a network of two, 0 and 1. Change `config` before Start.
  TestNode(NodeId id, TestFolder& folder, TestKmes& kmes);
  ~TestNode() { Stop(); }

  void Start();
  void Stop();
  bool running() const { return proxy_ != nullptr; }
  Proxy& proxy() { return *proxy_; }
  Snapshot Look();
  const LinkSnapshot Link() { return Look().links.at(0); }
  bool up() { return Link().up; }
  // The books of both ordered pairs of the one link.
  void ExpectReconciled();
  std::shared_ptr<PadClient> Client(const std::string& program = "test");

  Config config;

 private:
  TestKmes& kmes_;
  std::unique_ptr<Proxy> proxy_;
  std::thread thread_;
};

// A local program that does what the test says, right or wrong.
class TestProgram {
 public:
  explicit TestProgram(const std::string& socket_path);
  ~TestProgram();
  TestProgram(const TestProgram&) = delete;
  TestProgram& operator=(const TestProgram&) = delete;

  // Greet sends Hello and maps the window.
  void Greet(std::uint64_t window_bytes = std::uint64_t{16} << 20, const std::string& name = "test");
  void Send(const north::FromProgram& message) { SendRaw(north::Encode(message)); }
  void SendRaw(ByteSpan datagram);
  // Nothing: the proxy closed the connection. No message in ten seconds is a failure of the test.
  std::optional<north::FromProxy> Receive();
  template <typename T>
  T Expect() {
    const std::optional<north::FromProxy> message = Receive();
    const T* const expected = message ? std::get_if<T>(&*message) : nullptr;
    EXPECT_NE(nullptr, expected) << (message ? "message " + std::to_string(message->index()) : "closed");
    return expected == nullptr ? T{} : *expected;
  }
  void ExpectRefusedAndClosed(north::Refusal reason);
  ByteSpan At(const north::Grant& grant) const { return {window_ + grant.window_offset, grant.length}; }
  int descriptor() const { return socket_; }
  void Disconnect();

 private:
  int socket_ = -1;
  std::uint8_t* window_ = nullptr;
  std::uint64_t window_bytes_ = 0;
};

StreamId Id(std::uint8_t number);

}  // namespace ssn::qkdn::proxy
