// SPDX-License-Identifier: LGPL-2.1-or-later
// pad_soak - plays the programs on both nodes of some pairs for a while: opens streams, uses pad at both
// ends, compares the two byte by byte, and lets PadBooks look for pad that is used twice. Whatever happens to
// proxies and KMEs in the meantime is its caller's affair; a stream that fails is given up and counted.
#include <fmt/format.h>
#include <openssl/rand.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "ssn/pad_client.h"
#include "tools/pad_books.h"

namespace {

using namespace ssn;
using ssn::tools::PadBooks;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPatience{1500};
constexpr std::size_t kMostAtOnce = 64 << 10;
constexpr std::size_t kSampleBytes = 64;  // more than a vector register keeps of the last copy

struct Pair {
  std::shared_ptr<PadClient> transmitter;
  std::shared_ptr<PadClient> receiver;
};

class Soak {
 public:
  Soak(Clock::time_point end, std::uint64_t bytes_per_second, const std::string& samples)
      : end_(end), bytes_per_second_(bytes_per_second) {
    if (!samples.empty()) samples_.open(samples);
  }

  // Run works on one pair until the end.
  void Run(const Pair& pair) {
    const auto start = Clock::now();
    std::mt19937_64 random(std::random_device{}());
    std::uint64_t bytes = 0;
    while (Clock::now() < end_) {
      const std::uint64_t before = bytes;
      const bool whole =
          random() % 16 == 0 ? OneEnvelope(pair, random, bytes) : OneStream(pair, random, bytes);
      ++(whole ? completed : failed);
      // A fault can last: do not fill the time with failures.
      const auto due = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                                   static_cast<double>(bytes) / static_cast<double>(bytes_per_second_)));
      std::this_thread::sleep_until(std::min(end_, bytes == before ? Clock::now() + milliseconds(50) : due));
    }
  }

  PadBooks books;
  std::atomic<std::uint64_t> completed{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> unequal{0};

  const std::string& last_failure() const { return last_failure_; }

 private:
  bool Failed(const Status& status) {
    const std::lock_guard lock(mutex_);
    last_failure_ = status.message();
    return false;
  }

  // Writes some of the pad down, for a test that looks where else it is.
  void Sample(ByteSpan pad) {
    if (!samples_.is_open() || pad.size() < kSampleBytes) return;
    const std::lock_guard lock(mutex_);
    for (const std::uint8_t byte : pad.first(kSampleBytes)) samples_ << fmt::format("{:02x}", byte);
    samples_ << '\n';
  }

  // Moves `bytes` of pad out of a stream, entering them as used.
  std::vector<std::uint8_t> Take(PadStream& stream, const PadBooks::End& end, std::size_t bytes) {
    std::vector<std::uint8_t> taken;
    while (taken.size() < bytes) {
      const PadStream::Piece piece = stream.Next(bytes - taken.size());
      books.Enter(end, stream.epoch(), piece.position, piece.pad);
      Sample(piece.pad);
      taken.insert(taken.end(), piece.pad.begin(), piece.pad.end());
      stream.Use(piece.pad.size());
      if (piece.pad.empty()) break;
    }
    return taken;
  }

  bool OneStream(const Pair& pair, std::mt19937_64& random, std::uint64_t& bytes) {
    const auto from = pair.transmitter->Self();
    const auto to = pair.receiver->Self();
    if (!from.ok() || !to.ok()) return Failed(from.ok() ? to.status() : from.status());
    StreamId id{};
    if (RAND_bytes(id.data(), static_cast<int>(id.size())) != 1) return false;
    auto rx = pair.receiver->Open(id, from.value().id, PadDirection::kReceive, 0, kPatience);
    auto tx = pair.transmitter->Open(id, to.value().id, PadDirection::kTransmit, 0, kPatience);
    if (!rx.ok() || !tx.ok()) return Failed(rx.ok() ? tx.status() : rx.status());
    PadStream& transmit = *tx.value();
    PadStream& receive = *rx.value();
    const PadBooks::End tx_end{from.value().id, from.value().id, to.value().id};
    const PadBooks::End rx_end{to.value().id, from.value().id, to.value().id};
    for (auto messages = 1 + random() % 16; messages > 0 && Clock::now() < end_; --messages) {
      const std::size_t size = 1 + random() % (std::size_t{1} << random() % 17);
      if (Status status = transmit.Reserve(size, kPatience); !status.ok()) return Failed(status);
      const auto sent = Take(transmit, tx_end, size);
      bytes += sent.size();
      if (Status status = receive.Reserve(size, kPatience); !status.ok()) return Failed(status);
      const auto received = Take(receive, rx_end, size);
      // A proxy that dies meanwhile leaves one end with less; what both have is the same.
      const std::size_t both = std::min(sent.size(), received.size());
      if (!std::equal(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(both), received.begin()))
        ++unequal;
      if (both < size)
        return Failed(Status::Unavailable("less pad was there than was reserved: a proxy died"));
    }
    return true;
  }

  bool OneEnvelope(const Pair& pair, std::mt19937_64& random, std::uint64_t& bytes) {
    const auto to = pair.receiver->Self();
    if (!to.ok()) return Failed(to.status());
    std::vector<std::uint8_t> plaintext(random() % kMostAtOnce);
    for (auto& byte : plaintext) byte = static_cast<std::uint8_t>(random());
    const std::uint8_t context[] = {'s', 'o', 'a', 'k'};
    const auto envelope = pair.transmitter->Seal(to.value().id, context, plaintext, kPatience);
    if (!envelope.ok()) return Failed(envelope.status());
    bytes += plaintext.size();
    NodeId from = 0;
    const auto opened = pair.receiver->Unseal(envelope.value(), context, kPatience, &from);
    if (!opened.ok()) return Failed(opened.status());
    const ByteSpan content = opened.value().span();
    if (!std::equal(content.begin(), content.end(), plaintext.begin(), plaintext.end())) ++unequal;
    return true;
  }

  const Clock::time_point end_;
  const std::uint64_t bytes_per_second_;
  std::mutex mutex_;
  std::ofstream samples_;
  std::string last_failure_;
};

