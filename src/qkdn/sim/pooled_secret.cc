// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/sim/pooled_secret.h"

#include <cstring>
#include <map>
#include <mutex>
#include <vector>

namespace ssn::qkdn::sim {
namespace {

constexpr std::size_t kMostKeptBytes = std::size_t{64} << 20;
constexpr std::size_t kPage = 4096;

class Pool {
 public:
  SecretBytes Take(std::size_t size) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = kept_.find(size);
      if (found != kept_.end() && !found->second.empty()) {
        SecretBytes bytes = std::move(found->second.back());
        found->second.pop_back();
        kept_bytes_ -= Pages(size);
        return bytes;
      }
    }
    return SecretBytes(size);
  }

  void Give(SecretBytes bytes) {
    Wipe(bytes.span());
    std::map<std::size_t, std::vector<SecretBytes>> dropped;  // unmapped after the lock is gone
    const std::lock_guard lock(mutex_);
    // Sizes that nobody asks for any more must not fill the pool for ever.
    if (kept_bytes_ + Pages(bytes.size()) > kMostKeptBytes) {
      dropped.swap(kept_);
      kept_bytes_ = 0;
    }
    kept_bytes_ += Pages(bytes.size());
    kept_[bytes.size()].push_back(std::move(bytes));
  }

 private:
  static std::size_t Pages(std::size_t size) { return (size + kPage - 1) / kPage * kPage; }

  std::mutex mutex_;
  std::map<std::size_t, std::vector<SecretBytes>> kept_;
  std::size_t kept_bytes_ = 0;
};

Pool& ThePool() {
  static Pool pool;
  return pool;
}

}  // namespace

PooledSecret::PooledSecret(std::size_t size) {
  if (size > 0) bytes_ = ThePool().Take(size);
}

PooledSecret::PooledSecret(ByteSpan copy_of) : PooledSecret(copy_of.size()) {
  if (!copy_of.empty()) std::memcpy(bytes_.data(), copy_of.data(), copy_of.size());
}

PooledSecret::~PooledSecret() {
  if (bytes_.size() > 0) ThePool().Give(std::move(bytes_));
}

}  // namespace ssn::qkdn::sim
