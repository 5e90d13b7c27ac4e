// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/audit_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <thread>

#include "qkdn/proxy/audit_line.h"

namespace ssn::qkdn::proxy {
namespace {

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLogTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ssn-audit-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    file_ = (folder_ / "audit.log").string();
  }
  ~AuditLogTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<AuditLog> Open() {
    Result<std::unique_ptr<AuditLog>> log = AuditLog::Open(file_);
    EXPECT_TRUE(log.ok()) << log.status().message();
    return std::move(log).value();
  }
  static AuditEvent Event(std::uint64_t bytes) {
    AuditEvent event;
    event.event = "grant";
    event.from = 1;
    event.to = 2;
    event.bytes = bytes;
    event.position = 4096;
    event.id = "00ff";
    event.outcome = "ok";
    return event;
  }
  void Write(int events) {
    const auto log = Open();
    for (int i = 0; i < events; ++i) log->Record(Event(static_cast<std::uint64_t>(i)));
  }
  std::string Text() const {
    std::ifstream in(file_);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::istringstream in(Text());
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  void Overwrite(const std::string& text) const { std::ofstream(file_, std::ios::trunc) << text; }
  std::string Fault() const {
    const Result<AuditSummary> verified = VerifyAuditLog(file_);
    return verified.ok() ? "" : verified.status().message();
  }
  template <typename Condition>
  static bool Soon(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::filesystem::path folder_;
  std::string file_;
};

TEST_F(AuditLogTest, EachEventIsOneJsonLineThatNamesTheHashOfTheLineBefore) {
  Write(3);
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(3u, lines.size());
  std::string prev(64, '0');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const nlohmann::json json = nlohmann::json::parse(lines[i]);
    EXPECT_EQ(10u, json.size());
    EXPECT_EQ(i + 1, json["seq"]);
    EXPECT_EQ("grant", json["event"]);
    EXPECT_EQ(1, json["from"]);
    EXPECT_EQ(2, json["to"]);
    EXPECT_EQ(i, json["bytes"]);
    EXPECT_EQ(4096, json["position"]);
    EXPECT_EQ("00ff", json["id"]);
    EXPECT_EQ("ok", json["outcome"]);
    EXPECT_EQ(prev, json["prev"]);
    EXPECT_TRUE(std::regex_match(json["time"].get<std::string>(),
                                 std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
    prev = AuditHash(lines[i]);
  }
  // The hash by a foreign program.
  EXPECT_EQ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", AuditHash("abc"));
}

TEST_F(AuditLogTest, ChainGoesOnAfterRestart) {
  Write(5);
  Write(5);
  const Result<AuditSummary> verified = VerifyAuditLog(file_);
  ASSERT_TRUE(verified.ok()) << verified.status().message();
  EXPECT_EQ(10u, verified.value().lines);
  EXPECT_EQ(1u, verified.value().first_seq);
  EXPECT_EQ(10u, verified.value().last_seq);
  EXPECT_EQ(AuditHash(Lines().back()), verified.value().last_hash);
}

TEST_F(AuditLogTest, ChangedRemovedAddedOrSwappedLinesAreFound) {
  Write(9);
  const std::vector<std::string> good = Lines();
  const auto fault_of = [&](const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    Overwrite(text);
    return Fault();
  };
  EXPECT_EQ("", fault_of(good));
  auto changed = good;
  changed[3].replace(changed[3].find("\"bytes\":3"), 9, "\"bytes\":4");
  EXPECT_NE(std::string::npos, fault_of(changed).find("line 5: it does not follow"));
  auto removed = good;
  removed.erase(removed.begin() + 4);
  EXPECT_NE(std::string::npos, fault_of(removed).find("line 5: it does not follow"));
  auto swapped = good;
  std::swap(swapped[1], swapped[2]);
  EXPECT_NE(std::string::npos, fault_of(swapped).find("line 2: it does not follow"));
  auto added = good;
  added.insert(added.begin() + 2, "{}");
  EXPECT_NE(std::string::npos, fault_of(added).find("line 3: not a line"));
  auto headless = good;
  headless.erase(headless.begin());
  EXPECT_EQ("", fault_of(headless)) << "a file may go on from another one";
}

TEST_F(AuditLogTest, RotatedFileGoesOnWithTheChain) {
  const auto log = Open();
  log->Record(Event(1));
  const auto size_of = [](const std::string& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    return error ? 0 : size;
  };
  ASSERT_TRUE(Soon([&] { return size_of(file_) > 0; })) << "written without being asked";
  std::filesystem::rename(file_, file_ + ".1");
  log->Reopen();
  ASSERT_TRUE(Soon([&] { return std::filesystem::exists(file_); }));
  log->Record(Event(2));
  ASSERT_TRUE(Soon([&] { return size_of(file_) > 0; }));
  const Result<AuditSummary> first = VerifyAuditLog(file_ + ".1");
  const Result<AuditSummary> second = VerifyAuditLog(file_);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first.value().last_hash, second.value().first_prev);
  EXPECT_EQ(2u, second.value().first_seq);
}

TEST_F(AuditLogTest, HalfALineAfterACrashIsCutOffAndSaidSo) {
  Write(2);
  Overwrite(Text() + R"({"seq":3,"time":"20)");
  EXPECT_NE(std::string::npos, Fault().find("line 3: not ended"));
  Write(1);
  EXPECT_EQ("", Fault());
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(4u, lines.size());
  EXPECT_NE(std::string::npos, lines[2].find(R"("event":"recovered")"));
}

TEST_F(AuditLogTest, FileOfAnotherKindIsNotContinued) {
  Overwrite("this is no audit log\n");
  EXPECT_EQ(Status::Code::kCorrupt, AuditLog::Open(file_).status().code());
  EXPECT_EQ(Status::Code::kUnavailable, AuditLog::Open("/nowhere/audit.log").status().code());
  EXPECT_EQ(Status::Code::kUnavailable, AuditLog::Open("/dev/null").status().code());
}

// While it lives no file may grow beyond `bytes`: for the log, a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AuditLogTest, FullDiskIsCountedAndWhatItCostIsWrittenLater) {
  const auto log = Open();
  log->Record(Event(1));
  ASSERT_TRUE(Soon([&] { return !Text().empty(); }));
  EXPECT_EQ(0u, log->failures());
  {
    const FullDisk full(std::filesystem::file_size(file_) + 100);  // the next line is written in part
    for (std::uint64_t i = 2; i < 5; ++i) log->Record(Event(i));
    ASSERT_TRUE(Soon([&] { return log->failures() > 1; }));
  }
  ASSERT_TRUE(Soon([&] { return Lines().size() == 4 && Text().ends_with('\n'); }));
  EXPECT_EQ("", Fault());
}

TEST_F(AuditLogTest, EventsBeyondWhatCanWaitAreCountedInTheLog) {
  const auto log = Open();
  log->Record(Event(1));
  ASSERT_TRUE(Soon([&] { return !Text().empty(); }));
  constexpr std::uint64_t kMore = 2 * AuditLog::kMaxWaitingBytes / 150;
  {
    const FullDisk full(std::filesystem::file_size(file_));
    log->Record(Event(2));
    ASSERT_TRUE(Soon([&] { return log->failures() > 0; }));
    for (std::uint64_t i = 0; i < kMore; ++i) log->Record(Event(i));
  }
  const auto lost_line = [&]() -> std::string {
    for (const std::string& line : Lines())
      if (line.find(R"("event":"lost")") != std::string::npos) return line;
    return "";
  };
  ASSERT_TRUE(Soon([&] { return !lost_line().empty(); }));
  EXPECT_EQ("", Fault());
  EXPECT_EQ(kMore + 2, Lines().size() - 1 + nlohmann::json::parse(lost_line())["bytes"].get<std::uint64_t>());
}

TEST_F(AuditLogTest, FileThatCannotBeReopenedIsCountedAndTheOldOneKept) {
  const auto log = Open();
  log->Record(Event(1));
  ASSERT_TRUE(Soon([&] { return !Text().empty(); }));
  std::filesystem::remove(file_);
  std::filesystem::create_directory(file_);  // cannot be opened as a file
  log->Reopen();
  ASSERT_TRUE(Soon([&] { return log->failures() > 0; }));
  log->Record(Event(2));
  std::filesystem::remove(file_);
  log->Reopen();
  ASSERT_TRUE(Soon([&] { return std::filesystem::exists(file_); }));
  log->Record(Event(3));
  ASSERT_TRUE(Soon([&] { return !Text().empty(); }));
  EXPECT_EQ("", Fault());
}

TEST_F(AuditLogTest, IdsFromOutsideCannotForgeALine) {
  AuditEvent event = Event(1);
  event.id = "x\",\"prev\":\"\n{\"seq\":1\\";
  {
    const auto log = Open();
    log->Record(event);
  }
  ASSERT_EQ(1u, Lines().size());
  EXPECT_EQ(10u, nlohmann::json::parse(Lines()[0]).size());
  EXPECT_EQ("", Fault());
}

TEST_F(AuditLogTest, FileIsReadableByItsOwnerOnly) {
  Write(1);
  struct stat info {};
  ASSERT_EQ(0, stat(file_.c_str(), &info));
  EXPECT_EQ(0600u, info.st_mode & 0777u);
}

}  // namespace
}  // namespace ssn::qkdn::proxy
