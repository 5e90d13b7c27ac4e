// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench.h"
#include "tools/ssn_bench_peers.h"
#include "tools/ssn_bench_sharing.h"

namespace ssn::tools {
namespace {

constexpr unsigned kLost = 0;  // the share that is rebuilt

Subject Rebuild(std::string name, std::shared_ptr<const Sharing> sharing, const Workplace& place,
                std::string note) {
  return {std::move(name),
          [&place, sharing = std::move(sharing), shares = place.LastShares()] {
            return sharing->Rebuild(shares, kLost, place.output().span().first(place.share_bytes()));
          },
          std::move(note)};
}

Result<std::vector<Subject>> Peers(const Workplace& place) {
  Result<std::vector<Subject>> own = WithOwnShamir(
      place, [&](auto shamir) { return Rebuild("shamir", shamir, place, "ours, with the same k and n"); });
  if (!own.ok()) return own;
  std::vector<Subject> peers = std::move(own).value();
  peers.push_back(IsalCombine(place, 1));
  peers.push_back(MemoryCopy(place, place.share_bytes()));
  return peers;
}

Status Check(const Workplace& place) {
  return ExpectEqual(place.output().span().first(place.share_bytes()), place.shares()[kLost],
                     "the rebuilt share differs from the lost one");
}

Status Run(const SharingOptions& options) {
  const auto made = Workplace::Make(options);
  if (!made.ok()) return made.status();
  const Workplace& place = *made.value();
  if (place.params().n == place.params().k) {
    return Status::InvalidArgument("rebuild needs n > k: without any one of n = k shares it is lost");
  }
  if (Status status = place.Split(); !status.ok()) return status;
  const SharingWork work = {"rebuild", Rebuild("ssn", Borrowed(place), place, "share 0 from the last k"),
                            [&place] { return Check(place); }, [&place] { return Peers(place); }};
  return RunSharing(work, options, place);
}

}  // namespace

Subcommand AddRebuild(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("rebuild", "A lost share from k others");
  auto options = std::make_shared<SharingOptions>();
  AddSharingOptions(*app, *options);
  return {app, [options] { return Run(*options); }};
}

}  // namespace ssn::tools
