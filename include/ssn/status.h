// SPDX-License-Identifier: LGPL-2.1-or-later
// status.h - how a call of this library ends: Status, or Result<T> when there is a value.
//
// Errors:    the code says which action of the caller helps, the message says what happened.
//            Messages name parameters, values and counts; they never hold key or share bytes.
// Ownership: both types own their contents; move or copy them freely.
// Threads:   const methods may run at once; anything else needs outside locking.

#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace ssn {

class [[nodiscard]] Status {
 public:
  enum class Code {
    kOk = 0,
    kInvalidArgument,  // the caller's parameters can never work
    kNotEnoughShares,  // try again with more shares
    kCorrupt,          // the shares disagree and it cannot be told which are right
    kUnavailable,      // a device or the system did not answer; trying later may help
  };

  Status() noexcept = default;  // OK
  static Status InvalidArgument(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }
  static Status NotEnoughShares(std::string message) { return {Code::kNotEnoughShares, std::move(message)}; }
  static Status Corrupt(std::string message) { return {Code::kCorrupt, std::move(message)}; }
  static Status Unavailable(std::string message) { return {Code::kUnavailable, std::move(message)}; }

  bool ok() const noexcept { return code_ == Code::kOk; }
  Code code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }

  // The negative errno Ceph expects for this code; 0 when ok().
  int ToErrno() const noexcept;

 private:
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  Code code_ = Code::kOk;
  std::string message_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Status error) : state_(std::in_place_index<1>, std::move(error)) { assert(!status().ok()); }

  bool ok() const noexcept { return state_.index() == 0; }
  // REQUIRES: !ok().
  const Status& status() const { return std::get<1>(state_); }
  // REQUIRES: ok().
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace ssn
