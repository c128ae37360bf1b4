#include "posthorn/simulator/cloud.h"

#include <gtest/gtest.h>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "support/fakes.h"

namespace posthorn::simulator {
namespace {

/// The stand-in with a receiver of its webhooks.
struct CloudStandIn : testing::Test {
  struct Told {
    std::string body, signature;
  };
  posthorn::test::FakeScheduler scheduler;
  std::vector<Told> told;
  int answers = 200;
  Cloud cloud{{},
              {scheduler, [this](const std::string&, const std::string& signature,
                                 const std::string& body, Once<void(int)> done) {
                 told.push_back({body, signature});
                 scheduler.post([this, done = std::move(done)]() mutable { done(answers); });
               }}};
  const std::string number = "/v26.0/106540352242922";

  CloudStandIn() {
    control("/cloud/set", R"({"webhook":"http://127.0.0.1:1/in"})");
    control("/cloud/template", R"({"name":"receipt","language":"en_US","category":"UTILITY",
      "components":[{"type":"BODY","text":"From us: {{1}}"}]})");
  }
  json::Value control(const std::string& path, const std::string& body = "") {
    json::Value out;
    cloud.control(body.empty() ? "GET" : "POST", path, body, [&out](Cloud::Response response) {
      EXPECT_EQ(response.status, 200) << json::write(response.body);
      out = std::move(response.body);
    });
    scheduler.run_posted();
    return out;
  }
  CloudAnswer post(const std::string& body, const std::string& token = "EAAG-stand-in") {
    const CloudAnswer answer = cloud.graph({.method = "POST",
                                            .path = number + "/messages",
                                            .authorization = "Bearer " + token,
                                            .body = body});
    scheduler.run_posted();
    return answer;
  }
  /// The code of the refusal; 0: taken.
  int code(const std::string& body) {
    const auto answer = json::parse(post(body).body);
    return static_cast<int>(json::int_at(json::at(*answer, "error"), "code").value_or(0));
  }
  /// A message with those members beside messaging_product and to.
  int text_code(const std::string& members) {
    return code(R"({"messaging_product":"whatsapp","to":"4915550007777",)" + members + "}");
  }
  /// The statuses of all webhooks so far.
  std::vector<json::Value> statuses() {
    std::vector<json::Value> out;
    for (const Told& one : told) {
      const auto body = json::parse(one.body);
      const json::Value& value = (*body)["entry"][0]["changes"][0]["value"];
      for (const json::Value& status : json::at(value, "statuses")) out.push_back(status);
    }
    return out;
  }
  std::string words() {
    std::string out;
    for (const auto& one : statuses()) out += one["status"].asString() + " ";
    return out;
  }
};

const std::string kText = R"({"messaging_product":"whatsapp","to":"4915550007777","type":"text",)"
                          R"("text":{"body":"hi"}})";
const std::string kReceipt =
    R"({"messaging_product":"whatsapp","to":"4915550007777","type":"template","template":{)"
    R"("name":"receipt","language":{"code":"en_US"},"components":[{"type":"body","parameters":[)"
    R"({"type":"text","text":"two cakes"}]}]}})";

TEST_F(CloudStandIn, OutsideTheWindowOnlyTemplates) {
  EXPECT_EQ(post(kText).status, 200) << "Meta says so later";
  EXPECT_EQ(statuses().at(0)["errors"][0]["code"].asInt(), 131047);
  told.clear();
  EXPECT_EQ(control("/cloud/say", R"({"from":"4915550007777","text":"ä/😀"})")["status"].asInt(),
            200);
  EXPECT_NE(told.at(0).body.find("\\u00e4/\\ud83d\\ude00"), std::string::npos);
  told.clear();
  post(kText);
  EXPECT_EQ(words(), "sent delivered read ");
  told.clear();
  control("/cloud/clock", R"({"forward":90000})");
  post(kText);
  EXPECT_EQ(words(), "failed ");
  told.clear();
  post(kReceipt);
  EXPECT_EQ(words(), "sent delivered read ");
}

TEST_F(CloudStandIn, TemplatesByTheirState) {
  const std::vector<std::pair<std::string, int>> states = {{"PENDING", 132001},
                                                           {"REJECTED", 132001},
                                                           {"PAUSED", 132015},
                                                           {"DISABLED", 132016},
                                                           {"APPROVED", 0}};
  for (const auto& [status, expected] : states) {
    control("/cloud/template",
            R"({"name":"receipt","language":"en_US","category":"UTILITY","status":")" + status +
                R"(","components":[{"type":"BODY","text":"{{1}}"}]})");
    EXPECT_EQ(code(kReceipt), expected) << status;
  }
  std::string two = kReceipt;
  two.replace(two.find("two cakes"), 9, "a\\nb");
  EXPECT_EQ(code(two), 132007);
  EXPECT_EQ(
      text_code(R"("type":"template","template":{"name":"receipt","language":{"code":"en_US"}})"),
      132000);
  EXPECT_EQ(
      text_code(R"("type":"template","template":{"name":"other","language":{"code":"en_US"}})"),
      132001);
}

