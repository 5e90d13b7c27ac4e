// SPDX-License-Identifier: LGPL-2.1-or-later
#include "provider/cipher.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>

#include "provider/session.h"
#include "ssn/secret.h"

namespace ssn::provider {
namespace {

// One EVP_CIPHER_CTX.
class Context {
 public:
  explicit Context(Services& services) : services_(services), aes_(std::make_unique<AesGcm>(services.aes)) {}
  ~Context() { Wipe(tag_); }
  bool ok() const noexcept { return aes_->ok(); }

  int Init(bool encrypt, ByteSpan key, ByteSpan iv, const OSSL_PARAM* params);
  int Update(std::uint8_t* out, std::size_t* written, const std::uint8_t* in, std::size_t bytes);
  int Final(std::uint8_t* out, std::size_t* written, std::size_t room);
  int OneShot(std::uint8_t* out, std::size_t* written, const std::uint8_t* in, std::size_t bytes);
  int GetParams(OSSL_PARAM* params);
  int SetParams(const OSSL_PARAM* params);
  Context* Copy() const;
  // From here on the peer rejects whatever comes. False if this is no session.
  bool EndSession() noexcept;

 private:
  bool in_session() const noexcept { return sender_ || receiver_; }
  bool LeaveSession();
  bool StartSession(bool encrypt, ByteSpan key);

  Services& services_;
  std::unique_ptr<AesGcm> aes_;
  bool plain_ = false;  // it is not msgr2's
  bool encrypt_ = true;
  std::optional<TransmitSession> sender_;
  std::optional<ReceiveSession> receiver_;
  Session::Tag tag_{};      // of msgr2: made, or to be verified
  bool tag_given_ = false;  // by SetParams, and not to aes_ yet
};

bool Context::EndSession() noexcept {
  if (sender_) sender_->End();
  if (receiver_) receiver_->End();
  return in_session();
}

// Called for what msgr2 does not do. True: this context goes on as AES-128-GCM, which has seen every call so
// far. False: it is a session for certain, whose peer will reject the rest of it.
bool Context::LeaveSession() {
  if (in_session() && !(sender_ ? sender_->undecided() || sender_->foreign()
                                : receiver_->undecided() || receiver_->foreign())) {
    EndSession();
    return false;
  }
  sender_.reset();
  receiver_.reset();
  if (tag_given_) aes_->SetTag(tag_);
  tag_given_ = false;
  return plain_ = true;
}

bool Context::StartSession(bool encrypt, ByteSpan key) {
  Session::Key session_key;
  std::copy(key.begin(), key.end(), session_key.begin());
  if (encrypt)
    sender_.emplace(services_, *aes_, session_key);
  else
    receiver_.emplace(services_, *aes_, session_key);
  Wipe(session_key);
  return aes_->Init(encrypt, key.data(), nullptr) == 1;
}

int Context::Init(bool encrypt, ByteSpan key, ByteSpan iv, const OSSL_PARAM* params) {
  const bool with_params = params != nullptr && params->key != nullptr;
  const bool of_msgr2 = !plain_ && !with_params && (key.empty() || iv.empty()) &&
                        (key.empty() || (key.size() == kAesKeyBytes && !in_session())) &&
                        (iv.empty() || (iv.size() == kIvBytes && in_session())) &&
                        (!in_session() || encrypt == encrypt_);
  encrypt_ = encrypt;
  if (!of_msgr2) {
    if (!plain_ && !LeaveSession()) return 1;
    return aes_->Init(encrypt, key.empty() ? nullptr : key.data(), iv.empty() ? nullptr : iv.data(), params);
  }
  if (!key.empty()) return StartSession(encrypt, key) ? 1 : 0;
  if (iv.empty()) return aes_->Init(encrypt, nullptr, nullptr);
  FirstIv record_iv;
  std::copy(iv.begin(), iv.end(), record_iv.begin());
  if (sender_) sender_->BeginRecord(record_iv);
  if (receiver_) receiver_->BeginRecord(record_iv);
  return 1;
}

int Context::Update(std::uint8_t* out, std::size_t* written, const std::uint8_t* in, std::size_t bytes) {
  *written = 0;
  const bool associated_data = out == nullptr && in != nullptr;
  if (!plain_ && (associated_data || !in_session()) && !LeaveSession()) return 1;
  if (plain_) return aes_->Update(out, written, in, bytes);
  if (sender_) sender_->Update({in, bytes}, {out, bytes});
  if (receiver_) receiver_->Update({in, bytes}, {out, bytes});
  *written = bytes;
  return 1;
}

int Context::Final(std::uint8_t* out, std::size_t* written, std::size_t room) {
  *written = 0;
  if (!plain_ && !in_session()) LeaveSession();
  if (plain_) return aes_->Final(out, written, room);
  if (receiver_) {
    bool authentic = false;
    try {
      authentic = receiver_->Finish(tag_);
    } catch (...) {
      receiver_->End();
    }
    tag_given_ = false;
    if (receiver_->foreign()) LeaveSession();
    return authentic ? 1 : 0;
  }
  try {
    tag_ = sender_->Finish();
  } catch (...) {
    sender_->End();
    tag_ = sender_->Finish();  // one that the peer rejects
  }
  if (sender_->foreign()) LeaveSession();
  return 1;
}

int Context::OneShot(std::uint8_t* out, std::size_t* written, const std::uint8_t* in, std::size_t bytes) {
  *written = 0;
  if (!plain_ && !LeaveSession()) {
    // There is no telling what the caller takes for its ciphertext.
    if (out != nullptr) Wipe({out, bytes});
    *written = bytes;
    return 1;
  }
  return aes_->OneShot(out, written, in, bytes);
}

int Context::GetParams(OSSL_PARAM* params) {
  if (!plain_ && sender_ && !sender_->undecided())
    if (OSSL_PARAM* const tag = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_AEAD_TAG); tag != nullptr)
      return tag->data != nullptr && tag->data_size <= tag_.size() &&
             OSSL_PARAM_set_octet_string(tag, tag_.data(), tag->data_size);
  return aes_->GetParams(params);
}

int Context::SetParams(const OSSL_PARAM* params) {
  if (params == nullptr || params->key == nullptr) return 1;
  const bool whole_tag = std::strcmp(params->key, OSSL_CIPHER_PARAM_AEAD_TAG) == 0 &&
                         params[1].key == nullptr && params->data != nullptr &&
                         params->data_size == tag_.size();
  if (!plain_ && whole_tag && receiver_) {
    std::memcpy(tag_.data(), params->data, tag_.size());
    tag_given_ = true;
    return 1;
  }
  if (!plain_ && !LeaveSession()) return 1;
  return aes_->SetParams(params);
}

// A session is never copied: two that use the same pad, or the same nonces, would be one too many.
Context* Context::Copy() const {
  if (in_session()) return nullptr;
  auto copy = std::make_unique<Context>(services_);
  copy->aes_ = aes_->Copy();
  if (copy->aes_ == nullptr) return nullptr;
  copy->plain_ = plain_;
  copy->encrypt_ = encrypt_;
  return copy.release();
}

// No exception may reach OpenSSL. What throws is memory that is not there.
template <typename Call>
auto Guarded(Call call) noexcept -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    return {};
  }
}

