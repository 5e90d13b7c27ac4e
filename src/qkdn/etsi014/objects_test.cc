// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qkdn/etsi014/objects.h"

#include <gtest/gtest.h>

namespace ssn::qkdn::etsi014 {
namespace {

// The example of the standard's clause 6.1, with what some KMEs add.
constexpr std::string_view kStatus = R"({
  "source_KME_ID": "AAAABBBBCCCCDDDD", "target_KME_ID": "EEEEFFFFGGGGHHHH",
  "master_SAE_ID": "IIIIJJJJKKKKLLLL", "slave_SAE_ID": "MMMMNNNNOOOOPPPP",
  "key_size": 352, "stored_key_count": 25000, "max_key_count": 100000, "max_key_per_request": 128,
  "max_key_size": 1024, "min_key_size": 64, "max_SAE_ID_count": 0,
  "status_extension": {"current_key_rate": 997.5}, "current_key_rate": [1, {"x": null}]})";

std::string StatusWith(std::string_view from, std::string_view to) {
  std::string text(kStatus);
  const std::size_t place = text.find(from);
  EXPECT_NE(std::string::npos, place) << from;
  return text.replace(place, from.size(), to);
}

template <typename T>
std::string Complaint(const Result<T>& result) {
  return result.ok() ? "no complaint" : result.status().message();
}

TEST(PoolStatus, ReadsTheExampleOfTheStandardInBits) {
  const auto status = ParsePoolStatus(kStatus);
  ASSERT_TRUE(status.ok()) << Complaint(status);
  EXPECT_EQ("AAAABBBBCCCCDDDD", status.value().source_kme_id);
  EXPECT_EQ("MMMMNNNNOOOOPPPP", status.value().slave_sae_id);
  EXPECT_EQ(352u, status.value().key_size_bits);
  EXPECT_EQ(25000u, status.value().stored_key_count);
  EXPECT_EQ(100000u, status.value().max_key_count);
  EXPECT_EQ(128u, status.value().max_key_per_request);
  EXPECT_EQ(1024u, status.value().max_key_size_bits);
  EXPECT_EQ(64u, status.value().min_key_size_bits);
  EXPECT_EQ(0u, status.value().max_sae_id_count);
}

TEST(PoolStatus, ComesBackFromItsOwnText) {
  const auto first = ParsePoolStatus(kStatus);
  ASSERT_TRUE(first.ok());
  const auto second = ParsePoolStatus(FormatPoolStatus(first.value()));
  ASSERT_TRUE(second.ok()) << Complaint(second);
  EXPECT_EQ(FormatPoolStatus(first.value()), FormatPoolStatus(second.value()));
  EXPECT_EQ(1024u, second.value().max_key_size_bits);
}

TEST(PoolStatus, TakesNumbersForStringsAndStringsForNumbers) {
  const auto numeric_id = ParsePoolStatus(StatusWith(R"("EEEEFFFFGGGGHHHH")", "0"));
  ASSERT_TRUE(numeric_id.ok()) << Complaint(numeric_id);
  EXPECT_EQ("0", numeric_id.value().target_kme_id);
  const auto text_number = ParsePoolStatus(StatusWith("25000", R"("25000")"));
  ASSERT_TRUE(text_number.ok()) << Complaint(text_number);
  EXPECT_EQ(25000u, text_number.value().stored_key_count);
}

TEST(PoolStatus, DoesWithoutTheMembersNoRequestNeeds) {
  const auto status = ParsePoolStatus(
      R"({"key_size":256,"stored_key_count":1,"max_key_per_request":10,"max_key_size":256,"min_key_size":1,"slave_SAE_ID":null})");
  ASSERT_TRUE(status.ok()) << Complaint(status);
  EXPECT_EQ("", status.value().slave_sae_id);
  EXPECT_EQ(1u, status.value().min_key_size_bits);
}

TEST(PoolStatus, NamesTheMemberAtFault) {
  EXPECT_EQ("key_size=\"many\" is not a whole number",
            Complaint(ParsePoolStatus(StatusWith("352", "\"many\""))));
  EXPECT_EQ("key_size=-8 is not a whole number", Complaint(ParsePoolStatus(StatusWith("352", "-8"))));
  EXPECT_EQ("key_size=352.5 is not a whole number", Complaint(ParsePoolStatus(StatusWith("352", "352.5"))));
  EXPECT_EQ("key_size=\"352 \" is not a whole number",
            Complaint(ParsePoolStatus(StatusWith("352", "\"352 \""))));
  EXPECT_EQ("key_size=353 (bits) is not a multiple of 8",
            Complaint(ParsePoolStatus(StatusWith("352", "353"))));
  EXPECT_EQ("max_key_size is missing",
            Complaint(ParsePoolStatus(StatusWith("\"max_key_size\"", "\"max_size\""))));
  EXPECT_EQ("master_SAE_ID=[\"a\"] is not a name of at most 128 characters",
            Complaint(ParsePoolStatus(StatusWith("\"IIIIJJJJKKKKLLLL\"", "[\"a\"]"))));
  EXPECT_EQ("master_SAE_ID=\"a\\nb\" is not a name of at most 128 characters",
            Complaint(ParsePoolStatus(StatusWith("IIIIJJJJKKKKLLLL", "a\\nb"))));
  EXPECT_EQ("[1] is not a JSON object", Complaint(ParsePoolStatus("[1]")));
}

