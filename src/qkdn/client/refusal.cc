// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/client/refusal.h"

namespace ssn::qkdn::client {

using north::Refusal;

std::string_view Name(Refusal reason) {
  switch (reason) {
    case Refusal::kMalformed:
      return "the proxy does not understand this program";
    case Refusal::kNotPermitted:
      return "this user or group may not take pad";
    case Refusal::kUnknownPeer:
      return "no such peer";
    case Refusal::kStreamExists:
      return "this stream id is or was in use";
    case Refusal::kTooLarge:
      return "more than the link can hold";
    case Refusal::kDry:
      return "no pad in time";
    case Refusal::kLinkDown:
      return "the proxy of the peer is not connected";
    case Refusal::kStreamEnded:
      return "the stream has ended";
    case Refusal::kWindowFull:
      return "no room for so much pad at hand";
    case Refusal::kNoSuchStream:
      return "no such stream, or nothing kept for it";
  }
  return "refused";
}

Status ToStatus(Refusal reason, std::string_view what, std::string_view detail) {
  std::string message = std::string(what).append(": ").append(Name(reason));
  if (!detail.empty()) message.append(" (").append(detail).append(")");
  switch (reason) {
    case Refusal::kMalformed:
    case Refusal::kNotPermitted:
    case Refusal::kUnknownPeer:
    case Refusal::kStreamExists:
    case Refusal::kTooLarge:
      return Status::InvalidArgument(std::move(message));
    default:
      return Status::Unavailable(std::move(message));
  }
}

}  // namespace ssn::qkdn::client