Context& Of(void* context) { return *static_cast<Context*>(context); }

// The same of a call that must not fail in a session, because Ceph would end the daemon: the session ends
// instead.
int InitOrEnd(void* context, bool encrypt, ByteSpan key, ByteSpan iv, const OSSL_PARAM* params) noexcept {
  try {
    return Of(context).Init(encrypt, key, iv, params);
  } catch (...) {
    return Of(context).EndSession() ? 1 : 0;
  }
}

void* New(void* services) {
  return Guarded([&]() -> Context* {
    auto context = std::make_unique<Context>(*static_cast<Services*>(services));
    return context->ok() ? context.release() : nullptr;
  });
}
void Free(void* context) { delete static_cast<Context*>(context); }
void* Duplicate(void* context) {
  return Guarded([&] { return Of(context).Copy(); });
}

ByteSpan Span(const unsigned char* data, std::size_t size) {
  return data ? ByteSpan(data, size) : ByteSpan();
}

int EncryptInit(void* context, const unsigned char* key, size_t key_bytes, const unsigned char* iv,
                size_t iv_bytes, const OSSL_PARAM params[]) {
  return InitOrEnd(context, true, Span(key, key_bytes), Span(iv, iv_bytes), params);
}
int DecryptInit(void* context, const unsigned char* key, size_t key_bytes, const unsigned char* iv,
                size_t iv_bytes, const OSSL_PARAM params[]) {
  return InitOrEnd(context, false, Span(key, key_bytes), Span(iv, iv_bytes), params);
}
int Update(void* context, unsigned char* out, size_t* written, size_t, const unsigned char* in,
           size_t bytes) {
  try {
    return Of(context).Update(out, written, in, bytes);
  } catch (...) {
    if (out != nullptr) Wipe({out, bytes});  // where Ceph's plaintext may still be
    *written = bytes;
    return Of(context).EndSession() ? 1 : 0;
  }
}
int Final(void* context, unsigned char* out, size_t* written, size_t room) {
  return Guarded([&] { return Of(context).Final(out, written, room); });
}
int OneShot(void* context, unsigned char* out, size_t* written, size_t, const unsigned char* in,
            size_t bytes) {
  return Guarded([&] { return Of(context).OneShot(out, written, in, bytes); });
}

