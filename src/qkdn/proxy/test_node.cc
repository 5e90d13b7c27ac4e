// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/test_node.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace ssn::qkdn::proxy {

TestFolder::TestFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "ssn-proxy-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  chmod(folder_.c_str(), 0755);
  auto authority = pki::CertificateAuthority::Make("test network", 1);
  auto stranger = pki::CertificateAuthority::Make("another network", 1);
  EXPECT_TRUE(authority.ok() && stranger.ok());
  authority_ = std::move(authority).value();
  stranger_ = std::move(stranger).value();
  EXPECT_TRUE(authority_->Save(folder_.string()).ok());
}

TestFolder::~TestFolder() { std::filesystem::remove_all(folder_); }

void TestFolder::Certificate(const std::string& name, const std::string& common_name, bool by_stranger) {
  const Status issued = (by_stranger ? stranger_ : authority_)
                            ->Issue(common_name, {"127.0.0.1"}, 1, Path(name + ".crt"), Path(name + ".key"));
  EXPECT_TRUE(issued.ok()) << issued.message();
}

void TestFolder::Revoke(const std::string& name) {
  EXPECT_TRUE(authority_->Revoke(Path(name + ".crt")).ok());
  EXPECT_TRUE(authority_->Save(folder_.string()).ok());
}

TlsFiles TestFolder::Tls(const std::string& certificate) const {
  return {Path("ca.crt"), Path("ca.crl"), Path(certificate + ".crt"), Path(certificate + ".key")};
}

TestNode::TestNode(NodeId id, TestFolder& folder, TestKmes& kmes) : kmes_(kmes) {
  const std::string name = "node-" + std::to_string(id);
  const NodeId peer = 1 - id;
  folder.Certificate(name, name);
  config.id = id;
  config.name = name;
  config.peers_tls = folder.Tls(name);
  config.peers_listen = {"127.0.0.1", 0};
  config.socket = folder.Path(name + ".sock");
  config.audit_file = folder.Path(name + ".audit");
  config.require_lock = false;
  config.max_memory = std::uint64_t{64} << 20;
  config.capacity = std::uint64_t{4} << 20;
  config.low = config.capacity / 2;
  config.high = config.capacity / 10 * 9;
  config.reserve = std::uint64_t{64} << 10;
  config.peers = {{peer, "node-" + std::to_string(peer), {"127.0.0.1", 1}, "sae-" + std::to_string(peer)}};
}

void TestNode::Start() {
  const std::string own_sae = "sae-" + std::to_string(config.id);
  auto made = Proxy::Make(config, [this, own_sae](const Config::Peer&) -> MakeKmeClient {
    return [this, own_sae]() -> Result<std::unique_ptr<etsi014::KmeClient>> { return kmes_.Client(own_sae); };
  });
  ASSERT_TRUE(made.ok()) << made.status().message();
  proxy_ = std::move(made).value();
  config.peers_listen.port = proxy_->peers_port();  // the same after a restart
  thread_ = std::thread([this] { proxy_->Run(); });
}

void TestNode::Stop() {
  if (!proxy_) return;
  proxy_->Stop();
  thread_.join();
  proxy_.reset();
}

Snapshot TestNode::Look() {
  const std::optional<Snapshot> snapshot = proxy_->TakeSnapshot();
  EXPECT_TRUE(snapshot.has_value()) << "the event loop does not answer";
  return snapshot.value_or(Snapshot{});
}

void TestNode::ExpectReconciled() {
  const Snapshot snapshot = Look();
  for (const LinkSnapshot& link : snapshot.links)
    for (const PairSnapshot& pair : {link.tx, link.rx})
      EXPECT_EQ(pair.fetched, pair.used + pair.burnt_total() + pair.held())
          << "at node " << config.id << ", pair " << pair.from << ">" << pair.to << ": used " << pair.used
          << ", burnt " << pair.burnt_total() << ", reservoir " << pair.agreed << ", pending " << pair.pending
          << ", windows " << pair.windows;
}

std::shared_ptr<PadClient> TestNode::Client(const std::string& program) {
  PadClient::Options options;
  options.socket_path = config.socket;
  options.program = program;
  options.window_bytes = std::size_t{16} << 20;
  auto client = PadClient::Make(options);
  EXPECT_TRUE(client.ok()) << client.status().message();
  return std::move(client).value();
}

TestProgram::TestProgram(const std::string& socket_path)
    : socket_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(0, connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address))
      << std::strerror(errno);
}

TestProgram::~TestProgram() {
  Disconnect();
  if (window_ != nullptr) munmap(window_, window_bytes_);
}

void TestProgram::Disconnect() {
  if (socket_ >= 0) close(std::exchange(socket_, -1));
}

void TestProgram::SendRaw(ByteSpan datagram) {
  EXPECT_EQ(static_cast<ssize_t>(datagram.size()),
            send(socket_, datagram.data(), datagram.size(), MSG_NOSIGNAL));
}

std::optional<north::FromProxy> TestProgram::Receive() {
  pollfd ready{socket_, POLLIN, 0};
  EXPECT_EQ(1, poll(&ready, 1, 10000)) << "no message";
  std::vector<std::uint8_t> buffer(north::kMaxMessageBytes);
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(socket_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got <= 0) return std::nullopt;
  const auto decoded = north::DecodeFromProxy(ByteSpan(buffer).first(static_cast<std::size_t>(got)));
  EXPECT_TRUE(decoded.ok()) << decoded.status().message();
  if (!decoded.ok()) return std::nullopt;
  if (const auto* welcome = std::get_if<north::Welcome>(&decoded.value())) {
    int window = -1;
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message))
      std::memcpy(&window, CMSG_DATA(header), sizeof window);
    window_bytes_ = welcome->window_bytes;
    void* mapped = mmap(nullptr, window_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, window, 0);
    EXPECT_NE(MAP_FAILED, mapped);
    window_ = static_cast<std::uint8_t*>(mapped);
    close(window);
  }
  return decoded.value();
}

void TestProgram::Greet(std::uint64_t window_bytes, const std::string& name) {
  Send(north::Hello{window_bytes, name});
  Expect<north::Welcome>();
}

void TestProgram::ExpectRefusedAndClosed(north::Refusal reason) {
  const auto refused = Expect<north::Refused>();
  EXPECT_EQ(reason, refused.reason) << refused.message;
  EXPECT_NE("", refused.message);
  EXPECT_FALSE(Receive().has_value());
}

StreamId Id(std::uint8_t number) {
  StreamId id{};
  id[0] = 0x5d;
  id[15] = number;
  return id;
}

}  // namespace ssn::qkdn::proxy