TEST(PoolStatus, TellsTextThatIsNoJsonFromJsonThatIsWrong) {
  EXPECT_EQ(Status::Code::kInvalidArgument, ParsePoolStatus("{}").status().code());
  for (const std::string_view text : {"", "<html></html>", "{", "null x"})
    EXPECT_EQ(Status::Code::kUnavailable, ParsePoolStatus(text).status().code()) << text;
  for (std::size_t size = 0; size < kStatus.size(); ++size)
    EXPECT_EQ(Status::Code::kUnavailable, ParsePoolStatus(kStatus.substr(0, size)).status().code()) << size;
}

TEST(KeyRequest, AnEmptyBodyAndAnEmptyObjectAskForTheDefaults) {
  for (const char* const text : {"", "{}", " {} ", R"({"number":null,"unknown":[]})"}) {
    const auto request = ParseKeyRequest(text);
    ASSERT_TRUE(request.ok()) << Complaint(request);
    EXPECT_EQ(1u, request.value().number);
    EXPECT_EQ(0u, request.value().size_bits);
  }
  EXPECT_EQ("{}", FormatKeyRequest(KeyRequest{}));
}

TEST(KeyRequest, ComesBackWithEveryMember) {
  const KeyRequest request{20, 512, {"ABCDEFG", "42"}, {"abc_route_type"}, {"abc_x", "y \"z\""}};
  const auto again = ParseKeyRequest(FormatKeyRequest(request));
  ASSERT_TRUE(again.ok()) << Complaint(again);
  EXPECT_EQ(20u, again.value().number);
  EXPECT_EQ(512u, again.value().size_bits);
  EXPECT_EQ(request.additional_slave_sae_ids, again.value().additional_slave_sae_ids);
  EXPECT_EQ(request.extension_mandatory, again.value().extension_mandatory);
  EXPECT_EQ(request.extension_optional, again.value().extension_optional);
}

TEST(KeyRequest, ReadsTheExampleOfTheStandard) {
  const auto request =
      ParseKeyRequest(R"({"number": 20, "size": 512, "additional_slave_SAE_IDs": ["ABCDEFG", 7],
      "extension_mandatory": [{"abc_route_type": "direct"}, {"abc_transfer_method": "qkd", "abc_more": 1}],
      "extension_optional": [{"abc_max_age": 30000}]})");
  ASSERT_TRUE(request.ok()) << Complaint(request);
  EXPECT_EQ((std::vector<std::string>{"ABCDEFG", "7"}), request.value().additional_slave_sae_ids);
  EXPECT_EQ(3u, request.value().extension_mandatory.size());
  EXPECT_EQ("abc_max_age", request.value().extension_optional.at(0));
}

TEST(KeyRequest, NamesTheMemberAtFault) {
  EXPECT_EQ("size shall be a multiple of 8", Complaint(ParseKeyRequest(R"({"size":513})")));
  EXPECT_EQ("size=0 asks for nothing", Complaint(ParseKeyRequest(R"({"size":0})")));
  EXPECT_EQ("number=0 asks for nothing", Complaint(ParseKeyRequest(R"({"number":0})")));
  EXPECT_EQ("number=-1 is not a whole number", Complaint(ParseKeyRequest(R"({"number":-1})")));
  EXPECT_EQ("number=1e+30 is not a whole number", Complaint(ParseKeyRequest(R"({"number":1e30})")));
  EXPECT_EQ("additional_slave_SAE_IDs=\"A\" is not a list",
            Complaint(ParseKeyRequest(R"({"additional_slave_SAE_IDs":"A"})")));
  EXPECT_EQ("additional_slave_SAE_IDs=\"\" is not an id of 1 to 128 plain characters",
            Complaint(ParseKeyRequest(R"({"additional_slave_SAE_IDs":["A",""]})")));
  EXPECT_EQ("extension_mandatory: 1 is not an object",
            Complaint(ParseKeyRequest(R"({"extension_mandatory":[1]})")));
  EXPECT_EQ("key request of 1 bytes is not JSON", Complaint(ParseKeyRequest("{")));
  EXPECT_EQ("key request of 70000 bytes is longer than 65536",
            Complaint(ParseKeyRequest(std::string(70000, ' '))));
}