int Main(int argc, char** argv) {
  CLI::App app("Uses pad at both ends of pairs of nodes and looks for pad that is used twice.");
  std::vector<std::pair<std::string, std::string>> sockets;
  unsigned seconds = 10;
  std::uint64_t rate = 4 << 20;
  std::string samples;
  app.add_option("--pair", sockets, "Socket of the transmitting node's proxy, socket of the receiving one's")
      ->required();
  app.add_option("--seconds", seconds, "How long")->check(CLI::Range(1u, 3600u))->capture_default_str();
  app.add_option("--rate", rate, "At most so many bytes a second for each pair")->check(CLI::PositiveNumber);
  app.add_option("--samples", samples,
                 "Write 16 bytes, in hex, of every larger piece of pad used to this file");
  CLI11_PARSE(app, argc, argv);

  Soak soak(Clock::now() + std::chrono::seconds(seconds), rate, samples);
  std::vector<Pair> pairs;
  for (const auto& [transmitter, receiver] : sockets) {
    auto from = PadClient::Make({.socket_path = transmitter, .program = "pad_soak"});
    auto to = PadClient::Make({.socket_path = receiver, .program = "pad_soak"});
    if (!from.ok() || !to.ok()) {
      std::fprintf(stderr, "pad_soak: %s\n", (from.ok() ? to : from).status().message().c_str());
      return 2;
    }
    pairs.push_back({std::move(from).value(), std::move(to).value()});
  }
  std::vector<std::thread> threads;
  for (const Pair& pair : pairs) threads.emplace_back([&soak, &pair] { soak.Run(pair); });
  for (auto& thread : threads) thread.join();

  const std::string findings = soak.books.findings();
  std::fputs(findings.c_str(), stderr);
  const nlohmann::ordered_json summary = {
      {"bytes_used", soak.books.bytes()}, {"completed", soak.completed.load()},
      {"failed", soak.failed.load()},     {"unequal", soak.unequal.load()},
      {"reused", !findings.empty()},      {"last_failure", soak.last_failure()},
  };
  std::printf("%s\n", summary.dump().c_str());
  return findings.empty() && soak.unequal == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pad_soak: %s\n", error.what());
    return 2;
  }
}
