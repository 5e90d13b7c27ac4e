// SPDX-License-Identifier: LGPL-2.1-or-later
// Answers hold keys. Their copy here is in SecretBytes and is wiped; so are the pieces of it that lie in
// libcurl's receive buffer and OpenSSL's record buffer, as soon as they have been taken.
#include "qkdn/etsi014/https_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "qkdn/etsi014/kme_errors.h"

namespace ssn::qkdn::etsi014 {
namespace {

constexpr std::size_t kFirstRoom = 64 << 10;  // of a body whose length the server does not tell
constexpr int kPollMs = 1000;

// What may pass by itself. The rest is in the way until somebody changes something.
bool MayPass(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:  // broken off; an alert is found in TlsIdentity::refusal
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_AGAIN:
      return true;
    default:
      return false;
  }
}

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::optional<std::string> UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return std::nullopt;
  std::string copy(text);
  curl_free(text);
  return copy;
}

// https://HOST[:PORT][/] and nothing else: what a longer URL means would be ours to guess.
Result<std::string> BaseUrl(const std::string& text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  bool right = url != nullptr && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK &&
               UrlPart(url.get(), CURLUPART_SCHEME) == "https" && UrlPart(url.get(), CURLUPART_PATH) == "/";
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT})
    right = right && !UrlPart(url.get(), part);
  if (!right) return Status::InvalidArgument(fmt::format("url={} is not https://HOST[:PORT]", text));
  const std::optional<std::string> port = UrlPart(url.get(), CURLUPART_PORT);
  return fmt::format("https://{}{}", *UrlPart(url.get(), CURLUPART_HOST), port ? ":" + *port : "");
}

template <typename T>
bool Set(CURL* easy, CURLoption option, T value) {
  return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

}  // namespace

HttpsSession::HttpsSession(const KmeClient::Options& options, std::string base,
                           std::unique_ptr<TlsIdentity> identity)
    : base_(std::move(base)), max_body_bytes_(options.max_body_bytes), identity_(std::move(identity)) {}

HttpsSession::~HttpsSession() = default;

Result<std::unique_ptr<HttpsSession>> HttpsSession::Make(const KmeClient::Options& options) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) return Status::Unavailable(fmt::format("libcurl: {}", curl_easy_strerror(ready)));
  Result<std::string> base = BaseUrl(options.url);
  if (!base.ok()) return base.status();
  auto identity =
      TlsIdentity::Load(options.ca_file, options.certificate_file, options.key_file, options.kme_id);
  if (!identity.ok()) return identity.status();
  std::unique_ptr<HttpsSession> session(
      new HttpsSession(options, std::move(base).value(), std::move(identity).value()));
  if (!session->Configure(options))
    return Status::Unavailable("libcurl does not take the settings of an HTTPS session");
  return session;
}

bool HttpsSession::Configure(const KmeClient::Options& options) {
  easy_.reset(curl_easy_init());
  // Without an Expect line a large request would wait for a "100 Continue" that few servers send.
  for (const char* const line : {"Content-Type: application/json", "Accept: application/json", "Expect:"}) {
    curl_slist* const longer = curl_slist_append(headers_.get(), line);
    if (longer == nullptr) return false;
    (void)headers_.release();
    headers_.reset(longer);
  }
  CURL* const easy = easy_.get();
  if (easy == nullptr) return false;
  const bool transport =
      Set(easy, CURLOPT_PROTOCOLS_STR, "https") && Set(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
      Set(easy, CURLOPT_PROXY, "") && Set(easy, CURLOPT_NOPROXY, "*") &&
      Set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1}) && Set(easy, CURLOPT_NOSIGNAL, 1L) &&
      Set(easy, CURLOPT_PATH_AS_IS, 1L) &&
      Set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count())) &&
      Set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
  // The system's authorities must not vouch for a KME: the store comes from TlsIdentity alone.
  // Nor is a session resumed: every connection proves its KME ID, and servers that ask for certificates often
  // forget what resumption needs of them.
  const bool tls = Set(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) &&
                   Set(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2}) &&
                   Set(easy, CURLOPT_SSL_VERIFYPEER, 1L) && Set(easy, CURLOPT_SSL_VERIFYHOST, 2L) &&
                   Set(easy, CURLOPT_CAINFO, static_cast<char*>(nullptr)) &&
                   Set(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr)) &&
                   Set(easy, CURLOPT_SSL_CTX_FUNCTION, OnContext) && Set(easy, CURLOPT_SSL_CTX_DATA, this);
  return transport && tls && Set(easy, CURLOPT_HTTPHEADER, headers_.get()) &&
         Set(easy, CURLOPT_ERRORBUFFER, curl_words_.data()) && Set(easy, CURLOPT_WRITEFUNCTION, OnBody) &&
         Set(easy, CURLOPT_WRITEDATA, this);
}