TEST(KeyIds, ComeBackInTheirOrder) {
  const std::vector<std::string> ids = {"bc490419-7d60-487f-adc1-4ddcc177c139", "0A782FB5", "7"};
  const auto again = ParseKeyIds(FormatKeyIds(ids));
  ASSERT_TRUE(again.ok()) << Complaint(again);
  EXPECT_EQ(ids, again.value());
  const auto dialect =
      ParseKeyIds(R"({"key_IDs":[{"key_ID":7,"key_ID_extension":{}}],"key_IDs_extension":null})");
  ASSERT_TRUE(dialect.ok()) << Complaint(dialect);
  EXPECT_EQ("7", dialect.value().at(0));
}

TEST(KeyIds, NameTheMemberAtFault) {
  EXPECT_EQ("key_IDs is missing or empty", Complaint(ParseKeyIds("{}")));
  EXPECT_EQ("key_IDs is missing or empty", Complaint(ParseKeyIds(R"({"key_IDs":[]})")));
  EXPECT_EQ("key_IDs=1 is not a list", Complaint(ParseKeyIds(R"({"key_IDs":1})")));
  EXPECT_EQ("key_IDs: {} has no key_ID", Complaint(ParseKeyIds(R"({"key_IDs":[{}]})")));
  EXPECT_EQ("key_IDs: \"a\" has no key_ID", Complaint(ParseKeyIds(R"({"key_IDs":["a"]})")));
  EXPECT_EQ("key_ID=\"a b\" is not an id of 1 to 128 plain characters",
            Complaint(ParseKeyIds(R"({"key_IDs":[{"key_ID":"a b"}]})")));
  EXPECT_FALSE(ParseKeyIds("").ok());
}

TEST(PlainId, HasNeitherControlNorJsonCharacters) {
  EXPECT_TRUE(IsPlainId("bc490419-7d60-487f-adc1-4ddcc177c139"));
  EXPECT_TRUE(IsPlainId(std::string(128, 'x')));
  for (const std::string_view id : {"", "a b", "a\"", "a\\", "a\n", "\x7F", "\xC3\xA9"})
    EXPECT_FALSE(IsPlainId(id));
  EXPECT_FALSE(IsPlainId(std::string(129, 'x')));
  EXPECT_FALSE(IsPlainId(std::string_view("a\0b", 3)));
}

TEST(ErrorObject, ComesBackWithItsDetails) {
  const Error error{"Not enough key material", R"([{"key_bits_available":3},{"key_stream_ID":"x"}])"};
  const Error again = ParseError(FormatError(error));
  EXPECT_EQ(error.message, again.message);
  EXPECT_EQ(error.details, again.details);
  EXPECT_EQ(R"({"message":"size shall be a multiple of 8"})",
            FormatError({"size shall be a multiple of 8", ""}));
  EXPECT_EQ(R"({"message":"m"})", FormatError({"m", "no json"}));
}

TEST(ErrorObject, AnythingElseIsAnEmptyError) {
  for (const std::string_view body :
       {"", "<html>503</html>", "[]", "\"message\"", R"({"message":["x"]})", "{\"message\":"})
    EXPECT_EQ("", ParseError(body).message) << body;
  EXPECT_EQ("7", ParseError(R"({"message":7})").message);
  EXPECT_EQ("", ParseError("{\"message\":\"" + std::string(1 << 20, 'x') + "\"}").message);
}

TEST(ErrorObject, TextThatIsNotUtf8IsWrittenAsJson) {
  EXPECT_EQ("{\"message\":\"a\xEF\xBF\xBD\"}", FormatError({"a\xFF", ""}));
}

TEST(ErrorObject, NestingThatNeverEndsIsDropped) {
  const std::string deep =
      R"({"message":"m","details":)" + std::string(30000, '[') + std::string(30000, ']') + "}";
  const Error error = ParseError(deep);
  EXPECT_EQ("m", error.message);
  EXPECT_LT(error.details.size(), 100u);
  EXPECT_FALSE(ParseKeyIds(std::string(5'000'000, '[')).ok());
  EXPECT_FALSE(ParseKeyIds(std::string(2'000'000, '[') + std::string(2'000'000, ']')).ok());
}

}  // namespace
}  // namespace ssn::qkdn::etsi014
