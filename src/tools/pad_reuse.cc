// SPDX-License-Identifier: LGPL-2.1-or-later
// pad_reuse - finds pad that was used more than once, in what ssnotp_recording.so wrote down.
//
// usage: pad_reuse RECORD...
//
// A record is what src/provider/pad_record.h describes; the process that wrote it may have been killed in the
// middle of an entry. Exit code: 0 nothing was found, 1 something was, 2 a record cannot be read.
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <vector>

#include "tools/pad_books.h"

namespace {

constexpr std::size_t kHeadBytes = 4 + 16 + 32;  // length, stream, ciphertext

// Every place in the records is a position of its own: what is told apart is content.
void Enter(std::ifstream& file, std::uint64_t& position, ssn::tools::PadBooks& books) {
  std::uint8_t head[kHeadBytes];
  std::vector<std::uint8_t> pad;
  while (file.read(reinterpret_cast<char*>(head), kHeadBytes)) {
    pad.resize(std::size_t{head[3]} << 24 | std::size_t{head[2]} << 16 | std::size_t{head[1]} << 8 | head[0]);
    if (!file.read(reinterpret_cast<char*>(pad.data()), static_cast<std::streamsize>(pad.size()))) return;
    books.Enter({}, {}, position, pad);
    position += pad.size() + 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  ssn::tools::PadBooks books;
  std::uint64_t position = 0;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      fmt::print(stderr, "pad_reuse: cannot read {}\n", argv[i]);
      return 2;
    }
    Enter(file, position, books);
  }
  fmt::print("{} bytes of pad in {} records\n{}", books.bytes(), argc - 1, books.findings());
  return books.findings().empty() ? 0 : 1;
}
