// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/etsi014/kme_errors.h"

#include <gtest/gtest.h>

namespace ssn::qkdn::etsi014 {
namespace {

using Action = KmeError::Action;

constexpr Call kEvery[] = {Call::kStatus, Call::kEncKeys, Call::kDecKeys};

Action ActionOf(Call call, int status, std::string_view body) {
  return ClassifyAnswer(call, "POST /x", status, body).action;
}

TEST(KmeErrors, AnEmptyStoreIsWorthAnotherTryInEveryDialect) {
  const std::string_view bodies[] = {
      R"({"message":"Not enough key material available","details":[{"key_bits_requested":800,"key_bits_available":3}]})",
      R"({"message":"Insufficient keys"})",
      R"({"message":"KEY STORE EXHAUSTED"})",
      R"({"message":"error","details":[{"reason":"key material unavailable"}]})",
      "not enough keys",
  };
  for (const std::string_view body : bodies) {
    for (const Call call : kEvery) EXPECT_EQ(Action::kRetryLater, ActionOf(call, 400, body)) << body;
  }
}

TEST(KmeErrors, AServerInTroubleIsWorthAnotherTry) {
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
    for (const std::string_view body :
         {"", "<html>Service Unavailable</html>", R"({"message":"key not found"})"}) {
      for (const Call call : kEvery)
        EXPECT_EQ(Action::kRetryLater, ActionOf(call, status, body)) << status << body;
    }
  }
}

TEST(KmeErrors, IdsThatAreGoneAreDropped) {
  for (const int status : {403, 404, 410}) {
    for (const std::string_view body : {"", "<html></html>", R"({"message":"Key expired"})"})
      EXPECT_EQ(Action::kDiscard, ActionOf(Call::kDecKeys, status, body)) << status << body;
  }
  for (const std::string_view words :
       {"one or more keys specified are not found on KME", "Key Expired", "key consumed", "unknown key_ID"})
    EXPECT_EQ(Action::kDiscard, ActionOf(Call::kDecKeys, 400, "{\"message\":\"" + std::string(words) + "\"}"))
        << words;
}

TEST(KmeErrors, WhatOnlySomebodyCanChangeIsRefused) {
  for (const Call call : kEvery) {
    for (const int status : {301, 302, 401, 405, 413, 415, 204, 206})
      EXPECT_EQ(Action::kRefused, ActionOf(call, status, "")) << status;
    EXPECT_EQ(Action::kRefused, ActionOf(call, 400, R"({"message":"size shall be a multiple of 8"})"));
    EXPECT_EQ(Action::kRefused, ActionOf(call, 400, R"({"message":"not enough arguments"})"));
    EXPECT_EQ(Action::kRefused, ActionOf(call, 400, ""));
  }
  for (const Call call : {Call::kStatus, Call::kEncKeys}) {
    for (const int status : {403, 404})
      EXPECT_EQ(Action::kRefused, ActionOf(call, status, R"({"message":"SAE not found"})"));
    EXPECT_EQ(Action::kRefused, ActionOf(call, 400, R"({"message":"SAE not found"})"));
  }
}

TEST(KmeErrors, AnAnswerOfOtherContentIsSortedByWhetherItIsJson) {
  const Status cut = Status::Unavailable("cut off");
  const Status wrong = Status::InvalidArgument("keys is missing");
  for (const Call call : kEvery) EXPECT_EQ(Action::kRetryLater, ClassifyContent(call, "POST /x", cut).action);
  EXPECT_EQ(Action::kRefused, ClassifyContent(Call::kStatus, "GET /x", wrong).action);
  EXPECT_EQ(Action::kRefused, ClassifyContent(Call::kEncKeys, "POST /x", wrong).action);
  EXPECT_EQ(Action::kDiscard, ClassifyContent(Call::kDecKeys, "POST /x", wrong).action);
}

TEST(KmeErrors, TheMessageHoldsRequestStatusAndWords) {
  const KmeError error = ClassifyAnswer(Call::kEncKeys, "POST /api/v1/keys/B/enc_keys", 400,
                                        R"({"message":"no\nway","details":[{"a":1}]})");
  EXPECT_EQ("POST /api/v1/keys/B/enc_keys: status 400: no?way [{\"a\":1}]", error.message);
  EXPECT_EQ(400, error.http_status);
}

TEST(KmeErrors, ABodyThatIsNoErrorIsNotQuoted) {
  EXPECT_EQ("GET /x: status 503: (18 bytes that are no Error object)",
            ClassifyAnswer(Call::kStatus, "GET /x", 503, "<html>secret</html").message);
}

TEST(KmeErrors, WordsAreCut) {
  const std::string body = "{\"message\":\"" + std::string(5000, 'x') + "\"}";
  const std::string message = ClassifyAnswer(Call::kStatus, "GET /x", 503, body).message;
  EXPECT_LT(message.size(), 350u);
  EXPECT_TRUE(message.ends_with("..."));
}

}  // namespace
}  // namespace ssn::qkdn::etsi014
