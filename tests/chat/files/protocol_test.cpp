#include <gtest/gtest.h>

#include "chat/files/hosts.h"
#include "chat/files/media_retry.h"
#include "chat/files/upload_answer.h"
#include "posthorn/base/base64url.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/percent_encode.h"
#include "support/fakes.h"
#include "support/vectors.h"

namespace posthorn::chat {
namespace {

using wire::Node;

std::string text_at(const json::Value& in, const char* name) {
  return json::string_at(in, name).value_or("");
}

Bytes hex_at(const json::Value& in, const char* name) { return *hex_decode(text_at(in, name)); }

Node conn_of(std::vector<wire::Attr> attrs, std::vector<Node> hosts) {
  return Node("iq", {{"type", "result"}},
              std::vector{Node("media_conn", std::move(attrs), std::move(hosts))});
}

Node host(const char* name, const char* type = nullptr) {
  Node out("host", {{"hostname", name}});
  if (type != nullptr) out.set_attr("type", type);
  return out;
}

TEST(MediaHosts, ThePreferredComeFirstAndTheShorterLifeCounts) {
  const auto conn = parse_media_conn(
      conn_of({{"auth", "T=="}, {"ttl", "3600"}, {"auth_ttl", "300"}, {"max_buckets", "12"}},
              {host("fall.cdn.whatsapp.net", "fallback"), host("a.cdn.whatsapp.net", "primary"),
               host("127.0.0.1:8443")}),
      1'790'000'000);
  ASSERT_TRUE(conn);
  EXPECT_EQ(conn->auth, "T==");
  EXPECT_EQ(conn->life, seconds(300));
  EXPECT_EQ(conn->hosts, (std::vector<std::string>{"a.cdn.whatsapp.net", "127.0.0.1:8443",
                                                   "fall.cdn.whatsapp.net"}));
}

TEST(MediaHosts, ATtlMayBeAMomentAndMayBeAbsent) {
  const auto moment =
      parse_media_conn(conn_of({{"ttl", "1790000500"}}, {host("a.example")}), 1'790'000'000);
  EXPECT_EQ(moment->life, seconds(500));
  const auto absent = parse_media_conn(conn_of({}, {host("a.example")}), 1'790'000'000);
  EXPECT_EQ(absent->life, seconds(300));
}

TEST(MediaHosts, NoHostAndStrangeNamesAreRefused) {
  EXPECT_FALSE(parse_media_conn(Node("iq"), 0));
  EXPECT_FALSE(parse_media_conn(conn_of({}, {}), 0));
  EXPECT_FALSE(parse_media_conn(conn_of({}, {host("a/b@c")}), 0)) << "it would be put into a URL";
}

TEST(MediaRetry, OpensTheAnswerOfTheVectors) {
  const auto vectors = test::load_vectors("media-retry.json");
  const Bytes key = hex_at(vectors, "mediaKey");
  const std::string id = text_at(vectors, "messageId");
  const json::Value& response = vectors["response"];
  const auto answer_with = [&](Bytes payload) {
    return Node("notification", {{"type", "mediaretry"}, {"id", id}},
                std::vector{Node("encrypt", {},
                                 std::vector{Node("enc_p", {}, std::move(payload)),
                                             Node("enc_iv", {}, hex_at(response, "iv"))})});
  };
  const auto path = parse_media_retry(answer_with(hex_at(response, "enc_p")), key);
  ASSERT_TRUE(path) << path.error().detail;
  EXPECT_EQ(*path, text_at(response["expect"], "directPath"));
  Bytes changed = hex_at(response, "enc_p");
  changed[3] ^= std::byte{1};
  EXPECT_EQ(parse_media_retry(answer_with(changed), key).error().code, Errc::crypto);
}

TEST(MediaRetry, ThePhoneThatHasNothingIsUnderstood) {
  const Node answer("notification", {{"type", "mediaretry"}, {"id", "3EB0"}},
                    std::vector{Node("error", {{"code", "2"}})});
  EXPECT_EQ(parse_media_retry(answer, Bytes(32)).error().code, Errc::not_found);
}

TEST(MediaRetry, AsksAsTheVectorsAsk) {
  const auto vectors = test::load_vectors("media-retry.json");
  const json::Value& request = vectors["request"];
  test::SeededRandom random(1);
  MediaRetryRequest asked;
  asked.message_id = text_at(vectors, "messageId");
  asked.own = {"4915550001234", "s.whatsapp.net", 0};
  asked.chat = {"4915550002222", "s.whatsapp.net", 0};
  const Node receipt = build_media_retry(asked, hex_at(vectors, "mediaKey"), random);
  EXPECT_EQ(receipt.text_attr("type"), "server-error");
  EXPECT_EQ(receipt.text_attr("to"), "4915550001234@s.whatsapp.net");
  EXPECT_EQ(receipt.child("rmr")->text_attr("from_me"), "false");
  EXPECT_EQ(receipt.child("rmr")->text_attr("jid"), "4915550002222@s.whatsapp.net");
  const Node* sealed = receipt.child("encrypt");
  const auto plain =
      crypto::aes_gcm_decrypt(hex_at(vectors, "derivedKey"), sealed->child("enc_iv")->bytes(),
                              as_bytes(asked.message_id), sealed->child("enc_p")->bytes());
  ASSERT_TRUE(plain);
  EXPECT_EQ(hex_encode(*plain), text_at(request, "plaintextServerErrorReceipt"));
}

net::HttpResponse said(int status, std::string body = "") {
  net::HttpResponse out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

TEST(UploadAnswer, EachStatusHasItsConsequence) {
  using Verdict = UploadAnswer::Verdict;
  const auto stored =
      parse_upload(said(200, R"({"url":"https://h/m/1","direct_path":"/m/1?x=y"})"));
  EXPECT_EQ(stored.verdict, Verdict::stored);
  EXPECT_EQ(stored.direct_path, "/m/1?x=y");
  EXPECT_EQ(parse_upload(said(200, "{}")).verdict, Verdict::other_host);
  EXPECT_EQ(parse_upload(said(200, R"({"direct_path":"//evil\n"})")).verdict, Verdict::other_host);
  for (const int status : {401, 403}) {
    EXPECT_EQ(parse_upload(said(status)).verdict, Verdict::ask_anew);
  }
  for (const int status : {408, 429, 500, 503, 302}) {
    EXPECT_EQ(parse_upload(said(status)).verdict, Verdict::other_host) << status;
  }
  for (const int status : {400, 404, 410, 413, 415}) {
    EXPECT_EQ(parse_upload(said(status)).verdict, Verdict::refused) << status;
  }
}

TEST(UploadAnswer, AResumeThatIsNotUnderstoodIsAWholeUpload) {
  EXPECT_TRUE(parse_resume(said(200, R"({"resume":"complete","direct_path":"/m/1"})")).complete);
  EXPECT_EQ(parse_resume(said(200, R"({"resume":"123456"})")).offset, 123'456U);
  for (const char* body : {"", "{}", R"({"resume":"12x"})", R"({"resume":"complete"})"}) {
    const auto answer = parse_resume(said(200, body));
    EXPECT_FALSE(answer.complete) << body;
    EXPECT_EQ(answer.offset, 0U) << body;
  }
  EXPECT_EQ(parse_resume(said(404, R"({"resume":"5"})")).offset, 0U);
}

TEST(UploadAnswer, TextsAreFitForUrls) {
  EXPECT_EQ(base64url_encode(*hex_decode("fbff")), "-_8");
  EXPECT_EQ(percent_encode("a b/+=~"), "a%20b%2F%2B%3D~");
}

}  // namespace
}  // namespace posthorn::chat