TEST_F(CloudStandIn, DirectSendOnlyWhereItIsOn) {
  const std::string text = R"("type":"text","text":{"body":"hi"},"category":"utility")";
  EXPECT_EQ(text_code(text), 100);
  control("/cloud/set", R"({"direct_send":true})");
  EXPECT_EQ(text_code(text), 0);
  EXPECT_EQ(
      text_code(R"("type":"text","text":{"body":"hi","preview_url":true},"category":"utility")"),
      100);
  EXPECT_EQ(text_code(text + R"(,"message_send_ttl_seconds":29)"), 100);
  EXPECT_EQ(text_code(text + R"(,"message_send_ttl_seconds":30)"), 0);
  EXPECT_EQ(text_code(R"("type":"text","text":{"body":"hi"},"message_send_ttl_seconds":60)"), 100);
  EXPECT_EQ(text_code(R"("type":"text","text":{"body":")" + std::string(1025, 'x') +
                      R"("},"category":"utility")"),
            131009);
  EXPECT_EQ(code(R"({"messaging_product":"whatsapp","recipient":"DE.1a","type":"text",)"
                 R"("text":{"body":"1234"},"category":"authentication"})"),
            131062);
}

TEST_F(CloudStandIn, RefusesWhatTheContractSays) {
  EXPECT_EQ(post(kText, "wrong").status, 401);
  EXPECT_EQ(code("{"), 100);
  EXPECT_EQ(code(R"({"to":"4915550007777"})"), 131008);
  EXPECT_EQ(code(R"({"messaging_product":"whatsapp","text":{"body":"x"}})"), 131008);
  EXPECT_EQ(code(R"({"messaging_product":"whatsapp","to":"12","text":{"body":"x"}})"), 131009);
  EXPECT_EQ(code(R"({"messaging_product":"whatsapp","to":"4915550009999","text":{"body":"x"}})"),
            131021);
  EXPECT_EQ(text_code(R"("type":"poll","poll":{})"), 131051);
  EXPECT_EQ(text_code(R"("type":"text")"), 131008);
  EXPECT_EQ(text_code(R"("text":{"body":""})"), 131009);
  EXPECT_EQ(text_code(R"("text":{"body":")" + std::string(4097, 'x') + "\"}"), 131009);
  EXPECT_EQ(text_code(R"("type":"image","image":{"id":"1"})"), 131009);
  EXPECT_EQ(text_code(R"("text":{"body":"x"},"biz_opaque_callback_data":")" +
                      std::string(513, 'x') + "\""),
            131009);
  const auto missing =
      cloud.graph({.method = "GET", .path = "/v26.0/1", .authorization = "Bearer EAAG-stand-in"});
  EXPECT_EQ((*json::parse(missing.body))["error"]["error_subcode"].asInt(), 33);
  control("/cloud/set", R"({"test_numbers":["4915550001111"]})");
  EXPECT_EQ(code(kText), 131030);
}

