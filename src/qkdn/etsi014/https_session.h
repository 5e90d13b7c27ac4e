// SPDX-License-Identifier: LGPL-2.1-or-later
// https_session.h - requests to one HTTPS server over one connection that is kept alive.
//
// Errors:    what went wrong below HTTP is a KmeError with http_status 0; every HTTP status is an Answer.
// Ownership: an answer's body belongs to the session, until the next request or WipeBody.
// Threads:   one call at a time; Interrupt from any thread.

#pragma once

#include <curl/curl.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>

#include "qkdn/etsi014/kme_client.h"
#include "qkdn/etsi014/tls_identity.h"

namespace ssn::qkdn::etsi014 {

class HttpsSession {
 public:
  struct Answer {
    int http_status = 0;
    std::string_view body;  // kJsonPadding bytes behind it may be read
  };

  static Result<std::unique_ptr<HttpsSession>> Make(const KmeClient::Options& options);
  ~HttpsSession();
  HttpsSession(const HttpsSession&) = delete;
  HttpsSession& operator=(const HttpsSession&) = delete;

  // Send asks for `path`: by GET, or by POST when there is a body.
  std::variant<Answer, KmeError> Send(const std::string& path, const std::string* body);
  // WipeBody ends the life of the last answer's body. Its memory is kept for the next.
  void WipeBody() noexcept;
  // Interrupt ends a running Send at once, and every later one. It takes a lock: not for signal handlers.
  void Interrupt() noexcept;

 private:
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  HttpsSession(const KmeClient::Options& options, std::string base, std::unique_ptr<TlsIdentity> identity);
  bool Configure(const KmeClient::Options& options);
  CURLcode Perform();
  void Disconnect();
  KmeError Failure(const std::string& request, CURLcode code) const;
  bool Receive(std::string_view piece);
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
  static CURLcode OnContext(CURL* easy, void* context, void* self);

  const std::string base_;  // https://HOST[:PORT]
  const std::size_t max_body_bytes_;
  const std::unique_ptr<TlsIdentity> identity_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::mutex multi_mutex_;  // of the pointer, which Interrupt uses from its own thread
  std::unique_ptr<CURLM, FreeMulti>
      multi_;  // holds the connection; null until the first request and after failures
  std::unique_ptr<CURL, FreeEasy> easy_;
  std::array<char, CURL_ERROR_SIZE> curl_words_{};
  SecretBytes body_;  // room for the largest answer so far
  std::size_t body_bytes_ = 0;
  bool body_too_large_ = false;
  std::atomic<bool> interrupted_ = false;
};

}  // namespace ssn::qkdn::etsi014
