// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_links.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tools/admin_socket.h"

namespace ssn::tools {
namespace {

constexpr const char* kNodeZero = R"({"programs":[
{"name":"osd.0","pid":70,"attached":5,"peers":[
 {"peer":1,"name":"node-1","sessions":2,"tx_used":3145728,"rx_used":100},
 {"peer":12,"name":"node-12","sessions":1,"tx_used":9,"rx_used":2048}]},
{"name":"osd.2","pid":82,"attached":0,"peers":[]}],"programs_left_out":0})";
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

TEST(SsnLinks, ADaemonWithoutAnAttachedSessionIsNotProtected) {
  const auto found =
      FindUnprotected({{"mon.a", 80}, {"osd.0", 70}, {"osd.1", 81}, {"osd.2", 82}}, {kNodeZero, kNodeOne});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(2u, found.value().size());
  EXPECT_EQ("osd.1", found.value()[0].name) << "no proxy knows it";
  EXPECT_EQ("osd.2", found.value()[1].name) << "it is connected, for another purpose";
}

TEST(SsnLinks, AListThatIsCutShortProvesNothing) {
  EXPECT_EQ("a proxy has 3 programs more than it lists",
            FindUnprotected({{"osd.1", 81}}, {kNodeZero, kNodeTwo}).status().message());
}

TEST(SsnLinks, EveryModeHasToBeSecureAlone) {
  const std::string begin = R"({"name":"osd.0","ms_cluster_mode":"secure","ms_service_mode":"secure",)";
  const std::string end = R"("ms_mon_cluster_mode":"secure","ms_mon_service_mode":"secure",)"
                          R"("ms_mon_client_mode":"secure"})";
  EXPECT_EQ("", NotSecureOnly(begin + R"("ms_client_mode":"secure",)" + end).value());
  EXPECT_EQ("ms_client_mode=crc secure",
            NotSecureOnly(begin + R"("ms_client_mode":"crc secure",)" + end).value());
  EXPECT_EQ("ms_client_mode=secure crc",
            NotSecureOnly(begin + R"("ms_client_mode":"secure crc",)" + end).value());
  EXPECT_EQ(Status::Code::kCorrupt, NotSecureOnly(begin + end).status().code()) << "one is missing";
  EXPECT_EQ(Status::Code::kCorrupt, NotSecureOnly("").status().code());
}

TEST(SsnLinks, ADaemonListensByVersion2Alone) {
  const CephDaemon osd{"osd.0", 70};
  const CephDaemon mgr{"mgr.x", 71};
  const Listener v2{"127.0.0.1:6800", "ceph v2\n\x10"};
  const Listener v1{"127.0.0.1:6801", "ceph v027"};
  const Listener silent{"[::]:9283", ""};
  EXPECT_EQ("", NotVersion2Only(osd, {v2, v2}));
  EXPECT_EQ("no port of it can be seen", NotVersion2Only(osd, {}));
  EXPECT_EQ("it listens at 127.0.0.1:6801 by version 1 of the messenger, which encrypts nothing",
            NotVersion2Only(osd, {v2, v1}));
  EXPECT_EQ("it does not say at [::]:9283 by which version of the messenger it listens",
            NotVersion2Only(osd, {v2, silent}));
  EXPECT_EQ("", NotVersion2Only(mgr, {v2, silent}));
  EXPECT_NE("", NotVersion2Only(mgr, {silent, v1}));
}

TEST(AdminSocket, ADaemonWithoutOneIsNotAsked) {
  EXPECT_EQ("it has no admin socket", AskAdminSocket(getpid(), "{}").status().message());
}

// A shell by the name of a daemon, which waits for the end of its input.
class Daemon {
 public:
  Daemon(const std::string& name, const std::string& id, const std::string& conf) {
    const std::string file = testing::TempDir() + name;
    std::filesystem::copy_file("/bin/dash", file, std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(0, pipe2(input_, O_CLOEXEC));
    pid_ = fork();
    if (pid_ == 0) {
      dup2(input_[0], 0);
      execl(file.c_str(), file.c_str(), "-s", "--", "--id", id.c_str(), "--conf", conf.c_str(), nullptr);
      _exit(127);
    }
    close(input_[0]);
    std::string program;
    for (int tries = 0; tries < 5000 && program != name; ++tries) {
      std::getline(std::ifstream("/proc/" + std::to_string(pid_) + "/comm"), program);
      std::this_thread::yield();
    }
  }
  ~Daemon() {
    close(input_[1]);
    waitpid(pid_, nullptr, 0);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  pid_t pid() const { return pid_; }

 private:
  int input_[2] = {};
  pid_t pid_ = 0;
};

TEST(CephDaemons, AreProcessesOfTheirNames) {
  const std::string conf = testing::TempDir() + std::to_string(getpid()) + ".conf";
  const Daemon osd("ceph-osd", "3", conf);
  const Daemon mon("ceph-mon", "a", conf);
  const Daemon another("ceph-mgr", "x", conf + ".another");
  const Daemon none("ceph-fuse", "y", conf);
  const std::vector<CephDaemon> daemons = RunningDaemons(conf);
  ASSERT_EQ(2u, daemons.size());
  EXPECT_EQ("mon.a", daemons[0].name);
  EXPECT_EQ(mon.pid(), daemons[0].pid);
  EXPECT_EQ("osd.3", daemons[1].name);
  EXPECT_EQ(osd.pid(), daemons[1].pid);
  const std::vector<CephDaemon> all = RunningDaemons("");
  EXPECT_EQ(1, std::ranges::count(all, another.pid(), &CephDaemon::pid));
  EXPECT_EQ(0, std::ranges::count(all, none.pid(), &CephDaemon::pid));
}

}  // namespace
}  // namespace ssn::tools
