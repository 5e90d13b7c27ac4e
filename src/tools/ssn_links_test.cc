// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_links.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ssn::tools {
namespace {

constexpr const char* kNodeZero = R"({"programs":[
{"name":"osd.0","pid":70,"attached":5,"peers":[
 {"peer":1,"name":"node-1","sessions":2,"tx_used":3145728,"rx_used":100},
 {"peer":12,"name":"node-12","sessions":1,"tx_used":9,"rx_used":2048}]},
{"name":"ssn-links","pid":71,"attached":0,"peers":[]}],"programs_left_out":0})";
constexpr const char* kNodeOne =
    R"({"programs":[{"name":"mon.a","pid":80,"attached":1,"peers":[]}],"programs_left_out":0})";
constexpr const char* kNodeTwo = R"({"programs":[],"programs_left_out":3})";

TEST(SsnLinks, TableHasALineForEachPeerOfEachProgram) {
  const Result<std::string> table = FormatLinks({kNodeZero, kNodeOne, kNodeTwo});
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(
      "PROGRAM  PID  PEER          SESSIONS BY   NUMBER  PAD OUT   PAD IN\n"
      "osd.0    70   node-1 (1)    one-time pad       2  3.0 MiB    100 B\n"
      "              node-12 (12)  one-time pad       1      9 B  2.0 KiB\n"
      "              this node     AES-128-GCM        2        -        -\n"
      "mon.a    80   this node     AES-128-GCM        1        -        -\n"
      "and 3 more programs\n",
      table.value());
}

TEST(SsnLinks, AnswerThatIsNoStatusIsAnError) {
  for (const char* text : {"", "{}", "[]", R"({"programs":7,"programs_left_out":0})"}) {
    EXPECT_EQ(Status::Code::kCorrupt, FormatLinks({text}).status().code()) << text;
    EXPECT_EQ(Status::Code::kCorrupt, FindUnprotected({}, {text}).status().code()) << text;
  }
}

TEST(SsnLinks, ADaemonThatNoProxyKnowsIsNotProtected) {
  const auto found = FindUnprotected({{"mon.a", 80}, {"osd.0", 70}, {"osd.1", 81}}, {kNodeZero, kNodeOne});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(1u, found.value().size());
  EXPECT_EQ("osd.1", found.value()[0].name);
}

TEST(SsnLinks, AListThatIsCutShortProvesNothing) {
  EXPECT_EQ("a proxy has 3 programs more than it lists",
            FindUnprotected({{"osd.1", 81}}, {kNodeZero, kNodeTwo}).status().message());
}

class AdminSocket {
 public:
  explicit AdminSocket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(0, bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    EXPECT_EQ(0, listen(fd_, 1));
  }
  ~AdminSocket() { close(fd_); }
  AdminSocket(const AdminSocket&) = delete;
  AdminSocket& operator=(const AdminSocket&) = delete;

 private:
  const int fd_ = socket(AF_UNIX, SOCK_STREAM, 0);
};

TEST(CephDaemons, AreThoseThatListen) {
  const std::string folder = testing::TempDir() + "run" + std::to_string(getpid());
  std::filesystem::create_directory(folder);
  const AdminSocket osd(folder + "/ceph-osd.3.asok");
  const AdminSocket mon(folder + "/my-ceph-mon.a.b.asok");
  const AdminSocket client(folder + "/ceph-client.admin.77.asok");
  { const AdminSocket left_over(folder + "/ceph-osd.4.asok"); }
  std::ofstream(folder + "/ceph-osd.5.asok") << "no socket";
  const auto daemons = RunningDaemons(folder);
  ASSERT_TRUE(daemons.ok());
  ASSERT_EQ(2u, daemons.value().size());
  EXPECT_EQ("mon.a.b", daemons.value()[0].name);
  EXPECT_EQ("osd.3", daemons.value()[1].name);
  EXPECT_EQ(getpid(), daemons.value()[1].pid);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(folder + ": No such file or directory", RunningDaemons(folder).status().message());
}

}  // namespace
}  // namespace ssn::tools
