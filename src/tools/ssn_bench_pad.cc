// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/core.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "qkdn/etsi014/kme_client.h"
#include "ssn/pad_client.h"
#include "tools/pad_network.h"
#include "tools/ssn_bench.h"
#include "tools/ssn_bench_options.h"

namespace ssn::tools {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr milliseconds kPatience{10000};
constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr std::uint64_t kKeyBytes = 32;

struct PadOptions {
  unsigned rounds = 3;
  unsigned seconds = 8;
  unsigned grants = 5000;
  unsigned peers = 32;
  bool json = false;
};

struct Figure {
  std::string name;
  std::string key;
  double value = 0;
  std::string unit;
  std::string wanted;
};

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Two nodes, and a program on each.
struct Bench {
  std::unique_ptr<PadNetwork> network;
  std::shared_ptr<PadClient> transmitter;
  std::shared_ptr<PadClient> receiver;
};

Result<Bench> MakeBench(const std::string& capacity) {
  Bench bench;
  auto network = PadNetwork::Make({2,
                                   {"--rate", "unlimited", "--capacity", capacity, "--key-size", "256",
                                    "--max-key-size", "1048576", "--keys-per-request", "128"}});
  if (!network.ok()) return network.status();
  bench.network = std::move(network).value();
  if (Status status = bench.network->StartSim(); !status.ok()) return status;
  for (const unsigned node : {0u, 1u}) {
    if (Status status = bench.network->StartProxy(node); !status.ok()) return status;
    auto client = PadClient::Make({.socket_path = bench.network->Socket(node), .program = "ssn-bench"});
    if (!client.ok()) return client.status();
    (node == 0 ? bench.transmitter : bench.receiver) = std::move(client).value();
  }
  return bench;
}

Result<Json> ProxyStatus(PadClient& client) {
  const auto text = client.ProxyStatus(kPatience);
  if (!text.ok()) return text.status();
  Json status = Json::parse(text.value(), nullptr, false);
  if (status.is_discarded()) return Status::Unavailable("the proxy's status is no JSON");
  return status;
}

// Waits until the reservoir of node 0 to node 1 holds pad up to that mark. Between low and high it may stay
// as it is.
Status WaitForPad(const Bench& bench, const char* mark) {
  const auto deadline = Clock::now() + std::chrono::minutes(3);
  while (Clock::now() < deadline) {
    const auto status = ProxyStatus(*bench.transmitter);
    if (!status.ok()) return status.status();
    const Json& link = status.value()["links"][0];
    if (link["tx"]["reservoir"].get<std::uint64_t>() + kPiece >= status.value()[mark].get<std::uint64_t>())
      return {};
    std::this_thread::sleep_for(milliseconds(20));
  }
  return Status::Unavailable("the reservoir does not fill");
}

Result<StreamId> NewStream() {
  StreamId id{};
  if (RAND_bytes(id.data(), static_cast<int>(id.size())) != 1)
    return Status::Unavailable("RAND_bytes failed");
  return id;
}

struct BothEnds {
  std::unique_ptr<PadStream> transmit;
  std::unique_ptr<PadStream> receive;
};

Result<BothEnds> OpenBoth(const Bench& bench) {
  const auto id = NewStream();
  if (!id.ok()) return id.status();
  auto receive = bench.receiver->Open(id.value(), 0, PadDirection::kReceive, 0, kPatience);
  if (!receive.ok()) return receive.status();
  auto transmit = bench.transmitter->Open(id.value(), 1, PadDirection::kTransmit, 0, kPatience);
  if (!transmit.ok()) return transmit.status();
  return BothEnds{std::move(transmit).value(), std::move(receive).value()};
}

// One end takes its pad, wiping it, until `bytes` are used or time is over; the last error is the caller's.
Status Drain(PadStream& stream, std::uint64_t bytes, Clock::time_point end, std::uint64_t& used) {
  while (used < bytes && Clock::now() < end) {
    const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, bytes - used));
    if (Status status = stream.Reserve(piece, kPatience); !status.ok()) return status;
    stream.Use(piece);
    used += piece;
  }
  return {};
}

// Bytes of pad in a second that both ends took.
Result<double> Handover(const Bench& bench, std::uint64_t bytes, Clock::duration limit) {
  auto opened = OpenBoth(bench);
  if (!opened.ok()) return opened.status();
  BothEnds ends = std::move(opened).value();
  const auto start = Clock::now();
  std::uint64_t received = 0;
  Status receiving;
  std::thread receiver([&] { receiving = Drain(*ends.receive, bytes, start + limit, received); });
  std::uint64_t sent = 0;
  const Status sending = Drain(*ends.transmit, bytes, start + limit, sent);
  if (!sending.ok()) ends.transmit.reset();  // the receiver need not wait for more
  receiver.join();
  if (!sending.ok()) return sending;
  if (!receiving.ok() && sent == bytes) return receiving;
  return static_cast<double>(std::min(sent, received)) / Seconds(Clock::now() - start);
}

