// SPDX-License-Identifier: LGPL-2.1-or-later
// kme_client.h - the application's side of reference point Ak: asks one key management entity (KME) for keys.
//
// Shapes:    sizes in bytes; the wire's bits stay inside.
// Errors:    KmeError, sorted by what the caller has to do, whatever dialect the KME speaks.
// Ownership: one client holds one connection (kept alive), and memory for the longest answer so far (wiped).
// Threads:   one call at a time; Interrupt from any thread.
// Spec:      ETSI GS QKD 014 V1.1.1 (2019-02), clauses 5 and 6.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "qkdn/etsi014/objects.h"

namespace ssn::qkdn::etsi014 {

struct KmeError {
  enum class Action {
    kRetryLater,  // the store is empty, or the KME does not answer: the same request may work later
    kDiscard,     // these key ids are consumed, expired or unknown: both sides drop them
    kRefused,     // the request or the configuration is wrong: somebody has to change it
  };
  Action action = Action::kRefused;
  int http_status = 0;   // 0: no HTTP answer was had
  std::string message;   // for the log: URL path, status, the KME's own words (cut), never key bytes
  bool no_keys = false;  // status 200 and an empty list: how some KMEs say that the store is empty
};

template <typename T>
using KmeResult = std::variant<T, KmeError>;

class KmeClient {
 public:
  struct Options {
    std::string url;               // https://HOST[:PORT]; nothing else is taken
    std::string kme_id;            // must be the certificate's CN or one of its DNS or URI names
    std::string ca_file;           // PEM: who signs the KME's certificate
    std::string certificate_file;  // PEM: ours; the KME takes the SAE ID from it
    std::string key_file;          // PEM
    std::chrono::milliseconds connect_timeout{2000};
    std::chrono::milliseconds timeout{10000};  // of a whole exchange
    std::size_t max_body_bytes = std::size_t{16} << 20;
  };

  // Checks the options and reads the files; connects at the first call.
  static Result<std::unique_ptr<KmeClient>> Make(Options options);
  virtual ~KmeClient() = default;

  virtual KmeResult<PoolStatus> GetStatus(const std::string& slave_sae_id) = 0;
  // GetKeys: enc_keys. `key_bytes` 0 leaves the size to the KME. The answer may hold fewer keys than
  // `number`.
  virtual KmeResult<Keys> GetKeys(const std::string& slave_sae_id, std::uint64_t number,
                                  std::uint64_t key_bytes) = 0;
  // GetKeysWithIds: dec_keys. The answer holds exactly the ids asked for, in that order, or it is an error.
  virtual KmeResult<Keys> GetKeysWithIds(const std::string& master_sae_id,
                                         const std::vector<std::string>& ids) = 0;

  // Interrupt ends a running call at once, and every later one, with kRetryLater.
  virtual void Interrupt() noexcept = 0;
};

}  // namespace ssn::qkdn::etsi014
