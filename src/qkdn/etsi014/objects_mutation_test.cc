// SPDX-License-Identifier: LGPL-2.1-or-later
// Whatever bytes come, a parser ends with a value or a complaint; what it takes, it writes and takes again.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "qkdn/etsi014/objects.h"

namespace ssn::qkdn::etsi014 {
namespace {

constexpr auto kDuration = std::chrono::milliseconds(700);

class Mutator {
 public:
  Mutator() : seed_(std::random_device{}()), random_(seed_) { std::printf("seed %u\n", seed_); }

  std::size_t Below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

  std::string Mutate(std::string text) {
    static const std::vector<std::string> pieces = {
        "{",          "}",
        "[",          "]",
        "\"",         ",",
        ":",          "null",
        "\\",         "\\u0000",
        "-1",         "1e999",
        "\\ud800",    "\xFF",
        "\xC3\xA9",   "keys",
        "Keys",       "\"key\":",
        "0",          "18446744073709551616",
        "=",          "Zg==",
        " ",          "\n",
        "[[[[[[[[[[", "{\"a\":{",
        "true",       "\"key_ID\":\"",
        "AAAA",       std::string(1, '\0'),
    };
    for (std::size_t changes = 1 + Below(4); changes > 0; --changes) {
      const std::size_t place = Below(text.size() + 1);
      const std::size_t length = std::min(Below(12), text.size() - place);
      switch (Below(5)) {
        case 0:
          text.replace(place, length, pieces[Below(pieces.size())]);
          break;
        case 1:
          text.erase(place, length);
          break;
        case 2:
          text.insert(Below(text.size() + 1), text.substr(place, length));
          break;
        case 3:
          if (place < text.size()) text[place] = static_cast<char>(Below(256));
          break;
        default:
          text.resize(place);
      }
    }
    return text;
  }

  Keys RandomKeys() {
    const std::size_t count = Below(6);
    Keys keys{{}, 1 + Below(70), {}};
    keys.material = SecretBytes(count * keys.key_bytes);
    for (std::uint8_t& byte : keys.material.span()) byte = static_cast<std::uint8_t>(random_());
    for (std::size_t i = 0; i < count; ++i)
      keys.ids.push_back(std::to_string(i) + "-" + std::to_string(random_()));
    return keys;
  }

 private:
  const unsigned seed_;
  std::mt19937 random_;
};

// Runs try_one over mutations of the texts, and mutations of those, until the time is over.
void TryTexts(std::vector<std::string> texts, auto try_one) {
  Mutator mutator;
  const auto end = std::chrono::steady_clock::now() + kDuration;
  std::size_t tries = 0;
  std::size_t taken = 0;
  while (std::chrono::steady_clock::now() < end && !testing::Test::HasFailure()) {
    for (int i = 0; i < 100; ++i, ++tries) {
      const std::string text = mutator.Mutate(texts[mutator.Below(texts.size())]);
      if (!try_one(text)) continue;
      ++taken;
      if (texts.size() < 1000 && text.size() < 2000) texts.push_back(text);
    }
  }
  std::printf("%zu texts, %zu taken\n", tries, taken);
  EXPECT_GT(taken, 0u);
  EXPECT_LT(taken, tries);
}

TEST(Mutation, NoTextHurtsTheParserOfKeys) {
  TryTexts({R"({"keys":[{"key_ID":"a","key":"Zm9vYg=="},{"key_ID":"b","key":"Zm9v\/w=="}],"x":{"y":[1]}} )",
            R"({"Keys":[{"key_ID":12,"key":"AAAA","key_extension":{"k":[null,true,1.5]}}]})"},
           [](const std::string& text) {
             const auto keys = ParseKeys(text);
             if (!keys.ok()) return false;
             const std::string again = FormatKeys(keys.value());
             const auto second = ParseKeys(again);
             EXPECT_TRUE(second.ok() && FormatKeys(second.value()) == again) << text << "\n" << again;
             return true;
           });
}

TEST(Mutation, NoTextHurtsTheParserOfStatus) {
  TryTexts({FormatPoolStatus({"A", "B", "C", "D", 256, 1, 2, 3, 1024, 64, 0})}, [](const std::string& text) {
    const auto status = ParsePoolStatus(text);
    if (!status.ok()) return false;
    const std::string again = FormatPoolStatus(status.value());
    const auto second = ParsePoolStatus(again);
    EXPECT_TRUE(second.ok() && FormatPoolStatus(second.value()) == again) << text;
    return true;
  });
}

TEST(Mutation, NoTextHurtsTheParserOfRequests) {
  TryTexts({FormatKeyRequest({20, 512, {"ABC"}, {"abc_x"}, {"abc_y", "z"}})}, [](const std::string& text) {
    const auto request = ParseKeyRequest(text);
    if (!request.ok()) return false;
    const std::string again = FormatKeyRequest(request.value());
    const auto second = ParseKeyRequest(again);
    EXPECT_TRUE(second.ok() && FormatKeyRequest(second.value()) == again) << text;
    return true;
  });
}

TEST(Mutation, NoTextHurtsTheParserOfIds) {
  TryTexts({FormatKeyIds({"abc", "7", "bc490419-7d60-487f-adc1-4ddcc177c139"})}, [](const std::string& text) {
    const auto ids = ParseKeyIds(text);
    if (!ids.ok()) return false;
    const auto second = ParseKeyIds(FormatKeyIds(ids.value()));
    EXPECT_TRUE(second.ok() && second.value() == ids.value()) << text;
    return true;
  });
}

TEST(Mutation, NoTextHurtsTheParserOfErrors) {
  TryTexts({FormatError({"Not enough", R"([{"a":[1,{"b":null}]},2])"})}, [](const std::string& text) {
    const Error error = ParseError(text);
    const Error again = ParseError(FormatError(error));
    EXPECT_EQ(error.message, again.message) << text;
    EXPECT_EQ(error.details, again.details) << text;
    return !error.message.empty() && !error.details.empty();
  });
}

TEST(Mutation, RandomKeysComeBack) {
  Mutator mutator;
  for (int i = 0; i < 2000; ++i) {
    const Keys keys = mutator.RandomKeys();
    const auto again = ParseKeys(FormatKeys(keys));
    ASSERT_TRUE(again.ok()) << again.status().message();
    ASSERT_EQ(keys.ids, again.value().ids);
    ASSERT_TRUE(std::ranges::equal(keys.material.span(), again.value().material.span()));
  }
}

}  // namespace
}  // namespace ssn::qkdn::etsi014
