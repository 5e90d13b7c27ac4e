// SPDX-License-Identifier: LGPL-2.1-or-later
// The program itself: its output, exit codes, end, and two processes that hold one node each.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "qkdn/sim/https_test_util.h"
#include "qkdn/sim/manager_view.h"

namespace ssn::qkdn::sim {
namespace {

constexpr int kPatienceMs = 30000;

// A child process whose output is read; it is ended by its id when the test ends.
class Program {
 public:
  Program(std::vector<std::string> arguments, const std::string& folder) {
    int ends[2];
    EXPECT_EQ(0, pipe2(ends, O_CLOEXEC));
    std::vector<char*> argv = {const_cast<char*>(SSN_QKDN_SIM)};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
      setrlimit(RLIMIT_CORE, &unlimited);
      const bool ready = chdir(folder.c_str()) == 0 && dup2(ends[1], STDOUT_FILENO) >= 0 &&
                         dup2(ends[1], STDERR_FILENO) >= 0;
      if (ready) execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    output_ = ends[0];
  }
  ~Program() {
    if (pid_ > 0) Finish(SIGKILL);
    close(output_);
  }

  // Reads lines until `last` or the end.
  std::vector<std::string> ReadTo(const std::string& last) {
    std::vector<std::string> lines;
    std::string line;
    pollfd waiting = {output_, POLLIN, 0};
    for (char c = 0; poll(&waiting, 1, kPatienceMs) == 1 && read(output_, &c, 1) == 1;) {
      if (c != '\n') {
        line += c;
        continue;
      }
      lines.push_back(line);
      if (line == last) break;
      line.clear();
    }
    return lines;
  }

  // Sends a signal (0: none) and gives the status of waitpid.
  int Finish(int signal) {
    if (signal != 0) kill(pid_, signal);
    int status = 0;
    EXPECT_EQ(pid_, waitpid(pid_, &status, 0));
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

class ProgramTest : public HttpsTest {
 protected:
  std::string WriteConfig(const std::string& toml) {
    std::ofstream(In("sim.toml")) << toml;
    return In("sim.toml");
  }

  static std::uint16_t PortIn(const std::vector<std::string>& lines, const std::string& who) {
    for (const std::string& line : lines) {
      if (line.starts_with(who + " listens at 127.0.0.1:"))
        return static_cast<std::uint16_t>(std::stoi(line.substr(line.find(':') + 1)));
    }
    ADD_FAILURE() << "no port of " << who;
    return 0;
  }

  void ExpectEnd(int code, const std::string& output, std::vector<std::string> arguments) {
    Program program(std::move(arguments), folder_);
    const std::vector<std::string> lines = program.ReadTo("");
    const int status = program.Finish(0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == code) << status;
    EXPECT_EQ(output, lines.empty() ? "" : lines.back());
  }
};

TEST_F(ProgramTest, TwoProcessesServeEqualKeysAndEndCleanlyByASignal) {
  std::string toml = NetworkToml("ab", {{"a", "b"}});
  for (const std::string node : {"a", "b"})
    toml.insert(toml.find("kme_id = \"kme-" + node),
                "kx_listen = \"127.0.0.1:" + std::to_string(FreePort()) + "\"\n");
  const std::string config = WriteConfig(toml);
  Program a({config, "--node", "a", "--manager", "127.0.0.1:0"}, folder_);
  Program b({config, "--node", "b"}, folder_);
  const std::vector<std::string> lines_a = a.ReadTo("ready");
  const std::vector<std::string> lines_b = b.ReadTo("ready");
  ASSERT_FALSE(lines_a.empty() || lines_b.empty());
  EXPECT_EQ(kSimulationNotice, lines_a.front());
  EXPECT_EQ("ready", lines_a.back());

  const auto master = Client(PortIn(lines_a, "kme-a"), "sae-a");
  const auto slave = Client(PortIn(lines_b, "kme-b"), "sae-b");
  const etsi014::Keys keys = KeysOf(master->Get(EncUrl("b") + "?number=4"));
  const etsi014::Keys copy =
      KeysOf(slave->Post(DecUrl("a"), etsi014::FormatKeyIds(keys.ids), "application/json"));
  EXPECT_TRUE(std::ranges::equal(keys.material.span(), copy.material.span()));
  httplib::Client manager("127.0.0.1", PortIn(lines_a, "manager"));
  EXPECT_NE(std::string::npos, manager.Get("/metrics")->body.find("qkdn_sim_link_up{link=\"a-b\"} 1"));

  EXPECT_EQ(0, a.Finish(SIGTERM));
  EXPECT_EQ(0, b.Finish(SIGINT));
}

TEST_F(ProgramTest, ItLeavesNoCoreBehind) {
  Program program({WriteConfig(NetworkToml("a", {}))}, folder_);
  ASSERT_EQ("ready", program.ReadTo("ready").back());
  const int status = program.Finish(SIGABRT);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(WCOREDUMP(status));
}

TEST_F(ProgramTest, ConfigurationsAreCheckedWithTheirCertificates) {
  const std::string config = WriteConfig(NetworkToml("ab", {{"a", "b"}}));
  ExpectEnd(0, config + ": ok", {config, "--check-config"});
  ExpectEnd(2, "qkdn-sim: node=\"z\" is not in the configuration", {config, "--check-config", "--node", "z"});
  std::filesystem::remove(In("kme-b.crt"));
  ExpectEnd(2, "qkdn-sim: node \"b\": certificate=\"" + In("kme-b.crt") + "\": No such file or directory",
            {config, "--check-config"});
  WriteConfig("colour = 1\n");
  ExpectEnd(2, "qkdn-sim: " + config + ": colour: there is no such key", {config});
}

TEST_F(ProgramTest, WrongArgumentsAreNamed) {
  ExpectEnd(2, "qkdn-sim: CONFIG is missing; see qkdn-sim --help", {});
  ExpectEnd(2, "qkdn-sim: nodes=0 is outside 1..99", {"init", In("net"), "--nodes", "0"});
  const std::string config = WriteConfig(NetworkToml("a", {}));
  ExpectEnd(2, "qkdn-sim: --manager=0.0.0.0:1 is not a loopback address", {config, "--manager", "0.0.0.0:1"});
  ExpectEnd(2, "qkdn-sim: --manager=here: an address is IPV4:PORT or [IPV6]:PORT with a port in 0..65535",
            {config, "--manager", "here"});
}

TEST_F(ProgramTest, InitWritesWhatTheProgramRuns) {
  ExpectEnd(0, "", {"init", In("net"), "--nodes", "2", "--topology", "line", "--rate", "1Mbit/s"});
  ExpectEnd(0, In("net/qkdn-sim.toml") + ": ok", {In("net/qkdn-sim.toml"), "--check-config"});
}

}  // namespace
}  // namespace ssn::qkdn::sim