Status Preloaded(const PadOptions& options, std::vector<Figure>& figures) {
  const auto bench = MakeBench("1GiB");
  if (!bench.ok()) return bench.status();
  std::vector<double> rounds;
  for (unsigned round = 0; round < options.rounds; ++round) {
    if (Status status = WaitForPad(bench.value(), "high"); !status.ok()) return status;
    // From the high mark to a little below the low one: hardly anything is fetched meanwhile, and then it
    // fills again.
    const auto rate = Handover(bench.value(), std::uint64_t{480} << 20, kPatience);
    if (!rate.ok()) return rate.status();
    rounds.push_back(rate.value() / 1e9);
  }
  figures.push_back(
      {"pad handed over at both ends, from a preloaded reservoir", "preloaded", Median(rounds), "GB/s", "1"});
  return {};
}

Status Sustained(const PadOptions& options, const Bench& bench, std::vector<Figure>& figures) {
  const auto warm_up = Handover(bench, ~std::uint64_t{0}, std::chrono::seconds(2));
  if (!warm_up.ok()) return warm_up.status();
  const auto rate = Handover(bench, ~std::uint64_t{0}, std::chrono::seconds(options.seconds));
  if (!rate.ok()) return rate.status();
  figures.push_back(
      {"the same through the simulated QKDN, sustained", "sustained", rate.value() / 1e6, "MB/s", "100"});
  const auto status = ProxyStatus(*bench.transmitter);
  if (!status.ok()) return status.status();
  const Json& tx = status.value()["links"][0]["tx"];
  const double fetched = tx["fetched"].get<double>();
  figures.push_back({"of the pad fetched, usable", "usable",
                     100 * (fetched - tx["burnt"].get<double>()) / fetched, "%", ""});
  return {};
}

Status Latency(const PadOptions& options, const Bench& bench, std::vector<Figure>& figures) {
  if (Status status = WaitForPad(bench, "low"); !status.ok()) return status;
  std::vector<double> taken;
  for (unsigned i = 0; i < options.grants; ++i) {
    const auto id = NewStream();
    if (!id.ok()) return id.status();
    const auto receive = bench.receiver->Open(id.value(), 0, PadDirection::kReceive, 0, kPatience);
    if (!receive.ok()) return receive.status();
    const auto start = Clock::now();
    const auto transmit = bench.transmitter->Open(id.value(), 1, PadDirection::kTransmit, 4096, kPatience);
    taken.push_back(Seconds(Clock::now() - start) * 1e3);
    if (!transmit.ok()) return transmit.status();
  }
  std::ranges::sort(taken);
  figures.push_back({"a grant of 4 KiB, median", "grant_median", taken[taken.size() / 2], "ms", "1"});
  figures.push_back(
      {"a grant of 4 KiB, 99.9 of 100", "grant_p999", taken[taken.size() * 999 / 1000], "ms", "10"});
  return {};
}

Status Restart(const Bench& bench, std::vector<Figure>& figures) {
  const auto start = Clock::now();
  bench.network->KillProxy(1);
  if (Status status = bench.network->StartProxy(1); !status.ok()) return status;
  for (;;) {
    const auto id = NewStream();
    if (!id.ok()) return id.status();
    if (bench.transmitter->Open(id.value(), 1, PadDirection::kTransmit, 4096, milliseconds(100)).ok()) break;
    if (Clock::now() - start > std::chrono::minutes(1))
      return Status::Unavailable("no grant after a restart");
    std::this_thread::sleep_for(milliseconds(2));
  }
  figures.push_back(
      {"from the death of one proxy to the next grant", "restart", Seconds(Clock::now() - start), "s", "2"});
  return {};
}

Result<std::unique_ptr<qkdn::etsi014::KmeClient>> KmeOf(const PadNetwork& network, unsigned node) {
  const std::string folder = network.Folder(node) + "/";
  qkdn::etsi014::KmeClient::Options options;
  options.url = network.KmeUrl(node);
  options.kme_id = "kme-node-" + std::to_string(node);
  options.ca_file = folder + "ca.crt";
  options.certificate_file = folder + "proxy.crt";
  options.key_file = folder + "proxy.key";
  return qkdn::etsi014::KmeClient::Make(options);
}

