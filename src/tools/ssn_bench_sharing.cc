// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench_sharing.h"

#include <algorithm>
#include <new>
#include <random>
#include <thread>
#include <utility>

#include "tools/ssn_bench_memory.h"
#include "tools/ssn_bench_options.h"
#include "tools/ssn_bench_report.h"

namespace ssn::tools {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t RoundUp(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

void FillWithNoise(MutableByteSpan bytes) {
  std::mt19937_64 generator(1979);
  std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(generator()); });
}

Result<SchemeParams> ParamsOf(const SharingOptions& options) {
  const Result<SchemeKind> kind = ParseSchemeName(options.scheme);
  if (!kind.ok()) return kind.status();
  const unsigned default_l = kind.value() == SchemeKind::kRamp ? 2 : 1;
  return SchemeParams{kind.value(), options.k, options.n, options.l == 0 ? default_l : options.l};
}

}  // namespace

void AddSharingOptions(CLI::App& app, SharingOptions& options) {
  app.add_option("--scheme", options.scheme, "shamir, ramp or xor")->type_name("NAME")->capture_default_str();
  app.add_option("-k", options.k, "Shares that rebuild the secret")
      ->type_name("COUNT")
      ->capture_default_str();
  app.add_option("-l", options.l, "Pieces of the secret (default: 2 for ramp, otherwise 1)")
      ->type_name("COUNT");
  app.add_option("-n", options.n, "Shares in all")->type_name("COUNT")->capture_default_str();
  AddSizeOption(app, "--size", options.size, "the secret");
  app.add_option("--random", options.random, "drbg, kernel or file:PATH")
      ->type_name("SOURCE")
      ->capture_default_str();
  app.add_flag("--peers", options.peers, "Measure other implementations too, by turns with ours");
  AddJsonOption(app, options.json);
  AddTimingOptions(app, options.timing);
}

Buffer::Buffer(std::size_t size)
    : bytes_(static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, RoundUp(size, kAlignment)))),
      size_(size) {
  if (bytes_ == nullptr) throw std::bad_alloc();
  std::ranges::fill(span(), std::uint8_t{0});
}

Workplace::Workplace(std::shared_ptr<const Sharing> sharing, std::shared_ptr<RandomSource> random,
                     std::size_t size)
    : sharing_(std::move(sharing)), random_(std::move(random)), secret_(size), output_(size) {
  FillWithNoise(secret_.span());
  for (unsigned i = 0; i < params().n; ++i) share_buffers_.emplace_back(share_bytes());
  for (const Buffer& buffer : share_buffers_) share_spans_.push_back(buffer.span());
}

Result<std::shared_ptr<Workplace>> Workplace::Make(const SharingOptions& options) {
  const Result<SchemeParams> params = ParamsOf(options);
  if (!params.ok()) return params.status();
  Result<std::shared_ptr<const Sharing>> sharing = Sharing::Create(params.value());
  if (!sharing.ok()) return sharing.status();
  Result<std::shared_ptr<RandomSource>> random = OpenRandomSource(options.random);
  if (!random.ok()) return random.status();
  const std::size_t unit = params.value().l * sharing.value()->granule() * kAlignment;
  return std::shared_ptr<Workplace>(
      new Workplace(sharing.value(), random.value(), RoundUp(options.size, unit)));
}

std::vector<Share> Workplace::LastShares() const {
  std::vector<Share> chosen;
  for (unsigned i = params().n - params().k; i < params().n; ++i) chosen.push_back({i, share_spans_[i]});
  return chosen;
}

Result<std::vector<Subject>> WithOwnShamir(
    const Workplace& place, const std::function<Subject(std::shared_ptr<const Sharing>)>& subject) {
  std::vector<Subject> peers;
  if (place.params().kind != SchemeKind::kXor) return peers;
  Result<std::shared_ptr<const Sharing>> shamir =
      Sharing::Create({SchemeKind::kShamir, place.params().k, place.params().n, 1});
  if (!shamir.ok()) return shamir.status();
  peers.push_back(subject(std::move(shamir).value()));
  return peers;
}

std::shared_ptr<const Sharing> Borrowed(const Workplace& place) {
  return {std::shared_ptr<void>(), &place.sharing()};
}

Status ExpectEqual(ByteSpan actual, ByteSpan expected, const std::string& what) {
  if (std::ranges::equal(actual, expected)) return {};
  return Status::Corrupt(what);
}

Status RunSharing(const SharingWork& work, const SharingOptions& options, const Workplace& place) {
  Report report;
  Status first_run;
  const std::size_t memory = PeakMemoryOf([&] { std::thread([&] { first_run = work.ours.run(); }).join(); });
  if (!first_run.ok()) return first_run;
  if (Status status = work.check(); !status.ok()) return status;
  if (kMemoryIsCounted) report.extra_memory_bytes = memory;

  report.subjects = {work.ours};
  if (options.peers) {
    Result<std::vector<Subject>> peers = work.peers();
    if (!peers.ok()) return peers.status();
    report.subjects.insert(report.subjects.end(), peers.value().begin(), peers.value().end());
  }
  Result<std::vector<Speed>> speeds = Measure(report.subjects, options.timing, place.secret().size());
  if (!speeds.ok()) return speeds.status();
  const SchemeParams& params = place.params();
  report.workload = work.name;
  report.speeds = speeds.value();
  report.parameters = {{"scheme", SchemeName(params.kind)},
                       {"k", params.k},
                       {"l", params.l},
                       {"n", params.n},
                       {"size", place.secret().size()},
                       {"random", options.random},
                       {"repeats", options.timing.repeats},
                       {"seconds", options.timing.seconds}};
  Print(report, options.json);
  return {};
}

}  // namespace ssn::tools
