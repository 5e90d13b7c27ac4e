// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "qkdn/etsi014/objects.h"

namespace ssn::qkdn::etsi014 {
namespace {

std::string Material(const Keys& keys) {
  return {reinterpret_cast<const char*>(keys.material.data()), keys.material.size()};
}

std::string Complaint(std::string_view text) {
  const auto keys = ParseKeys(text);
  return keys.ok() ? "no complaint" : keys.status().message();
}

Keys SomeKeys(std::size_t count, std::size_t key_bytes) {
  Keys keys{{}, key_bytes, SecretBytes(count * key_bytes)};
  for (std::size_t i = 0; i < count; ++i) keys.ids.push_back("id-" + std::to_string(i));
  for (std::size_t i = 0; i < keys.material.size(); ++i)
    keys.material.data()[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  return keys;
}

TEST(KeyContainer, ReadsTheExampleOfTheStandard) {
  const auto keys = ParseKeys(R"({
    "keys": [
      {"key_ID": "bc490419-7d60-487f-adc1-4ddcc177c139", "key": "wHHVxRwDJs3/bXd38GHP3oe4svTuRpZS0yCC7x4Ly+s="},
      {"key_ID": "0a782fb5-3434-48fe-aa4d-14f41d46cf92", "key": "OeGMPxh1+2RpJpNCYixWHFLYRubpOKCw94FcCI7VdJA="}
    ]})");
  ASSERT_TRUE(keys.ok()) << keys.status().message();
  EXPECT_EQ(32u, keys.value().key_bytes);
  EXPECT_EQ((std::vector<std::string>{"bc490419-7d60-487f-adc1-4ddcc177c139",
                                      "0a782fb5-3434-48fe-aa4d-14f41d46cf92"}),
            keys.value().ids);
  EXPECT_EQ(64u, keys.value().material.size());
  EXPECT_EQ(0xC0, keys.value().material.data()[0]);
  EXPECT_EQ(0x39, keys.value().material.data()[32]);
}

TEST(KeyContainer, ComesBackFromItsOwnText) {
  for (const std::size_t key_bytes : {1u, 2u, 3u, 32u, 44u, 8192u, 131072u}) {
    for (const std::size_t count : {1u, 2u, 9u}) {
      const Keys keys = SomeKeys(count, key_bytes);
      const auto again = ParseKeys(FormatKeys(keys));
      ASSERT_TRUE(again.ok()) << again.status().message();
      EXPECT_EQ(keys.ids, again.value().ids);
      EXPECT_EQ(key_bytes, again.value().key_bytes);
      EXPECT_TRUE(Material(keys) == Material(again.value()));
    }
  }
}

TEST(KeyContainer, MayBeEmpty) {
  EXPECT_EQ(R"({"keys":[]})", FormatKeys(Keys{}));
  const auto keys = ParseKeys(R"({"keys":[]})");
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(0u, keys.value().ids.size());
}

TEST(KeyContainer, TheTextIsTheOneTheStandardShows) {
  Keys keys{{"a", "b"}, 1, SecretBytes(2)};
  keys.material.data()[0] = 'f';
  EXPECT_EQ(R"({"keys":[{"key_ID":"a","key":"Zg=="},{"key_ID":"b","key":"AA=="}]})", FormatKeys(keys));
}

TEST(KeyContainer, EveryDialectIsUnderstood) {
  const std::string_view dialects[] = {
      R"({"Keys":[{"key_ID":"7","key":"Zm9v"}]})",
      R"({"keys":[{"key":"Zm9v","key_ID":"7"}]})",
      R"({"keys":[{"key_ID":7,"key":"Zm9v"}]})",
      R"({"\u006beys":[{"key_\u0049D":"\u0037","\u006bey":"Zm9\u0076"}]})",
      R"({"key_container_extension":{"keys":[1,{"key":2}]},"keys":[{"key_ID":"7","key_ID_extension":{"key_ID":"x"},
          "key":"Zm9v","key_extension":[["key"]]}],"more":"]}"})",
      "\r\n{ \"keys\" : [\t{ \"key_ID\" : \"7\" , \"key\" : \"Zm9v\"   } ] } \n",
  };
  for (const std::string_view text : dialects) {
    const auto keys = ParseKeys(text);
    ASSERT_TRUE(keys.ok()) << text << ": " << keys.status().message();
    EXPECT_EQ(std::vector<std::string>{"7"}, keys.value().ids) << text;
    EXPECT_EQ("foo", Material(keys.value())) << text;
  }
}

TEST(KeyContainer, EscapedSlashesAndPlusSignsAreReadAsTheyAre) {
  const auto keys =
      ParseKeys(R"({"keys":[{"key_ID":"a","key":"\/\/\/\/"},{"key_ID":"b","key":"\u002B+\u002b+"},
                                          {"key_ID":"c","key":"\/v\/+"},{"key_ID":"d","key":"Zm9v"}]})");
  ASSERT_TRUE(keys.ok()) << keys.status().message();
  EXPECT_EQ(
      "\xFF\xFF\xFF\xFB\xEF\xBE\xFE\xFF\xFE"
      "foo",
      Material(keys.value()));
}