// What AES-128-GCM is, as the default provider says it.
int GetParams(OSSL_PARAM params[]) {
  constexpr struct {
    const char* key;
    size_t value;
  } kSizes[] = {{OSSL_CIPHER_PARAM_KEYLEN, kAesKeyBytes},
                {OSSL_CIPHER_PARAM_IVLEN, kIvBytes},
                {OSSL_CIPHER_PARAM_BLOCK_SIZE, 1}};
  for (const auto& size : kSizes)
    if (OSSL_PARAM* const param = OSSL_PARAM_locate(params, size.key); param != nullptr)
      if (OSSL_PARAM_set_size_t(param, size.value) != 1) return 0;
  constexpr struct {
    const char* key;
    int value;
  } kFlags[] = {{OSSL_CIPHER_PARAM_AEAD, 1},
                {OSSL_CIPHER_PARAM_CUSTOM_IV, 1},
                {OSSL_CIPHER_PARAM_CTS, 0},
                {OSSL_CIPHER_PARAM_TLS1_MULTIBLOCK, 0},
                {OSSL_CIPHER_PARAM_HAS_RAND_KEY, 0}};
  for (const auto& flag : kFlags)
    if (OSSL_PARAM* const param = OSSL_PARAM_locate(params, flag.key); param != nullptr)
      if (OSSL_PARAM_set_int(param, flag.value) != 1) return 0;
  OSSL_PARAM* const mode = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_MODE);
  return mode == nullptr || OSSL_PARAM_set_uint(mode, EVP_CIPH_GCM_MODE) == 1;
}
const OSSL_PARAM* GettableParams(void* services) {
  const EVP_CIPHER* const cipher = static_cast<Services*>(services)->aes.cipher();
  return cipher == nullptr ? nullptr : EVP_CIPHER_gettable_params(cipher);
}
int GetContextParams(void* context, OSSL_PARAM params[]) {
  return Guarded([&] { return Of(context).GetParams(params); });
}
const OSSL_PARAM* GettableContextParams(void*, void* services) {
  const EVP_CIPHER* const cipher = static_cast<Services*>(services)->aes.cipher();
  return cipher == nullptr ? nullptr : EVP_CIPHER_gettable_ctx_params(cipher);
}
int SetContextParams(void* context, const OSSL_PARAM params[]) {
  return Guarded([&] { return Of(context).SetParams(params); });
}
const OSSL_PARAM* SettableContextParams(void*, void* services) {
  const EVP_CIPHER* const cipher = static_cast<Services*>(services)->aes.cipher();
  return cipher == nullptr ? nullptr : EVP_CIPHER_settable_ctx_params(cipher);
}

using Function = void (*)();
template <typename F>
Function As(F* function) {
  return reinterpret_cast<Function>(function);
}

}  // namespace

const OSSL_DISPATCH kCipherFunctions[] = {
    {OSSL_FUNC_CIPHER_NEWCTX, As(New)},
    {OSSL_FUNC_CIPHER_FREECTX, As(Free)},
    {OSSL_FUNC_CIPHER_DUPCTX, As(Duplicate)},
    {OSSL_FUNC_CIPHER_ENCRYPT_INIT, As(EncryptInit)},
    {OSSL_FUNC_CIPHER_DECRYPT_INIT, As(DecryptInit)},
    {OSSL_FUNC_CIPHER_UPDATE, As(Update)},
    {OSSL_FUNC_CIPHER_FINAL, As(Final)},
    {OSSL_FUNC_CIPHER_CIPHER, As(OneShot)},
    {OSSL_FUNC_CIPHER_GET_PARAMS, As(GetParams)},
    {OSSL_FUNC_CIPHER_GETTABLE_PARAMS, As(GettableParams)},
    {OSSL_FUNC_CIPHER_GET_CTX_PARAMS, As(GetContextParams)},
    {OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS, As(GettableContextParams)},
    {OSSL_FUNC_CIPHER_SET_CTX_PARAMS, As(SetContextParams)},
    {OSSL_FUNC_CIPHER_SETTABLE_CTX_PARAMS, As(SettableContextParams)},
    {0, nullptr},
};

}  // namespace ssn::provider
