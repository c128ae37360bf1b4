#include "session/passkey_json.h"

#include <gtest/gtest.h>

#include "passkey_answer.h"

namespace posthorn::session {
namespace {

using Answer = core_test::PasskeyAnswer;
using passkey::Options;
using passkey::parse_assertion;
using passkey::parse_options;

constexpr auto kOptions = core_test::kPasskeyOptions;

Options options(const std::string& text = kOptions) { return *parse_options(as_bytes(text)); }

bool good(const std::string& text) { return parse_options(as_bytes(text)).has_value(); }

std::string refusal(const Answer& answer, const std::string& asked = kOptions) {
  const auto parsed = parse_assertion(answer.text(), options(asked));
  return parsed ? "taken" : parsed.error().detail;
}

TEST(PasskeyOptions, KeepsTheTextAndReadsWhatMatters) {
  const Options read = options();
  EXPECT_EQ(read.text, kOptions);
  EXPECT_EQ(read.challenge, "dGhlLWNoYWxsZW5nZQ");
  EXPECT_EQ(read.rp_id, "whatsapp.com");
  ASSERT_EQ(read.allowed.size(), 1U);
  EXPECT_EQ(as_text(read.allowed[0]), "cred1");
  EXPECT_EQ(read.verification, Options::Verification::required);
  EXPECT_EQ(read.timeout, minutes(10));
}

TEST(PasskeyOptions, TakesWhatMayBeLeftOut) {
  const Options least = options(R"({"challenge":"QQ=="})");
  EXPECT_EQ(least.challenge, "QQ");  // padding is accepted and not kept
  EXPECT_TRUE(least.rp_id.empty());
  EXPECT_TRUE(least.allowed.empty());
  EXPECT_EQ(least.verification, Options::Verification::preferred);
  EXPECT_EQ(least.timeout, minutes(10));
  EXPECT_TRUE(good(R"({"challenge":"QQ","allowCredentials":[],"hints":["hybrid"]})"));
  EXPECT_EQ(options(R"({"challenge":"QQ","timeout":86400000})").timeout, hours(1));
  EXPECT_EQ(options(R"({"challenge":"QQ","timeout":-5})").timeout, minutes(10));
}

TEST(PasskeyOptions, RefusesWhatWouldWeakenOrBreakTheRequest) {
  for (const char* bad : {"", "[]", "null", "{", "{}", R"({"challenge":""})", R"({"challenge":7})",
                          R"({"challenge":"*"})", R"({"challenge":"QQ","rpId":7})",
                          R"({"challenge":"QQ","allowCredentials":{}})",
                          R"({"challenge":"QQ","allowCredentials":[{}]})",
                          R"({"challenge":"QQ","allowCredentials":[{"id":""}]})",
                          R"({"challenge":"QQ","allowCredentials":[{"id":"QQ"},7]})",
                          R"({"challenge":"QQ","userVerification":"maybe"})",
                          R"({"challenge":"QQ","userVerification":1})"}) {
    EXPECT_FALSE(good(bad)) << bad;
  }
  EXPECT_FALSE(good(R"({"challenge":"QQ","x":")" + std::string(20'000, 'x') + "\"}"));
}

TEST(PasskeyAssertion, IsReducedToWhatTheServerTakesInItsOrder) {
  Answer answer;
  answer.more = R"("authenticatorAttachment":"cross-platform","clientExtensionResults":{"x":1},)";
  const auto parsed = parse_assertion(answer.text(), options());
  ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
  EXPECT_EQ(as_text(parsed->credential_id), "cred1");
  EXPECT_EQ(
      parsed->json,
      R"({"id":"Y3JlZDE","rawId":"Y3JlZDE","type":"public-key","response":{"clientDataJSON":")" +
          base64url_encode(answer.client_data()) + R"(","authenticatorData":")" +
          base64url_encode(answer.authenticator_data()) +
          R"(","signature":"c2ln","userHandle":null}})");
}

TEST(PasskeyAssertion, TakesTheUserHandleAndPaddedBase64) {
  const Options asked = options();
  Answer answer;
  std::string text = answer.text();
  text.replace(text.find(R"("signature":"c2ln")"), 18,
               R"("signature":"/+8=","userHandle":"dXNlcg==")");
  const auto parsed = parse_assertion(text, asked);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
  EXPECT_NE(parsed->json.find(R"("signature":"_-8","userHandle":"dXNlcg"}})"), std::string::npos);
}

TEST(PasskeyAssertion, SaysWhichCheckFailed) {
  const auto with = [](auto Answer::*member, auto value) {
    Answer answer;
    answer.*member = value;
    return answer;
  };
  EXPECT_NE(refusal(with(&Answer::type, "password")).find("public-key"), std::string::npos);
  EXPECT_NE(refusal(with(&Answer::raw_id, "cred2")).find("another account"), std::string::npos);
  EXPECT_NE(refusal(with(&Answer::client_type, "webauthn.create")).find("webauthn.get"),
            std::string::npos);
  EXPECT_NE(refusal(with(&Answer::challenge, "b2xk")).find("earlier request"), std::string::npos);
  EXPECT_NE(refusal(with(&Answer::origin, "https://evil.example")).find("evil.example"),
            std::string::npos);
  EXPECT_NE(refusal(with(&Answer::rp_id, "example.com")).find("another service"),
            std::string::npos);
  EXPECT_NE(refusal(with(&Answer::flags, 0x04U)).find("nobody was at the phone"),
            std::string::npos);
  EXPECT_NE(refusal(with(&Answer::flags, 0x01U)).find("fingerprint"), std::string::npos);
  EXPECT_NE(refusal(with(&Answer::data_bytes, std::size_t{36})).find("too short"),
            std::string::npos);
  EXPECT_EQ(refusal(Answer()), "taken");
}

TEST(PasskeyAssertion, AsksNoMoreThanTheRequest) {
  Answer unverified;
  unverified.flags = 0x01;
  EXPECT_EQ(refusal(unverified, R"({"challenge":"dGhlLWNoYWxsZW5nZQ"})"), "taken");
  // Without rpId a browser answers for the page's own name.
  unverified.rp_id = "web.whatsapp.com";
  EXPECT_EQ(refusal(unverified, R"({"challenge":"dGhlLWNoYWxsZW5nZQ"})"), "taken");
}

TEST(PasskeyAssertion, IsRefusedInWordsWhateverWasPasted) {
  for (const std::string& pasted :
       {std::string(), std::string("undefined"), std::string("[object Object]"),
        std::string("{\"type\":\"public-key\"}"), std::string("{\"type\":\"public-key\","),
        std::string("\xff\xfe"), std::string(100'000, '{'),
        std::string(R"({"type":"public-key","rawId":"QQ","response":"x"})"),
        std::string(R"({"type":"public-key","rawId":"QQ","response":{"clientDataJSON":"e30"}})")}) {
    const auto parsed = parse_assertion(pasted, options());
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::malformed);
    EXPECT_FALSE(parsed.error().detail.empty());
  }
}

}  // namespace
}  // namespace posthorn::session
