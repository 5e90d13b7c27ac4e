// SPDX-License-Identifier: LGPL-2.1-or-later
// Records of a msgr2 session under one-time pad that is at hand, beside AES-128-GCM.
#include <openssl/evp.h>

#include <memory>
#include <string>

#include "otp/one_time_pad.h"
#include "provider/otp_sender.h"
#include "ssn/random.h"
#include "ssn/secret.h"
#include "tools/ssn_bench.h"
#include "tools/ssn_bench_options.h"
#include "tools/ssn_bench_report.h"

namespace ssn::tools {
namespace {

using provider::OtpSender;
using std::chrono::milliseconds;

constexpr std::size_t kPadBytes = std::size_t{256} << 20;  // more than any cache holds

struct Options {
  std::uint64_t record_bytes = 65536;
  Timing timing;
  bool json = false;
};

// Pad in memory, taken from one end to the other and then again.
class MemoryPad final : public PadStream {
 public:
  explicit MemoryPad(MutableByteSpan pad) : pad_(pad) {}
  Status Reserve(std::size_t, milliseconds) override { return {}; }
  std::size_t available() const noexcept override { return pad_.size(); }
  Piece Next(std::size_t limit) noexcept override {
    return {pad_.subspan(at_, std::min(limit, pad_.size() - at_)), at_};
  }
  void Use(std::size_t bytes) noexcept override { at_ = (at_ + bytes) % pad_.size(); }
  void Account() noexcept override {}
  void Xor(ByteSpan in, MutableByteSpan out) noexcept override {
    while (!in.empty()) {
      const MutableByteSpan pad = Next(in.size()).pad;
      otp::XorAndWipe(pad, in.first(pad.size()), out.first(pad.size()));
      in = in.subspan(pad.size());
      out = out.subspan(pad.size());
      Use(pad.size());
    }
  }
  const PadEpoch& epoch() const noexcept override { return epoch_; }

 private:
  MutableByteSpan pad_;
  std::size_t at_ = 0;
  PadEpoch epoch_{};
};

class MemoryClient final : public PadClient {
 public:
  explicit MemoryClient(MutableByteSpan pad) : pad_(pad) {}
  Result<std::unique_ptr<PadStream>> Open(const StreamId&, NodeId, PadDirection, std::size_t,
                                          milliseconds) override {
    return std::unique_ptr<PadStream>(std::make_unique<MemoryPad>(pad_));
  }
  Result<Node> Self() override { return Node{1, "bench"}; }
  Result<std::vector<std::uint8_t>> Seal(NodeId, ByteSpan, ByteSpan, milliseconds) override { return None(); }
  Result<SecretBytes> Unseal(ByteSpan, ByteSpan, milliseconds, NodeId*) override { return None(); }
  Result<SecretBytes> SharedPad(NodeId, const StreamId&, std::size_t, milliseconds) override {
    return None();
  }
  Status Attach(const StreamId&, milliseconds) override { return {}; }
  void Detach(const StreamId&) override {}
  Result<bool> IsAttached(const StreamId&, milliseconds) override { return true; }
  Result<std::string> ProxyStatus(milliseconds) override { return None(); }

 private:
  static Status None() { return Status::Unavailable("a client of a benchmark has pad alone"); }
  MutableByteSpan pad_;
};

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

Status Run(const Options& options) {
  auto random = OpenRandomSource("drbg");
  if (!random.ok()) return random.status();
  const std::unique_ptr<std::uint8_t[]> memory(new std::uint8_t[kPadBytes]);
  const MutableByteSpan pad(memory.get(), kPadBytes);
  if (Status status = random.value()->Fill(pad); !status.ok()) return status;
  std::vector<std::uint8_t> in(options.record_bytes, 0x5c), out(options.record_bytes);
  std::array<std::uint8_t, 16> key{1}, tag{};
  std::array<std::uint8_t, 12> iv{};

  MemoryClient client(pad);
  OtpSender sender(client, {}, milliseconds(0));
  const Subject otp{"ssnotp",
                    [&]() -> Status {
                      sender.BeginRecord();
                      sender.Update(in, out);
                      sender.Finish(tag);
                      return sender.ended() ? Status::Unavailable("the session has ended") : Status();
                    },
                    "pad from " + std::to_string(kPadBytes >> 20) + " MiB of memory, wiped as it is used"};
  const std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter> aes(EVP_CIPHER_CTX_new());
  if (EVP_EncryptInit_ex(aes.get(), EVP_aes_128_gcm(), nullptr, key.data(), iv.data()) != 1)
    return Status::Unavailable("AES-128-GCM: no such cipher");
  const Subject gcm{
      "aes-128-gcm",
      [&]() -> Status {
        int written = 0;
        ++iv[4];
        if (EVP_EncryptInit_ex(aes.get(), nullptr, nullptr, nullptr, iv.data()) == 1 &&
            EVP_EncryptUpdate(aes.get(), out.data(), &written, in.data(), static_cast<int>(in.size())) == 1 &&
            EVP_EncryptFinal_ex(aes.get(), out.data(), &written) == 1 &&
            EVP_CIPHER_CTX_ctrl(aes.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1)
          return {};
        return Status::Unavailable("AES-128-GCM failed");
      },
      "OpenSSL's, as Ceph calls it"};
  const std::vector<Subject> subjects{otp, gcm};
  const auto speeds = Measure(subjects, options.timing, options.record_bytes);
  if (!speeds.ok()) return speeds.status();
  Print({"otp: records of a session, encrypted and authenticated",
         {{"record_bytes", options.record_bytes}},
         subjects,
         speeds.value(),
         std::nullopt},
        options.json);
  return {};
}

}  // namespace

Subcommand AddOtp(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("otp", "Session records under one-time pad");
  auto options = std::make_shared<Options>();
  AddSizeOption(*app, "--record", options->record_bytes, "a record");
  AddTimingOptions(*app, options->timing);
  AddJsonOption(*app, options->json);
  return {app, [options] { return Run(*options); }};
}

}  // namespace ssn::tools
