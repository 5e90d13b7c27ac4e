// SPDX-License-Identifier: LGPL-2.1-or-later
// find_pad SAMPLES FILE... - counts the samples of pad (lines of hex, as pad_soak writes them) that a file
// holds: raw, as hex, or in base64. Prints `FILE COUNT` for each file; a sample counts once, and standard
// error tells where the first few are. Exit code: 0 whatever was found, 2 if there is no sample or a file
// cannot be read.
#include <openssl/evp.h>

#include <bitset>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kTold = 3;    // of the places where samples are
constexpr std::size_t kPrefix = 8;  // of every form; what follows is compared in full

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string Base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

class Samples {
 public:
  void Add(const std::string& hex) {
    const std::string bytes = FromHex(hex);
    AddForm(bytes);
    AddForm(hex);
    // In base64 a sample may begin at any byte of a group of three; groups shared with its neighbours say
    // nothing.
    for (std::size_t lead = 0; lead < 3; ++lead) {
      const std::string text = Base64(std::string(lead, '\0') + bytes);
      const std::size_t first = lead == 0 ? 0 : 4;
      AddForm(text.substr(first, (lead + bytes.size()) / 3 * 4 - first));
    }
    ++size_;
  }
  std::size_t size() const { return size_; }

  std::size_t CountIn(const char* file, const std::string& content) const {
    std::set<std::size_t> found;
    for (std::size_t at = 0; at + kPrefix <= content.size(); ++at) {
      std::uint16_t start = 0;
      std::memcpy(&start, content.data() + at, sizeof start);
      if (!starts_.test(start)) continue;
      const auto [first, last] = forms_.equal_range(content.substr(at, kPrefix));
      for (auto form = first; form != last; ++form) {
        if (content.compare(at, form->second.first.size(), form->second.first) != 0) continue;
        if (found.insert(form->second.second).second && found.size() <= kTold)
          std::fprintf(stderr, "%s: sample %zu at %zu\n", file, form->second.second, at);
      }
    }
    return found.size();
  }

 private:
  void AddForm(const std::string& form) {
    std::uint16_t start = 0;
    std::memcpy(&start, form.data(), sizeof start);
    starts_.set(start);
    forms_.emplace(form.substr(0, kPrefix), std::pair(form, size_));
  }

  std::size_t size_ = 0;
  std::bitset<65536> starts_;
  std::unordered_multimap<std::string, std::pair<std::string, std::size_t>> forms_;
};

}  // namespace

int main(int argc, char** argv) {
  Samples samples;
  if (argc > 1) {
    std::ifstream lines(argv[1]);
    for (std::string line; std::getline(lines, line);)
      if (line.size() >= 32) samples.Add(line);
  }
  if (samples.size() == 0) {
    std::fputs("find_pad: no samples\nusage: find_pad SAMPLES FILE...\n", stderr);
    return 2;
  }
  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "find_pad: %s cannot be read\n", argv[i]);
      return 2;
    }
    const std::string content(std::istreambuf_iterator<char>(file), {});
    std::printf("%s %zu\n", argv[i], samples.CountIn(argv[i], content));
  }
  return 0;
}
