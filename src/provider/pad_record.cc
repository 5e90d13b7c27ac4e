// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/pad_record.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace ssn::provider {

void PadRecord::Write(const StreamId& stream, ByteSpan ciphertext) {
  constexpr std::size_t kHeadBytes = 32;
  const char* const folder = std::getenv("SSN_RECORD_PAD");
  if (folder == nullptr) return;
  std::vector<std::uint8_t> entry;
  for (unsigned i = 0; i < 4; ++i) entry.push_back(static_cast<std::uint8_t>(pad_.size() >> 8 * i));
  entry.insert(entry.end(), stream.begin(), stream.end());
  const auto head = ciphertext.first(std::min(ciphertext.size(), kHeadBytes));
  entry.insert(entry.end(), head.begin(), head.end());
  entry.resize(entry.size() + kHeadBytes - head.size());
  for (std::size_t i = 0; i < pad_.size(); ++i) pad_[i] ^= ciphertext[i];
  entry.insert(entry.end(), pad_.begin(), pad_.end());
  // One write at the end of a file is whole, whichever thread's it is.
  const std::string path = std::string(folder) + "/" + std::to_string(getpid()) + ".pad";
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const ssize_t written = write(fd, entry.data(), entry.size());
  if (written != static_cast<ssize_t>(entry.size())) unlink(path.c_str());
  close(fd);
}

}  // namespace ssn::provider
