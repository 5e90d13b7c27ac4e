// SPDX-License-Identifier: LGPL-2.1-or-later
// ssn: what an operator or a user of a secure storage network does by hand. Exit status: 0 done, 1 failed, 2
// wrong arguments.
#include <CLI/CLI.hpp>

#include "tools/ssn_keys.h"
#include "tools/ssn_links.h"

int main(int argc, char** argv) {
  CLI::App app{"Secure storage network", "ssn"};
  app.set_version_flag("--version", SSN_VERSION);
  app.require_subcommand(1);
  ssn::tools::KeysOptions keys_options;
  ssn::tools::LinksOptions links_options;
  const CLI::App* const keys = ssn::tools::AddKeys(app, keys_options);
  const CLI::App* const links = ssn::tools::AddLinks(app, links_options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kWrongUse = 2;
    return app.exit(error) == 0 ? 0 : kWrongUse;
  }
  if (keys->parsed()) return ssn::tools::RunKeys(keys_options);
  return links->parsed() ? ssn::tools::RunLinks(links_options) : 0;
}