TEST(KeyContainer, NamesWhatIsAtFault) {
  EXPECT_EQ("keys is missing", Complaint("{}"));
  EXPECT_EQ("keys is missing", Complaint(R"({"message":"Not enough key material"})"));
  EXPECT_EQ("keys is there twice", Complaint(R"({"keys":[],"Keys":[]})"));
  EXPECT_EQ("keys has a wrong type", Complaint(R"({"keys":{}})"));
  EXPECT_EQ("keys has a wrong type", Complaint(R"({"keys":null})"));
  EXPECT_EQ("keys[1] has a wrong type", Complaint(R"({"keys":[{"key_ID":"a","key":"Zm9v"},"b"]})"));
  EXPECT_EQ("keys[0] must have one key_ID", Complaint(R"({"keys":[{"key":"Zm9v"}]})"));
  EXPECT_EQ("keys[0] must have one key", Complaint(R"({"keys":[{"key_ID":"a"}]})"));
  EXPECT_EQ("keys[0] must have one key", Complaint(R"({"keys":[{"key_ID":"a","key":"Zm9v","key":"Zm9v"}]})"));
  EXPECT_EQ("keys[0] must have one key_ID",
            Complaint(R"({"keys":[{"key_ID":"a","key_ID":"b","key":"Zm9v"}]})"));
  EXPECT_EQ("keys[0].key has a wrong type", Complaint(R"({"keys":[{"key_ID":"a","key":7}]})"));
  EXPECT_EQ("keys[0].key has a wrong type", Complaint(R"({"keys":[{"key_ID":"a","key":["Zm9v"]}]})"));
  EXPECT_EQ("keys[0].key_ID has a wrong type", Complaint(R"({"keys":[{"key_ID":null,"key":"Zm9v"}]})"));
  EXPECT_EQ("key_ID=a is there twice",
            Complaint(R"({"keys":[{"key_ID":"a","key":"Zm9v"},{"key_ID":"a","key":"Zm9v"}]})"));
  EXPECT_EQ("keys differ in size: key_ID=a has 3 bytes, key_ID=b has 2",
            Complaint(R"({"keys":[{"key_ID":"a","key":"Zm9v"},{"key_ID":"b","key":"Zm8="}]})"));
}

TEST(KeyContainer, RefusesKeysThatAreNotStrictBase64) {
  for (const std::string_view key :
       {"Zm9", "Zm9vYg", "Zh==", "Zm9\\n", "Zm 9", "Zm-_", "Z===", "Zm9v\\u0000Zm9"})
    EXPECT_FALSE(ParseKeys(R"({"keys":[{"key_ID":"a","key":")" + std::string(key) + "\"}]}").ok()) << key;
  EXPECT_EQ("key of key_ID=a is 0 characters, no base64", Complaint(R"({"keys":[{"key_ID":"a","key":""}]})"));
  EXPECT_EQ("key of key_ID=a is not base64", Complaint(R"({"keys":[{"key_ID":"a","key":"Zm9="}]})"));
}

TEST(KeyContainer, RefusesIdsThatAreNotPlain) {
  const std::string long_id(129, 'x');
  for (const std::string& id :
       {std::string(), std::string("a b"), std::string("a\\n"), std::string("\\u0000"), long_id}) {
    const auto keys = ParseKeys(R"({"keys":[{"key_ID":")" + id + R"(","key":"Zm9v"}]})");
    ASSERT_FALSE(keys.ok()) << id;
    EXPECT_EQ(Status::Code::kInvalidArgument, keys.status().code()) << id;
  }
  EXPECT_EQ("keys[0].key_ID of 129 characters is not an id of 1 to 128 plain ones",
            Complaint(R"({"keys":[{"key_ID":")" + long_id + R"(","key":"Zm9v"}]})"));
}

TEST(KeyContainer, EveryCutOffTextIsNoJsonAndNoKeys) {
  const std::string text =
      R"({"keys":[{"key_ID":"a","key":"Zm9vYg=="},{"key_ID":"b","key":"Zm9v\/w=="}],"x":{"y":[1]}} )";
  ASSERT_TRUE(ParseKeys(text).ok()) << Complaint(text);
  for (std::size_t size = 0; size < text.size() - 1; ++size) {
    const auto keys = ParseKeys(std::string_view(text).substr(0, size));
    ASSERT_FALSE(keys.ok()) << size;
    EXPECT_EQ(Status::Code::kUnavailable, keys.status().code()) << size << ": " << keys.status().message();
  }
}

TEST(KeyContainer, TextThatIsNoJsonObjectIsToldFromAWrongContainer) {
  for (const std::string_view text :
       {"", " ", "<html><body>503</body></html>", "[]", "7", "\xFF\xFE", "{\"keys\":[}]", R"({"keys":[]}})",
        R"({"keys":[]} x)", R"({"keys":[]}{"keys":[]})", R"({"keys":[{"key_ID":"a","key":"Zm9v"}{}]})"}) {
    const auto keys = ParseKeys(text);
    ASSERT_FALSE(keys.ok()) << text;
    EXPECT_EQ(Status::Code::kUnavailable, keys.status().code()) << text << ": " << keys.status().message();
  }
  EXPECT_EQ(Status::Code::kInvalidArgument, ParseKeys("{}").status().code());
}

TEST(KeyContainer, ComplaintsHoldNoKey) {
  const std::string complaint = Complaint(R"({"keys":[{"key_ID":"a","key":"c2VjcmV0IGtleSBieXRlcw=!"}]})");
  EXPECT_EQ("key of key_ID=a is not base64", complaint);
}

}  // namespace
}  // namespace ssn::qkdn::etsi014