template <typename T>
Status ToStatus(const qkdn::etsi014::KmeResult<T>& result) {
  const auto* error = std::get_if<qkdn::etsi014::KmeError>(&result);
  return error == nullptr ? Status() : Status::Unavailable(error->message);
}

// Keys of 256 bits that both KMEs delivered in a second.
Status KeyRate(const PadOptions& options, const Bench& bench, std::vector<Figure>& figures) {
  const auto master = KmeOf(*bench.network, 0);
  const auto slave = KmeOf(*bench.network, 1);
  if (!master.ok()) return master.status();
  if (!slave.ok()) return slave.status();
  std::uint64_t keys = 0;
  const auto start = Clock::now();
  while (Clock::now() - start < std::chrono::seconds(options.seconds) / 2) {
    const auto made = master.value()->GetKeys("node-1", 128, kKeyBytes);
    if (Status status = ToStatus(made); !status.ok()) return status;
    const auto& ids = std::get<qkdn::etsi014::Keys>(made).ids;
    const auto fetched = slave.value()->GetKeysWithIds("node-0", ids);
    if (Status status = ToStatus(fetched); !status.ok()) return status;
    keys += ids.size();
  }
  figures.push_back({"keys of 256 bits from both KMEs", "keys",
                     static_cast<double>(keys) / Seconds(Clock::now() - start), "1/s", "10000"});
  return {};
}

// One proxy that has all its reservoirs, 64 MiB for each link.
Status Memory(const PadOptions& options, std::vector<Figure>& figures) {
  const auto network = PadNetwork::Make({options.peers + 1, {"--rate", "unlimited", "--capacity", "32MiB"}});
  if (!network.ok()) return network.status();
  if (Status status = network.value()->StartSim(); !status.ok()) return status;
  if (Status status = network.value()->StartProxy(0); !status.ok()) return status;
  const auto bound = network.value()->MemoryBound(0);
  if (!bound.ok()) return bound.status();
  const double resident = static_cast<double>(network.value()->ResidentBytes(0));
  figures.push_back(
      {fmt::format("memory of a proxy with {} peers and 64 MiB a link, of its bound", options.peers),
       "memory", 100 * resident / static_cast<double>(bound.value()), "%", "100"});
  return {};
}

void Print(const std::vector<Figure>& figures, bool json) {
  if (json) {
    Json out = {{"program", "ssn-bench"}, {"version", SSN_VERSION}, {"workload", "pad"}};
    for (const Figure& figure : figures)
      out["figures"][figure.key] = {
          {"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}, {"wanted", figure.wanted}};
    fmt::print("{}\n", out.dump(2));
    return;
  }
  for (const Figure& figure : figures)
    fmt::print("{:66} {:10.3f} {:5} {}\n", figure.name, figure.value, figure.unit,
               figure.wanted.empty() ? "" : "(wanted: " + figure.wanted + ")");
}

Status Run(const PadOptions& options) {
  std::vector<Figure> figures;
  if (Status status = Preloaded(options, figures); !status.ok()) return status;
  {
    const auto bench = MakeBench("64MiB");
    if (!bench.ok()) return bench.status();
    if (Status status = WaitForPad(bench.value(), "high"); !status.ok()) return status;
    if (Status status = Sustained(options, bench.value(), figures); !status.ok()) return status;
    if (Status status = Latency(options, bench.value(), figures); !status.ok()) return status;
    if (Status status = KeyRate(options, bench.value(), figures); !status.ok()) return status;
    if (Status status = Restart(bench.value(), figures); !status.ok()) return status;
  }
  if (Status status = Memory(options, figures); !status.ok()) return status;
  Print(figures, options.json);
  return {};
}

}  // namespace

Subcommand AddPad(CLI::App& parent) {
  CLI::App* app =
      parent.add_subcommand("pad", "Pad from a simulated QKDN through two proxies to two programs");
  auto options = std::make_shared<PadOptions>();
  app->add_option("--rounds", options->rounds, "Rounds from preloaded reservoirs")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();
  app->add_option("--seconds", options->seconds, "Of sustained traffic")
      ->check(CLI::Range(1u, 600u))
      ->capture_default_str();
  app->add_option("--grants", options->grants, "Grants to time")
      ->check(CLI::Range(100u, 1000000u))
      ->capture_default_str();
  app->add_option("--peers", options->peers, "Peers of the proxy whose memory is read")
      ->check(CLI::Range(1u, 90u))
      ->capture_default_str();
  AddJsonOption(*app, options->json);
  return {app, [options] { return Run(*options); }};
}

}  // namespace ssn::tools