std::variant<HttpsSession::Answer, KmeError> HttpsSession::Send(const std::string& path,
                                                                const std::string* body) {
  const std::string request = (body == nullptr ? "GET " : "POST ") + path;
  CURL* const easy = easy_.get();
  WipeBody();
  body_too_large_ = false;
  curl_words_[0] = '\0';
  identity_->ForgetRefusal();
  bool set = Set(easy, CURLOPT_URL, (base_ + path).c_str());
  if (body == nullptr)
    set = set && Set(easy, CURLOPT_HTTPGET, 1L);
  else
    set = set && Set(easy, CURLOPT_POST, 1L) &&
          Set(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size())) &&
          Set(easy, CURLOPT_POSTFIELDS, body->c_str());
  const CURLcode code = set ? Perform() : CURLE_OUT_OF_MEMORY;
  if (code != CURLE_OK || interrupted_) {
    Disconnect();
    return Failure(request, code);
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return Answer{static_cast<int>(status), {reinterpret_cast<const char*>(body_.data()), body_bytes_}};
}

CURLcode HttpsSession::Perform() {
  {
    const std::lock_guard lock(multi_mutex_);
    if (multi_ == nullptr) multi_.reset(curl_multi_init());
  }
  CURLM* const multi = multi_.get();
  if (curl_multi_add_handle(multi, easy_.get()) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  // Interrupt wakes a poll that waits, and the next one if none does.
  while (!interrupted_) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) {
      code = CURLE_OUT_OF_MEMORY;
      break;
    }
    if (running == 0) {
      int left = 0;
      if (const CURLMsg* const done = curl_multi_info_read(multi, &left); done != nullptr)
        code = done->data.result;
      break;
    }
    curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr);
  }
  curl_multi_remove_handle(multi, easy_.get());
  return code;
}

// A server that refuses our certificate in TLS 1.3 does so after the handshake; its alert then lies behind a
// request that could not be sent. libcurl reads what is left of a connection when it closes it, and so fills
// in refusal().
void HttpsSession::Disconnect() {
  const std::lock_guard lock(multi_mutex_);
  multi_.reset();
}

KmeError HttpsSession::Failure(const std::string& request, CURLcode code) const {
  using Action = KmeError::Action;
  const std::string start = fmt::format("{} at {}: ", request, base_);
  if (interrupted_) return {Action::kRetryLater, 0, start + "interrupted"};
  if (body_too_large_)
    return {Action::kRefused, 0, start + fmt::format("the answer is longer than {} bytes", max_body_bytes_)};
  if (!identity_->refusal().empty()) return {Action::kRefused, 0, start + identity_->refusal()};
  // Bytes that are no TLS at all end a handshake without an alert.
  const std::string_view said = curl_words_.data();
  if (said.find("wrong version number") != said.npos)
    return {Action::kRefused, 0, start + "the other side does not speak TLS"};
  std::string words = curl_easy_strerror(code);
  if (!said.empty()) words += fmt::format(" ({})", Printable(said));
  return {MayPass(code) ? Action::kRetryLater : Action::kRefused, 0, start + words};
}

bool HttpsSession::Receive(std::string_view piece) {
  if (piece.size() > max_body_bytes_ - body_bytes_) return false;
  const std::size_t needed = body_bytes_ + piece.size();
  if (needed + kJsonPadding > body_.size()) {
    curl_off_t told = -1;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &told);
    const std::size_t expected = told < 0 ? 0 : static_cast<std::size_t>(told);
    if (expected > max_body_bytes_) return false;
    SecretBytes larger(std::max({expected, needed, 2 * body_bytes_, kFirstRoom}) + kJsonPadding);
    std::ranges::copy(body_.span().first(body_bytes_), larger.data());
    body_ = std::move(larger);
  }
  std::memcpy(body_.data() + body_bytes_, piece.data(), piece.size());
  body_bytes_ = needed;
  return true;
}

void HttpsSession::WipeBody() noexcept {
  Wipe(body_.span().first(body_bytes_));
  body_bytes_ = 0;
}

void HttpsSession::Interrupt() noexcept {
  interrupted_ = true;
  const std::lock_guard lock(multi_mutex_);
  if (multi_ != nullptr) curl_multi_wakeup(multi_.get());
}

std::size_t HttpsSession::OnBody(char* data, std::size_t size, std::size_t count, void* self) {
  auto& session = *static_cast<HttpsSession*>(self);
  const bool received = session.Receive({data, size * count});
  Wipe({reinterpret_cast<std::uint8_t*>(data), size * count});
  if (received) return size * count;
  session.body_too_large_ = true;
  return 0;
}

CURLcode HttpsSession::OnContext(CURL*, void* context, void* self) {
  const bool applied = static_cast<HttpsSession*>(self)->identity_->Apply(static_cast<SSL_CTX*>(context));
  return applied ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

}  // namespace ssn::qkdn::etsi014
