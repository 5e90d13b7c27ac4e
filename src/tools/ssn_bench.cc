// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench.h"

#include <array>
#include <cstdio>
#include <exception>

namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

int Report(const ssn::Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "ssn-bench: %s\n", status.message().c_str());
  return status.code() == ssn::Status::Code::kInvalidArgument ? kUsage : kFailed;
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Measures secret sharing, erasure-code plugins, the delivery of pad and its use on this machine.");
  app.name("ssn-bench");
  app.set_version_flag("--version", SSN_VERSION);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 measured, 1 failed, 2 wrong arguments. See ssn-bench(1).");
  const std::array commands = {ssn::tools::AddSplit(app),   ssn::tools::AddCombine(app),
                               ssn::tools::AddRebuild(app), ssn::tools::AddPlugin(app),
                               ssn::tools::AddPad(app),     ssn::tools::AddOtp(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  for (const ssn::tools::Subcommand& command : commands) {
    if (command.app->parsed()) return Report(command.run());
  }
  return kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ssn-bench: %s\n", error.what());
    return kFailed;
  }
}