TEST_F(CloudStandIn, PacesAPersonAndTheNumber) {
  control("/cloud/say", R"({"from":"4915550007777","text":"hi"})");
  for (int i = 0; i < 45; ++i) ASSERT_EQ(code(kText), 0) << i;
  EXPECT_EQ(code(kText), 131056);
  control("/cloud/clock", R"({"forward":6})");
  EXPECT_EQ(code(kText), 0);
  int refused = 0;
  for (int i = 0; i < 100 && refused == 0; ++i) {
    refused = code(R"({"messaging_product":"whatsapp","to":"49155500)" + std::to_string(10000 + i) +
                   R"(","text":{"body":"x"}})");
  }
  EXPECT_EQ(refused, 130429);
}

TEST_F(CloudStandIn, EveryCodeOnCommand) {
  const json::Value codes = control("/cloud/codes");
  EXPECT_GT(codes.size(), 60U);
  for (const json::Value& one : codes) {
    told.clear();
    const std::string wanted = std::to_string(one["code"].asInt());
    control("/cloud/clock", R"({"forward":6})");
    control("/cloud/fault", R"({"code":)" + wanted + "}");
    const CloudAnswer answer = post(kReceipt);
    if (one["later"].asBool()) {
      EXPECT_EQ(answer.status, 200) << wanted;
      EXPECT_EQ(statuses().at(0)["errors"][0]["code"], one["code"]);
      continue;
    }
    EXPECT_EQ(answer.status, one["status"].asInt()) << wanted;
    EXPECT_EQ((*json::parse(answer.body))["error"]["code"], one["code"]);
    EXPECT_TRUE(told.empty());
  }
  told.clear();
  control("/cloud/fault", R"({"drop":true})");
  EXPECT_EQ(post(kReceipt).how, CloudAnswer::How::drop);
  EXPECT_EQ(words(), "sent delivered read ") << "it was taken";
  control("/cloud/fault", R"({"hang":true})");
  EXPECT_EQ(post(kReceipt).how, CloudAnswer::How::hang);
}

TEST_F(CloudStandIn, SignsAndRepeatsUntilItIsTaken) {
  control("/cloud/set", R"({"duplicates":true,"reorder":true})");
  answers = 500;
  post(kReceipt);
  EXPECT_EQ(told.size(), 1U);
  scheduler.advance(seconds(1));
  EXPECT_GT(told.size(), 1U);
  EXPECT_EQ(told.at(0).body, told.at(1).body);
  answers = 200;
  told.clear();
  scheduler.advance(seconds(30));
  EXPECT_EQ(words(), "sent read delivered sent ");
  for (const Told& one : told) {
    EXPECT_EQ(one.signature,
              "sha256=" + hex_encode(crypto::hmac_sha256(as_bytes("app-secret-of-the-stand-in"),
                                                         as_bytes(one.body))));
  }
}

TEST_F(CloudStandIn, PeopleWithoutANumber) {
  control("/cloud/say", R"({"from":"DE.1a2B","text":"hi"})");
  const json::Value value = (*json::parse(told.at(0).body))["entry"][0]["changes"][0]["value"];
  EXPECT_FALSE(value["messages"][0].isMember("from"));
  EXPECT_EQ(value["messages"][0]["from_user_id"].asString(), "DE.1a2B");
  EXPECT_FALSE(value["contacts"][0].isMember("wa_id"));
  told.clear();
  post(R"({"messaging_product":"whatsapp","recipient":"DE.1a2B","text":{"body":"x"}})");
  ASSERT_EQ(words(), "sent delivered read ");
  EXPECT_FALSE(statuses()[0].isMember("recipient_id"));
  EXPECT_EQ(statuses()[0]["recipient_user_id"].asString(), "DE.1a2B");
  told.clear();
  post(R"({"messaging_product":"whatsapp","recipient":"DE.nobody","text":{"body":"x"}})");
  EXPECT_EQ(statuses().at(0)["errors"][0]["code"].asInt(), 131026);
}

