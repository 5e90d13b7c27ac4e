// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench.h"
#include "tools/ssn_bench_peers.h"
#include "tools/ssn_bench_sharing.h"

namespace ssn::tools {
namespace {

Subject Combine(std::string name, std::shared_ptr<const Sharing> sharing, const Workplace& place,
                std::string note) {
  return {std::move(name),
          [&place, sharing = std::move(sharing), shares = place.LastShares()] {
            return sharing->Combine(shares, place.output().span());
          },
          std::move(note)};
}

Result<std::vector<Subject>> Peers(const Workplace& place) {
  Result<std::vector<Subject>> own = WithOwnShamir(
      place, [&](auto shamir) { return Combine("shamir", shamir, place, "ours, with the same k and n"); });
  if (!own.ok()) return own;
  std::vector<Subject> peers = std::move(own).value();
  if (place.params().l == 1) {
    if (Status status = CheckGfshare(place); !status.ok()) return status;
    peers.push_back(GfshareCombine(place));
  }
  peers.push_back(IsalCombine(place, place.params().l));
  peers.push_back(MemoryCopy(place, place.secret().size()));
  return peers;
}

Status Check(const Workplace& place) {
  return ExpectEqual(place.output().span(), place.secret().span(), "the shares do not combine to the secret");
}

Status Run(const SharingOptions& options) {
  const auto made = Workplace::Make(options);
  if (!made.ok()) return made.status();
  const Workplace& place = *made.value();
  if (Status status = place.Split(); !status.ok()) return status;
  const SharingWork work = {"combine", Combine("ssn", Borrowed(place), place, "of the last k shares"),
                            [&place] { return Check(place); }, [&place] { return Peers(place); }};
  return RunSharing(work, options, place);
}

}  // namespace

Subcommand AddCombine(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("combine", "The secret from k shares");
  auto options = std::make_shared<SharingOptions>();
  AddSharingOptions(*app, *options);
  return {app, [options] { return Run(*options); }};
}

}  // namespace ssn::tools
