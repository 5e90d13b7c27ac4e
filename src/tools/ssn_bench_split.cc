// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench.h"
#include "tools/ssn_bench_peers.h"
#include "tools/ssn_bench_sharing.h"

namespace ssn::tools {
namespace {

Result<std::vector<Subject>> Peers(const Workplace& place) {
  Result<std::vector<Subject>> own = WithOwnShamir(place, [&](auto shamir) {
    return Subject{
        "shamir",
        [&place, shamir] { return shamir->Split(place.secret().span(), place.shares(), place.random()); },
        "ours, with the same k, n and random source"};
  });
  if (!own.ok()) return own;
  std::vector<Subject> peers = std::move(own).value();
  if (place.params().l == 1) {
    if (Status status = CheckGfshare(place); !status.ok()) return status;
    peers.push_back(GfshareSplit(place));
  }
  peers.push_back(IsalSplit(place, false));
  peers.push_back(IsalSplit(place, true));
  peers.push_back(MemoryCopy(place, place.secret().size()));
  return peers;
}

Status Check(const Workplace& place) {
  if (Status status = place.sharing().Combine(place.LastShares(), place.output().span()); !status.ok())
    return status;
  return ExpectEqual(place.output().span(), place.secret().span(), "the shares do not combine to the secret");
}

Status Run(const SharingOptions& options) {
  const auto made = Workplace::Make(options);
  if (!made.ok()) return made.status();
  const Workplace& place = *made.value();
  const SharingWork work = {"split",
                            {"ssn", [&place] { return place.Split(); }, "with its random source"},
                            [&place] { return Check(place); },
                            [&place] { return Peers(place); }};
  return RunSharing(work, options, place);
}

}  // namespace

Subcommand AddSplit(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("split", "A secret into n shares");
  auto options = std::make_shared<SharingOptions>();
  AddSharingOptions(*app, *options);
  return {app, [options] { return Run(*options); }};
}

}  // namespace ssn::tools
