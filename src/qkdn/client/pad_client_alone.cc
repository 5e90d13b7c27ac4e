// SPDX-License-Identifier: LGPL-2.1-or-later
// The smallest program that takes pad: what it is linked with is what the client library needs.
#include <cstdio>

#include "ssn/pad_client.h"

int main(int argc, char** argv) {
  ssn::PadClient::Options options;
  options.program = "alone";
  if (argc > 1) options.socket_path = argv[1];
  const auto client = ssn::PadClient::Make(options);
  if (!client.ok()) return 2;
  const auto self = client.value()->Self();
  std::puts(self.ok() ? self.value().name.c_str() : self.status().message().c_str());
  return self.ok() ? 0 : 1;
}
