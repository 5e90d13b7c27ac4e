// SPDX-License-Identifier: LGPL-2.1-or-later
// peer_tls.h - TLS between proxies: version 1.3, certificates on both sides, revocation, no resumption.
//
// Errors:    kInvalidArgument names the file and OpenSSL's reason.
// Ownership: a context is shared by the connections that were made with it.
// Threads:   a context may be used by any; the rest by one.
// Spec:      RFC 8446, RFC 5280, RFC 6125.

#pragma once

#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/stream.hpp>
#include <memory>
#include <string>

#include "qkdn/proxy/config.h"
#include "ssn/status.h"

namespace ssn::qkdn::proxy {

using TlsContext = asio::ssl::context;
using TlsStream = asio::ssl::stream<asio::ip::tcp::socket>;

Result<std::shared_ptr<TlsContext>> MakeTlsContext(const TlsFiles& files);

// CheckPeerName: the certificate that the other end showed is for `name`, by its DNS names or, without any,
// its CN.
Status CheckPeerName(TlsStream& stream, const std::string& name);

// CheckPeerAgain: the certificate of an established connection still holds by the (newer) context `now`.
Status CheckPeerAgain(TlsStream& stream, TlsContext& now);

// Why a handshake failed, in words; for certificates OpenSSL keeps the reason apart.
std::string HandshakeFault(TlsStream& stream, const std::error_code& error);

}  // namespace ssn::qkdn::proxy
