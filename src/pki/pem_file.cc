// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pki/pem_file.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace ssn::pki {
namespace {

constexpr mode_t kPublic = 0644;
constexpr mode_t kPrivate = 0600;

Status SystemError(const std::string& path) {
  return Status::Unavailable(path + ": " + std::strerror(errno));
}

template <typename Handle>
Result<Handle> Read(const std::string& path, auto read) {
  errno = 0;
  const BioHandle file(BIO_new_file(path.c_str(), "r"));
  if (!file) {
    ERR_clear_error();
    return SystemError(path);
  }
  Handle object(read(file.get()));
  if (!object) return OpenSslError(path);
  return object;
}

Status WriteAll(int file, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = write(file, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write");
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return {};
}

Status WriteFile(const std::string& path, mode_t mode, BIO* text) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text, &bytes);
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return SystemError(temporary);
  Status status = WriteAll(file, bytes, static_cast<std::size_t>(size));
  if (fchmod(file, mode) != 0 || fsync(file) != 0) status = SystemError(temporary);
  close(file);
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) status = SystemError(path);
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

Status Write(const std::string& path, mode_t mode, auto write_object) {
  // OpenSSL clears the memory of such a BIO when it frees it.
  const BioHandle text(BIO_new(BIO_s_mem()));
  if (!text || write_object(text.get()) != 1) return OpenSslError(path);
  return WriteFile(path, mode, text.get());
}

}  // namespace

Result<CertificateHandle> ReadCertificate(const std::string& path) {
  return Read<CertificateHandle>(path,
                                 [](BIO* in) { return PEM_read_bio_X509(in, nullptr, nullptr, nullptr); });
}

Result<KeyHandle> ReadKey(const std::string& path) {
  return Read<KeyHandle>(path,
                         [](BIO* in) { return PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr); });
}

Result<CrlHandle> ReadCrl(const std::string& path) {
  return Read<CrlHandle>(path, [](BIO* in) { return PEM_read_bio_X509_CRL(in, nullptr, nullptr, nullptr); });
}

Status WriteCertificate(const std::string& path, X509* certificate) {
  return Write(path, kPublic, [&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

Status WriteKey(const std::string& path, EVP_PKEY* key) {
  return Write(path, kPrivate, [&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Status WriteCrl(const std::string& path, X509_CRL* crl) {
  return Write(path, kPublic, [&](BIO* out) { return PEM_write_bio_X509_CRL(out, crl); });
}

}  // namespace ssn::pki
