// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/plugin_host.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace ssn::tools {
namespace {

using ceph::ErasureCodeInterface;
using ceph::ErasureCodeProfile;

std::string RandomContent(std::size_t size) {
  std::mt19937 generator(20230607);
  std::string content(size, '\0');
  std::ranges::generate(content, [&] { return static_cast<char>(generator()); });
  return content;
}

HostedPlugin LoadOrThrow(const std::string& name) {
  Result<HostedPlugin> plugin = HostedPlugin::Load(name, SSN_SYSTEM_PLUGIN_DIR);
  if (!plugin.ok()) throw std::runtime_error(plugin.status().message());
  return std::move(plugin).value();
}

// Encodes 48 KiB, loses the chunks `lost`, and wants both the stripe and the lost chunks back.
void ExpectSurvives(const std::string& name, const ErasureCodeProfile& profile, const std::set<int>& lost) {
  auto made = LoadOrThrow(name).Instantiate(profile);
  ASSERT_TRUE(made.ok()) << made.status().message();
  ErasureCodeInterface& code = *made.value();

  std::set<int> all;
  for (unsigned i = 0; i < code.get_chunk_count(); ++i) all.insert(static_cast<int>(i));
  const std::string content = RandomContent(48 * 1024);
  ceph::buffer::list stripe;
  stripe.append(content);
  ErasureCodeInterface::Chunks chunks;
  ASSERT_EQ(code.encode(all, stripe, &chunks), 0);
  ASSERT_EQ(chunks.size(), code.get_chunk_count());

  ErasureCodeInterface::Chunks left = chunks;
  for (int chunk : lost) left.erase(chunk);
  ErasureCodeInterface::Chunks rebuilt;
  ASSERT_EQ(code.decode(all, left, &rebuilt, 0), 0);
  for (int chunk : lost) EXPECT_TRUE(rebuilt.at(chunk).contents_equal(chunks.at(chunk))) << "chunk " << chunk;

  ceph::buffer::list read;
  ASSERT_EQ(code.decode_concat(left, &read), 0);
  EXPECT_TRUE(read.to_str().starts_with(content));
}

TEST(PluginHost, IsaLosesTwoOfFiveChunks) { ExpectSurvives("isa", {{"k", "3"}, {"m", "2"}}, {0, 3}); }

TEST(PluginHost, JerasureLosesTwoOfFiveChunks) {
  ExpectSurvives("jerasure", {{"technique", "reed_sol_van"}, {"k", "3"}, {"m", "2"}}, {1, 2});
}

TEST(PluginHost, LrcGetsItsInnerCodesFromOurRegistry) {
  ExpectSurvives("lrc", {{"k", "4"}, {"m", "2"}, {"l", "3"}}, {0});
}

TEST(PluginHost, ClayGetsItsInnerCodesFromOurRegistry) {
  ExpectSurvives("clay", {{"k", "3"}, {"m", "2"}, {"d", "4"}}, {0, 4});
}

TEST(PluginHost, ShecLosesAChunk) { ExpectSurvives("shec", {{"k", "4"}, {"m", "3"}, {"c", "2"}}, {1}); }

TEST(PluginHost, AMissingPluginIsNamed) {
  const auto plugin = HostedPlugin::Load("nosuch", SSN_SYSTEM_PLUGIN_DIR);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.status().code(), Status::Code::kInvalidArgument);
  EXPECT_NE(plugin.status().message().find("libec_nosuch.so: cannot open"), std::string::npos)
      << plugin.status().message();
}

TEST(PluginHost, ABadProfileIsRefusedInThePluginsOwnWords) {
  const auto code = LoadOrThrow("isa").Instantiate({{"k", "3"}, {"m", "two"}});
  ASSERT_FALSE(code.ok());
  EXPECT_NE(code.status().message().find("plugin isa: "), std::string::npos) << code.status().message();
  EXPECT_NE(code.status().message().find("two"), std::string::npos) << code.status().message();
}

TEST(PluginHost, APluginIsLoadedFromOneDirectoryOnly) {
  LoadOrThrow("isa");
  const auto plugin = HostedPlugin::Load("isa", "/nowhere");
  ASSERT_FALSE(plugin.ok());
  EXPECT_NE(plugin.status().message().find("loaded from"), std::string::npos) << plugin.status().message();
}

TEST(PluginHost, TheInstalledPluginsAreOfTheVersionWeBuildFor) {
  const auto version = PluginVersion(SSN_SYSTEM_PLUGIN_DIR "/libec_isa.so");
  ASSERT_TRUE(version.ok()) << version.status().message();
  EXPECT_EQ(version.value(), SSN_CEPH_VERSION);
}

}  // namespace
}  // namespace ssn::tools