TEST_F(CloudStandIn, TheFreeThousandAndWhatFollows) {
  control("/cloud/set", R"({"free_service":2})");
  control("/cloud/say", R"({"from":"4915550007777","text":"hi"})");
  told.clear();
  for (int i = 0; i < 3; ++i) post(kText);
  const auto all = statuses();
  ASSERT_EQ(all.size(), 9U);
  EXPECT_EQ(all[0]["pricing"]["type"].asString(), "free_customer_service");
  EXPECT_EQ(all[6]["pricing"]["type"].asString(), "regular");
  told.clear();
  control("/cloud/set", R"({"payment":false})");
  post(kText);
  EXPECT_EQ(statuses().at(0)["errors"][0]["code"].asInt(), 131042);
  told.clear();
  post(kReceipt);
  EXPECT_EQ(statuses().at(0)["pricing"]["category"].asString(), "utility");
  EXPECT_EQ(control("/cloud")["pricing"].size(), 4U);
}

TEST_F(CloudStandIn, MediaUpAndDown) {
  const std::string part = "--XX\r\nContent-Disposition: form-data; name=";
  const std::string form =
      part + "\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n" +
      part + "\"messaging_product\"\r\n\r\nwhatsapp\r\n--XX--\r\n";
  const auto ask = [this](const std::string& method, const std::string& path,
                          const std::string& body = "") {
    return cloud.graph({.method = method,
                        .path = path,
                        .host = "127.0.0.1:9",
                        .authorization = "Bearer EAAG-stand-in",
                        .content_type = "multipart/form-data; boundary=XX",
                        .body = body});
  };
  const std::string id = (*json::parse(ask("POST", number + "/media", form).body))["id"].asString();
  const auto object = json::parse(ask("GET", "/v26.0/" + id).body);
  EXPECT_EQ((*object)["file_size"].asString(), "4");
  const std::string url = (*object)["url"].asString();
  EXPECT_EQ(url, "http://127.0.0.1:9/lookaside/" + id);
  EXPECT_EQ(ask("GET", "/lookaside/" + id).body, "%PDF");
  control("/cloud/clock", R"({"forward":400})");
  EXPECT_EQ(ask("GET", "/lookaside/" + id).status, 404) << "a link lives five minutes";
  EXPECT_EQ(ask("DELETE", "/v26.0/" + id).status, 200);
  EXPECT_EQ(ask("GET", "/v26.0/" + id).status, 400);
  EXPECT_EQ(ask("POST", number + "/media", "--XX--").status, 400);
}

TEST_F(CloudStandIn, ListsTemplatesByPages) {
  const auto list = [this](const std::string& after) {
    CloudRequest request{.method = "GET",
                         .path = "/v26.0/102290129340398/message_templates",
                         .authorization = "Bearer EAAG-stand-in"};
    request.query = {{"limit", "1"}, {"after", after}};
    return *json::parse(cloud.graph(request).body);
  };
  control("/cloud/template",
          R"({"name":"other","language":"de","category":"MARKETING","components":[]})");
  const json::Value first = list("");
  EXPECT_EQ(first["data"][0]["name"].asString(), "receipt");
  EXPECT_TRUE(first["paging"].isMember("next"));
  const json::Value second = list(first["paging"]["cursors"]["after"].asString());
  EXPECT_EQ(second["data"][0]["name"].asString(), "other");
  EXPECT_FALSE(second["paging"].isMember("next"));
}

}  // namespace
}  // namespace posthorn::simulator
