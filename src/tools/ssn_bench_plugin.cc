// SPDX-License-Identifier: LGPL-2.1-or-later
#include <malloc.h>

#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <utility>

#include "tools/ssn_bench.h"
#include "tools/ssn_bench_codes.h"
#include "tools/ssn_bench_erasures.h"
#include "tools/ssn_bench_options.h"
#include "tools/ssn_bench_report.h"

namespace ssn::tools {
namespace {

using ceph::ErasureCodeInterface;
using Chunks = ErasureCodeInterface::Chunks;

struct Options {
  CodeOptions codes;
  ErasureOptions erasures;
  std::string workload = "encode";
  std::uint64_t size = 1 << 20;
  bool verbose = false;
  bool json = false;
  Timing timing;
};

// An encoded object, and what is left of it after each loss that is gone through.
struct Encoded {
  std::string label;
  ceph::ErasureCodeInterfaceRef code;
  ceph::buffer::list content;
  std::set<int> all;
  Chunks chunks;
  std::vector<Chunks> left;
  std::size_t next = 0;

  const Chunks& NextLeft() { return left[next++ % left.size()]; }
};

ceph::buffer::list RandomContent(std::size_t size) {
  ceph::buffer::ptr bytes = ceph::buffer::create_aligned(static_cast<unsigned>(size), 4096);
  std::mt19937_64 generator(2006);
  for (std::size_t i = 0; i < size; ++i) bytes.c_str()[i] = static_cast<char>(generator());
  ceph::buffer::list content;
  content.push_back(std::move(bytes));
  return content;
}

// Done turns what a plugin returned into a status.
Status Done(const Encoded& object, const char* call, int error) {
  if (error == 0) return {};
  return Status::Unavailable(object.label + ": " + call + ": " + std::strerror(-error));
}

Status Wrong(const Encoded& object, const std::string& what) {
  return Status::Corrupt(object.label + ": " + what + " is not what it was");
}

std::set<int> Keys(const Chunks& chunks) {
  std::set<int> keys;
  for (const auto& [key, chunk] : chunks) keys.insert(key);
  return keys;
}

// The chunks a client reads for: those with data, under the code's own numbers.
std::set<int> DataChunks(const ErasureCodeInterface& code) {
  const std::vector<int>& mapping = code.get_chunk_mapping();
  std::set<int> wanted;
  for (unsigned i = 0; i < code.get_data_chunk_count(); ++i) {
    wanted.insert(i < mapping.size() ? mapping[i] : static_cast<int>(i));
  }
  return wanted;
}

// Ask gives the chunks the code asks the OSDs for when it shall deliver `wanted`.
Result<Chunks> Ask(const Encoded& object, const std::set<int>& wanted, const Chunks& left) {
  ErasureCodeInterface::Minimum minimum;
  const int error = object.code->minimum_to_decode(wanted, Keys(left), &minimum);
  if (error != 0) return Done(object, "minimum_to_decode: too many chunks lost", error);
  Chunks chunks;
  for (const auto& [chunk, runs] : minimum) chunks[chunk] = left.at(chunk);
  return chunks;
}

Status Encode(Encoded& object) {
  object.chunks.clear();
  return Done(object, "encode", object.code->encode(object.all, object.content, &object.chunks));
}

Status Decode(const Encoded& object, const Chunks& left, Chunks& decoded) {
  return Done(object, "decode", object.code->decode(object.all, left, &decoded, 0));
}

Status Read(const Encoded& object, const Chunks& left, ceph::buffer::list& content) {
  return Done(object, "decode_concat", object.code->decode_concat(left, &content));
}

Status CheckDecode(const Encoded& object, const Chunks& left) {
  Chunks decoded;
  if (Status status = Decode(object, left, decoded); !status.ok()) return status;
  for (const auto& [key, chunk] : object.chunks) {
    const auto found = decoded.find(key);
    if (found != decoded.end() && found->second.contents_equal(chunk)) continue;
    return Wrong(object, "chunk " + std::to_string(key));
  }
  return {};
}

Status CheckRead(const Encoded& object, const Chunks& left) {
  ceph::buffer::list content;
  if (Status status = Read(object, left, content); !status.ok()) return status;
  ceph::buffer::list head;  // without the padding of the last chunk
  if (content.length() >= object.content.length()) head.substr_of(content, 0, object.content.length());
  return head.contents_equal(object.content) ? Status() : Wrong(object, "the content read");
}

// Lose gives the chunks the workload starts from when `lost` are lost, after checking what comes of them.
// A plugin that is asked for more than its minimum_to_decode promises may abort: it is asked first.
Result<Chunks> Lose(const std::string& workload, const Encoded& object, const std::set<int>& lost) {
  Chunks left = object.chunks;
  for (int chunk : lost) left.erase(chunk);
  const bool decode = workload == "decode";
  Result<Chunks> asked = Ask(object, decode ? object.all : DataChunks(*object.code), left);
  if (!asked.ok()) return asked.status();
  if (!decode) left = std::move(asked).value();
  Status status = decode ? CheckDecode(object, left) : CheckRead(object, left);
  if (!status.ok()) return status;
  return left;
}

// Prepare encodes an object and goes through all its losses once.
Status Prepare(const Options& options, Encoded& object) {
  for (unsigned i = 0; i < object.code->get_chunk_count(); ++i) object.all.insert(static_cast<int>(i));
  object.content = RandomContent(options.size);
  if (Status status = Encode(object); !status.ok()) return status;
  const ErasureOptions none = {0, {}, "random"};
  const auto patterns =
      ErasurePatterns(options.workload == "encode" ? none : options.erasures, object.code->get_chunk_count());
  if (!patterns.ok()) return patterns.status();
  for (const std::set<int>& lost : patterns.value()) {
    Result<Chunks> left = Lose(options.workload, object, lost);
    if (!left.ok()) return left.status();
    object.left.push_back(std::move(left).value());
  }
  return {};
}

std::string Describe(const Encoded& object, bool verbose) {
  std::string text = std::to_string(object.code->get_chunk_count()) + " chunks of " +
                     std::to_string(object.code->get_chunk_size(object.content.length()));
  if (!verbose) return text;
  for (const auto& [key, value] : object.code->get_profile()) text.append(" ").append(key + "=" + value);
  return text;
}

std::function<Status()> WorkOf(const std::string& workload, std::shared_ptr<Encoded> object) {
  if (workload == "encode") return [object] { return Encode(*object); };
  if (workload == "decode") {
    return [object] {
      Chunks decoded;
      return Decode(*object, object->NextLeft(), decoded);
    };
  }
  return [object] {
    ceph::buffer::list content;
    return Read(*object, object->NextLeft(), content);
  };
}

// Allocators of OSDs (tcmalloc) keep what is freed. glibc's would give chunks back to the kernel at once and
// pay with page faults for each of them.
void KeepFreedMemory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

Status Run(const Options& options) {
  KeepFreedMemory();
  const auto codes = MakeCodes(options.codes);
  if (!codes.ok()) return codes.status();
  Report report;
  nlohmann::ordered_json profiles = nlohmann::ordered_json::object();
  for (const Code& code : codes.value()) {
    auto object = std::make_shared<Encoded>();
    object->code = code.erasure_code;
    object->label = code.label;
    if (Status status = Prepare(options, *object); !status.ok()) return status;
    profiles[code.label] = code.erasure_code->get_profile();
    report.subjects.push_back(
        {code.label, WorkOf(options.workload, object), Describe(*object, options.verbose)});
  }
  const auto speeds = Measure(report.subjects, options.timing, options.size);
  if (!speeds.ok()) return speeds.status();
  report.speeds = speeds.value();
  report.workload = "plugin";
  report.parameters = {
      {"workload", options.workload},       {"size", options.size},
      {"repeats", options.timing.repeats},  {"seconds", options.timing.seconds},
      {"erasures", options.erasures.count}, {"erasures_generation", options.erasures.generation},
      {"erased", options.erasures.erased},  {"profiles", profiles}};
  Print(report, options.json);
  return {};
}

}  // namespace

Subcommand AddPlugin(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("plugin", "Ceph erasure-code plugins, without a cluster");
  auto options = std::make_shared<Options>();
  app->add_option("-p,--plugin", options->codes.plugins, "[LABEL=]PLUGIN; repeat it to compare plugins")
      ->required()
      ->type_name("PLUGIN")
      ->allow_extra_args(false);
  app->add_option("-P,--parameter", options->codes.parameters, "[LABEL:]KEY=VALUE of the profile; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app->add_option("-w,--workload", options->workload,
                  "encode, decode (chunks from chunks) or read (the object)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"encode", "decode", "read"}).description(""))
      ->capture_default_str();
  AddSizeOption(*app, "-s,--size", options->size, "the object");
  app->add_option("-i,--iterations", options->timing.iterations, "Calls in one repeat, instead of --seconds")
      ->type_name("COUNT");
  app->add_option("-e,--erasures", options->erasures.count, "Chunks lost, for decode and read")
      ->type_name("COUNT")
      ->capture_default_str();
  app->add_option("--erased", options->erasures.erased, "A chunk that is lost; repeatable, instead of -e")
      ->type_name("CHUNK")
      ->allow_extra_args(false);
  app->add_option("-E,--erasures-generation", options->erasures.generation, "random or exhaustive")
      ->type_name("NAME")
      ->check(CLI::IsMember({"random", "exhaustive"}).description(""))
      ->capture_default_str();
  app->add_option("--erasure-code-dir", options->codes.directory,
                  "Look for plugins here first; then beside this program, then in Ceph's directory")
      ->type_name("DIR");
  app->add_flag("-v,--verbose", options->verbose, "Show the whole profiles");
  AddJsonOption(*app, options->json);
  AddTimingOptions(*app, options->timing);
  return {app, [options] { return Run(*options); }};
}

}  // namespace ssn::tools
