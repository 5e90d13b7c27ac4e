// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_keys.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/ask_proxy.h"
#include "tools/text_table.h"

namespace ssn::tools {
namespace {

using Row = std::vector<std::string>;

std::string Rate(std::uint64_t bytes_per_second) { return BytesText(bytes_per_second) + "/s"; }

std::string Time(const nlohmann::json& seconds) {
  if (seconds.is_null()) return "never";
  const auto left = seconds.get<std::uint64_t>();
  if (left < 120) return fmt::format("{} s", left);
  if (left < 7200) return fmt::format("{} min", left / 60);
  return fmt::format("{} h", left / 3600);
}

Row PairRow(const nlohmann::json& link, const char* direction, std::uint64_t capacity) {
  const nlohmann::json& pair = link.at(direction);
  const auto held = pair.at("reservoir").get<std::uint64_t>();
  const bool sends = std::string_view(direction) == "tx";
  return {
      sends ? fmt::format("{} ({})", link.at("name").get<std::string>(), link.at("peer").get<std::uint32_t>())
            : "",
      sends ? "to it" : "from it",
      sends ? link.at("state").get<std::string>() : "",
      fmt::format("{} of {}", BytesText(held), BytesText(capacity)),
      fmt::format("{} %", capacity == 0 ? 0 : held * 100 / capacity),
      Rate(pair.at("rate_in").get<std::uint64_t>()),
      Rate(pair.at("rate_use").get<std::uint64_t>()),
      BytesText(pair.at("burnt").get<std::uint64_t>()),
      Time(pair.at("seconds_to_dry"))};
}

}  // namespace

Result<std::string> FormatKeys(std::string_view status_json) {
  try {
    const auto status = nlohmann::json::parse(status_json);
    const auto capacity = status.at("capacity").get<std::uint64_t>();
    std::vector<Row> rows = {{"PEER", "PAD", "STATE", "HELD", "FILL", "IN", "USE", "BURNT", "DRY IN"}};
    for (const auto& link : status.at("links")) {
      rows.push_back(PairRow(link, "tx", capacity));
      rows.push_back(PairRow(link, "rx", capacity));
    }
    std::string text =
        fmt::format("node {} ({}), {} programs\n", status.at("name").get<std::string>(),
                    status.at("node").get<std::uint32_t>(),
                    status.at("programs").size() + status.at("programs_left_out").get<std::size_t>());
    constexpr std::size_t kFirstNumber = 3;
    text += TextTable(rows, kFirstNumber);
    if (const auto more = status.at("links_left_out").get<std::size_t>(); more > 0)
      text += fmt::format("and {} more\n", more);
    return text;
  } catch (const nlohmann::json::exception& error) {
    return Status::Corrupt(fmt::format("the proxy's status cannot be understood: {}", error.what()));
  }
}

CLI::App* AddKeys(CLI::App& app, KeysOptions& options) {
  CLI::App* keys = app.add_subcommand("keys", "Pad that this node's qkdn-proxy holds, link by link");
  keys->add_option("--socket", options.socket_path, "Socket of the proxy")
      ->type_name("PATH")
      ->capture_default_str();
  keys->add_flag("--json", options.json, "Print the proxy's answer as it is");
  return keys;
}

int RunKeys(const KeysOptions& options) {
  constexpr int kFailed = 1;
  const Result<std::string> status = AskProxy(options.socket_path, "ssn-keys");
  const Result<std::string> text = status.ok() && !options.json ? FormatKeys(status.value()) : status;
  if (!text.ok()) {
    fmt::print(stderr, "ssn keys: {}\n", text.status().message());
    return kFailed;
  }
  fmt::print("{}{}", text.value(), options.json ? "\n" : "");
  return 0;
}

}  // namespace ssn::tools
