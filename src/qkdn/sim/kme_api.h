// SPDX-License-Identifier: LGPL-2.1-or-later
// kme_api.h - reference point Ak: the requests of ETSI GS QKD 014 answered by a node, without HTTP or TLS.
//
// Shapes:    `caller` is the SAE ID of the client's certificate; parameters and bodies are as they came.
// Errors:    in the answer: 400 with the messages the standard gives, 401 without a body, 503.
// Ownership: the body of an answer may hold keys; SecretText wipes it.
// Threads:   any.
// Spec:      ETSI GS QKD 014 V1.1.1 (2019-02), clauses 5 and 6.

#pragma once

#include <map>
#include <string>

#include "qkdn/sim/node.h"

namespace ssn::qkdn::sim {

class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(SecretText&&) = default;
  SecretText& operator=(SecretText&&) = default;
  ~SecretText() { Wipe({reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()}); }
  const std::string& text() const { return text_; }
  std::string& text() { return text_; }

 private:
  std::string text_;
};

struct KmeAnswer {
  int status = 200;
  SecretText body;  // JSON, or nothing
};

class KmeApi {
 public:
  using Parameters = std::multimap<std::string, std::string>;

  explicit KmeApi(Node& node) : node_(node) {}

  KmeAnswer GetStatus(const std::string& caller, const std::string& slave_sae_id);
  KmeAnswer GetKey(const std::string& caller, const std::string& slave_sae_id, const Parameters& parameters);
  KmeAnswer PostGetKey(const std::string& caller, const std::string& slave_sae_id, const std::string& body);
  KmeAnswer GetKeyWithIds(const std::string& caller, const std::string& master_sae_id,
                          const Parameters& parameters);
  KmeAnswer PostGetKeyWithIds(const std::string& caller, const std::string& master_sae_id,
                              const std::string& body);

 private:
  KmeAnswer Answer(const std::string& caller, auto handle);
  KmeAnswer Supply(const std::string& caller, const std::string& slave_sae_id,
                   Result<etsi014::KeyRequest> parsed);
  KmeAnswer Deliver(const std::string& caller, const std::string& master_sae_id,
                    Result<std::vector<std::string>> parsed);
  Status CheckRequest(const std::string& slave_sae_id, const etsi014::KeyRequest& request) const;
  Status CheckSlaves(const std::vector<std::string>& slave_sae_ids) const;

  Node& node_;
};

}  // namespace ssn::qkdn::sim
