// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/proxy/metrics.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <iterator>

namespace ssn::qkdn::proxy {
namespace {

constexpr std::array kActions = {"retry_later", "discard", "refused"};  // in the order of KmeError::Action

class Text {
 public:
  void Begin(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(out_), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
    name_ = name;
  }
  template <typename Value>
  void Add(const std::string& labels, Value value) {
    fmt::format_to(std::back_inserter(out_), "{}{}{}{} {}\n", name_, labels.empty() ? "" : "{", labels,
                   labels.empty() ? "" : "}", value);
  }
  std::string out() && { return std::move(out_); }

 private:
  std::string out_;
  std::string name_;
};

std::string Pair(const PairSnapshot& pair) { return fmt::format(R"(from="{}",to="{}")", pair.from, pair.to); }

void ForEachPair(const Snapshot& snapshot, const std::function<void(const PairSnapshot&)>& f) {
  for (const LinkSnapshot& link : snapshot.links) {
    f(link.tx);
    f(link.rx);
  }
}

void AddPairs(const Snapshot& snapshot, Text& text) {
  struct Counter {
    const char* name;
    const char* help;
    std::uint64_t PairSnapshot::*value;
  };
  constexpr std::array kCounters = {
      Counter{"fetched", "Key bytes from the KME.", &PairSnapshot::fetched},
      Counter{"granted", "Pad bytes granted to programs.", &PairSnapshot::granted},
      Counter{"used", "Pad bytes that programs used.", &PairSnapshot::used},
  };
  for (const Counter& counter : kCounters) {
    text.Begin(fmt::format("ssn_pad_{}_bytes_total", counter.name), "counter", counter.help);
    ForEachPair(snapshot, [&](const PairSnapshot& pair) { text.Add(Pair(pair), pair.*counter.value); });
  }
  text.Begin("ssn_pad_burnt_bytes_total", "counter", "Key and pad bytes destroyed unused.");
  ForEachPair(snapshot, [&](const PairSnapshot& pair) {
    for (std::size_t i = 0; i < pair.burnt.size(); ++i)
      text.Add(fmt::format(R"({},reason="{}")", Pair(pair), Name(static_cast<BurnReason>(i))), pair.burnt[i]);
  });
  text.Begin("ssn_pad_held_bytes", "gauge", "Pad bytes at this node: fetched less used less burnt.");
  ForEachPair(snapshot, [&](const PairSnapshot& pair) {
    text.Add(Pair(pair) + R"(,where="reservoir")", pair.agreed);
    text.Add(Pair(pair) + R"(,where="pending")", pair.pending);
    text.Add(Pair(pair) + R"(,where="windows")", pair.windows);
  });
  text.Begin("ssn_pad_capacity_bytes", "gauge", "What the reservoir can hold.");
  ForEachPair(snapshot, [&](const PairSnapshot& pair) { text.Add(Pair(pair), snapshot.capacity); });
}

void AddLinks(const Snapshot& snapshot, Text& text) {
  const auto peer = [](const LinkSnapshot& link) { return fmt::format(R"(peer="{}")", link.peer); };
  text.Begin("ssn_link_up", "gauge", "1: the proxy of the peer is connected.");
  for (const LinkSnapshot& link : snapshot.links) text.Add(peer(link), link.up ? 1 : 0);
  text.Begin("ssn_pad_waiting_requests", "gauge", "Requests of programs that wait for pad.");
  for (const LinkSnapshot& link : snapshot.links) text.Add(peer(link), link.waiting);
  text.Begin("ssn_kme_errors_total", "counter", "Failed requests to the KME, by what has to be done.");
  for (const LinkSnapshot& link : snapshot.links)
    for (std::size_t i = 0; i < kActions.size(); ++i)
      text.Add(fmt::format(R"({},action="{}")", peer(link), kActions[i]), link.kme_errors[i]);
}

}  // namespace

std::string FormatMetrics(const Snapshot& snapshot) {
  Text text;
  AddPairs(snapshot, text);
  AddLinks(snapshot, text);
  text.Begin("ssn_audit_failures_total", "counter", "Times the audit log could not be written.");
  text.Add("", snapshot.audit_failures);
  text.Begin("ssn_programs", "gauge", "Local programs that are connected.");
  text.Add("", snapshot.programs.size());
  text.Begin("ssn_window_bytes", "gauge", "Memory of all programs' windows.");
  text.Add("", snapshot.window_bytes);
  text.Begin("ssn_window_max_bytes", "gauge", "What the windows may hold together.");
  text.Add("", snapshot.max_window_bytes);
  return std::move(text).out();
}

}  // namespace ssn::qkdn::proxy
