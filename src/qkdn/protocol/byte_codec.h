// SPDX-License-Identifier: LGPL-2.1-or-later
// byte_codec.h - the encoding both protocols are made of: little-endian integers, byte strings, text with
// its length.
//
// Shapes:    no padding and no alignment; fields follow each other.
// Errors:    a Reader keeps the first failure, with the field's name; what is read after it is zero and
//            empty, so that a decoder reads all fields first and asks once. A Writer cannot fail: text that
//            is too long is cut.
// Ownership: a Reader points into the bytes it was made with.
// Threads:   no locking of its own.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ssn/bytes.h"
#include "ssn/status.h"

namespace ssn::qkdn {

inline bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

class Writer {
 public:
  void U8(std::uint8_t value) { Integer(value, 1); }
  void U16(std::uint16_t value) { Integer(value, 2); }
  void U32(std::uint32_t value) { Integer(value, 4); }
  void U64(std::uint64_t value) { Integer(value, 8); }
  void Bytes(ByteSpan bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  // ShortText writes a u8 length and printable ASCII; any other byte becomes '?'.
  void ShortText(std::string_view text, std::size_t most = UINT8_MAX) {
    text = text.substr(0, std::min<std::size_t>(most, UINT8_MAX));
    U8(static_cast<std::uint8_t>(text.size()));
    for (const char c : text) U8(IsPrintable({&c, 1}) ? static_cast<std::uint8_t>(c) : std::uint8_t{'?'});
  }
  // LongText writes a u16 length and the text as it is.
  void LongText(std::string_view text, std::size_t most = UINT16_MAX) {
    text = text.substr(0, std::min<std::size_t>(most, UINT16_MAX));
    U16(static_cast<std::uint16_t>(text.size()));
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }

  std::size_t size() const noexcept { return bytes_.size(); }
  std::vector<std::uint8_t> Take() && { return std::move(bytes_); }

 private:
  void Integer(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  }

  std::vector<std::uint8_t> bytes_;
};

class Reader {
 public:
  explicit Reader(ByteSpan bytes) : left_(bytes) {}

  std::uint8_t U8(std::string_view field) { return static_cast<std::uint8_t>(Integer(field, 1)); }
  std::uint16_t U16(std::string_view field) { return static_cast<std::uint16_t>(Integer(field, 2)); }
  std::uint32_t U32(std::string_view field) { return static_cast<std::uint32_t>(Integer(field, 4)); }
  std::uint64_t U64(std::string_view field) { return Integer(field, 8); }
  // View is the next `size` bytes, without a copy; empty after a failure.
  ByteSpan View(std::string_view field, std::size_t size) {
    if (!Has(field, size)) return {};
    const ByteSpan view = left_.first(size);
    left_ = left_.subspan(size);
    return view;
  }
  // Bytes fills `out` with the next bytes; zeros after a failure.
  void Bytes(std::string_view field, MutableByteSpan out) {
    const ByteSpan view = View(field, out.size());
    if (view.empty())
      std::fill(out.begin(), out.end(), std::uint8_t{0});
    else
      std::copy(view.begin(), view.end(), out.begin());
  }
  // ShortText is a u8 length in [least, most] and printable ASCII.
  std::string ShortText(std::string_view field, std::size_t least = 0, std::size_t most = UINT8_MAX) {
    const std::string text = Text(field, U8(field));
    if (text.size() < least || text.size() > most)
      Fail(field, std::to_string(text.size()) + " bytes are outside " + std::to_string(least) + ".." +
                      std::to_string(most));
    if (!IsPrintable(text)) Fail(field, "not printable ASCII");
    return ok() ? text : std::string();
  }
  // LongText is a u16 length and any bytes.
  std::string LongText(std::string_view field) { return Text(field, U16(field)); }
  // Choice is an unsigned enumerator in [least, most] with the width of its type.
  template <typename Enum>
  Enum Choice(std::string_view field, Enum least, Enum most) {
    const auto value = Integer(field, sizeof(Enum));
    if (ok() && (value < static_cast<std::uint64_t>(least) || value > static_cast<std::uint64_t>(most)))
      Fail(field, "no such value: " + std::to_string(value));
    return ok() ? static_cast<Enum>(value) : least;
  }
  // End fails when bytes are left over.
  void End() {
    if (!left_.empty()) Fail("end", std::to_string(left_.size()) + " bytes too many");
  }

  // Fail is for what the caller finds wrong with a value.
  void Fail(std::string_view field, std::string_view why) {
    if (!ok()) return;
    status_ = Status::InvalidArgument(std::string(field).append(": ").append(why));
    left_ = {};
  }
  bool ok() const noexcept { return status_.ok(); }
  const Status& status() const noexcept { return status_; }
  std::size_t left() const noexcept { return left_.size(); }

 private:
  bool Has(std::string_view field, std::size_t size) {
    if (ok() && left_.size() < size)
      Fail(field, "needs " + std::to_string(size) + " bytes, " + std::to_string(left_.size()) + " are left");
    return ok();
  }
  std::uint64_t Integer(std::string_view field, std::size_t bytes) {
    const ByteSpan view = View(field, bytes);
    std::uint64_t value = 0;
    for (std::size_t i = view.size(); i-- > 0;) value = value << 8 | view[i];
    return value;
  }
  std::string Text(std::string_view field, std::size_t size) {
    const ByteSpan view = View(field, size);
    return {view.begin(), view.end()};
  }

  ByteSpan left_;
  Status status_;
};

}  // namespace ssn::qkdn
