// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/ssn_bench_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>

namespace ssn::tools {
namespace {

using json = nlohmann::ordered_json;

std::string CpuModel() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

double Ratio(const Report& report, std::size_t i) {
  return report.speeds[0].median / report.speeds[i].median;
}

json ToJson(const Report& report) {
  json results = json::array();
  for (std::size_t i = 0; i < report.subjects.size(); ++i) {
    const Speed& speed = report.speeds[i];
    results.push_back({{"name", report.subjects[i].name},
                       {"note", report.subjects[i].note},
                       {"median", speed.median},
                       {"min", speed.min},
                       {"max", speed.max},
                       {"iterations", speed.iterations},
                       {"ratio", Ratio(report, i)}});
  }
  json out = {{"program", "ssn-bench"},      {"version", SSN_VERSION},          {"cpu", CpuModel()},
              {"workload", report.workload}, {"parameters", report.parameters}, {"unit", "GB/s"},
              {"results", results}};
  if (report.extra_memory_bytes) out["extra_memory_bytes"] = *report.extra_memory_bytes;
  return out;
}

std::string OneLine(const json& parameters) {
  std::string line;
  for (const auto& [name, value] : parameters.items()) {
    if (value.is_structured()) continue;
    line += fmt::format(" {}={}", name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return line;
}

void PrintTable(const Report& report) {
  fmt::print("{}{}\n{}\n\n", report.workload, OneLine(report.parameters), CpuModel());
  std::size_t width = 0;
  for (const Subject& subject : report.subjects) width = std::max(width, subject.name.size());
  const std::string& first = report.subjects[0].name;
  fmt::print("{:{}}  {:>8} {:>8} {:>8}  {}\n", "GB/s", width, "median", "min", "max", first + "/this");
  for (std::size_t i = 0; i < report.subjects.size(); ++i) {
    const Speed& speed = report.speeds[i];
    fmt::print("{:{}}  {:8.3f} {:8.3f} {:8.3f}  {:{}.3f}  {}\n", report.subjects[i].name, width, speed.median,
               speed.min, speed.max, Ratio(report, i), first.size() + 5, report.subjects[i].note);
  }
  if (report.extra_memory_bytes) {
    fmt::print("\nextra memory at the peak of the first call: {} bytes\n", *report.extra_memory_bytes);
  }
}

}  // namespace

void Print(const Report& report, bool json) {
  if (json) {
    fmt::print("{}\n", ToJson(report).dump(2));
  } else {
    PrintTable(report);
  }
}

}  // namespace ssn::tools
