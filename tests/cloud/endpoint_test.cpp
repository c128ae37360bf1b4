#include <gtest/gtest.h>

#include <ostream>

#include "posthorn/cloud/wamid.h"
#include "shop.h"

namespace posthorn::cloud::test {
namespace {

using api::Verb;

TEST(Endpoint, TakesATextAndAnswersAsTheOfficialApi) {
  Shop shop;
  const auto answer =
      shop.post_message(R"({"messaging_product":"whatsapp","to":"+49 1555 000-7777","type":"text",)"
                        R"("text":{"body":"Your cake is ready","preview_url":true}})");
  ASSERT_EQ(answer->status(), 200) << answer->text();
  const json::Value out = answer->json();
  EXPECT_EQ(out["messaging_product"].asString(), "whatsapp");
  EXPECT_EQ(out["contacts"][0]["input"].asString(), "+49 1555 000-7777");
  EXPECT_EQ(out["contacts"][0]["wa_id"].asString(), kCustomer);
  const auto wamid = decode_wamid(out["messages"][0]["id"].asString());
  ASSERT_TRUE(wamid);
  EXPECT_EQ(wamid->chat, kCustomer + "@c.us");
  EXPECT_EQ(wamid->id, shop.outbox.views.at(0).job.id);
  EXPECT_FALSE(out["messages"][0].isMember("message_status"));
  EXPECT_EQ(shop.text(), "Your cake is ready");
}

TEST(Endpoint, AnswersOnlyWhenTheJobIsOnDisk) {
  Shop shop;
  shop.outbox.hold_answers = true;
  const auto answer = shop.say("text", R"({"body":"hello"})");
  EXPECT_EQ(answer->status(), 0);
  shop.outbox.release();
  EXPECT_EQ(answer->status(), 200);
}

TEST(Endpoint, TakesNullForAbsentAndAnyVersion) {
  Shop shop;
  api::Request request = api::test::Box::request(
      Verb::post, "/" + shop.identity.phone_number_id + "/messages",
      R"({"type":"text","context":null,"text":{"preview_url":null,"body":"a"},"to":"4915550007777",)"
      R"("messaging_product":"whatsapp","recipient_type":null})");
  request.query.emplace_back("access_token", api::test::kToken);
  EXPECT_EQ(shop.send(request)->status(), 200);
  request.path = "/v13.0" + request.path;
  EXPECT_EQ(shop.send(request)->status(), 200);
}

TEST(Endpoint, RefusesAWrongTokenSlowlyInTheGraphForm) {
  Shop shop;
  api::Request request =
      api::test::Box::request(Verb::get, "/v26.0/" + shop.identity.phone_number_id);
  const auto none = shop.send(request);
  EXPECT_EQ(none->status(), 401);
  EXPECT_EQ(Shop::code_of(*none), 190);
  request.authorization = "Bearer nothing";
  const auto wrong = shop.send(request);
  EXPECT_EQ(wrong->status(), 0) << "held back";
  shop.scheduler.advance(seconds(10));
  EXPECT_EQ(wrong->status(), 401);
  EXPECT_EQ(wrong->json()["error"]["type"].asString(), "OAuthException");
}

TEST(Endpoint, WordsAnErrorAsMetaDoes) {
  Shop shop;
  const json::Value error = shop.say("text", R"({"body":""})")->json()["error"];
  EXPECT_EQ(error["message"].asString(), "(#131009) Parameter value is not valid");
  EXPECT_EQ(error["type"].asString(), "OAuthException");
  EXPECT_EQ(error["error_data"]["details"].asString(), "text.body must not be empty");
  const json::Value path = shop.ask(Verb::get, "999999999999999")->json()["error"];
  EXPECT_EQ(path["code"].asInt(), 100);
  EXPECT_EQ(path["error_subcode"].asInt(), 33);
  EXPECT_EQ(path["type"].asString(), "GraphMethodException");
}

TEST(Endpoint, PathsEndWhereTheyEnd) {
  Shop shop;
  const std::string number = shop.identity.phone_number_id;
  const std::string body =
      R"({"messaging_product":"whatsapp","to":"4915550007777","text":{"body":"a"}})";
  EXPECT_EQ(shop.ask(Verb::post, number + "/messages/", body)->status(), 200);
  EXPECT_EQ(shop.ask(Verb::post, number + "/messages/more", body)->json()["error"]["error_subcode"],
            33);
  const auto fields = [&](const std::string& asked) {
    const json::Value out = shop.ask(Verb::get, number + "/?fields=" + asked)->json();
    std::string names;
    for (const auto& name : out.getMemberNames()) names += name + " ";
    return names;
  };
  EXPECT_EQ(fields("verified_name,throughput{level,other},unheard_of"),
            "id throughput verified_name ");
  EXPECT_EQ(fields("quality_rating.limit(1),status"), "id quality_rating status ");
}

struct Refused {
  const char* type;
  const char* part;
  int code;
};
/// Its bytes would be pointers, which differ from run to run.
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.type << refused.code; }

class BadMessage : public testing::TestWithParam<Refused> {};

TEST_P(BadMessage, IsRefusedWithItsCode) {
  Shop shop;
  const auto answer = shop.say(GetParam().type, GetParam().part);
  EXPECT_EQ(answer->status(), 400) << answer->text();
  EXPECT_EQ(Shop::code_of(*answer), GetParam().code) << answer->text();
  const json::Value error = answer->json()["error"];
  EXPECT_FALSE(error["error_data"]["details"].asString().empty());
  EXPECT_EQ(error["fbtrace_id"].asString().size(), 23U);
  EXPECT_TRUE(shop.outbox.views.empty());
}

const std::string kLong(4097, 'x');
const std::string kLongBody = R"({"body":")" + kLong + R"("})";
INSTANTIATE_TEST_SUITE_P(
    Endpoint, BadMessage,
    testing::Values(
        Refused{"text", R"({})", 131008}, Refused{"text", R"({"body":" "})", 131009},
        Refused{"text", kLongBody.c_str(), 131009}, Refused{"text", R"("hi")", 131009},
        Refused{"dance", R"({})", 131051}, Refused{"location", R"({"latitude":1})", 131008},
        Refused{"location", R"({"latitude":91,"longitude":0})", 131009},
        Refused{"contacts", R"([])", 131009}, Refused{"contacts", R"([{"name":{}}])", 131008},
        Refused{"reaction", R"({"message_id":"wamid.AAAA","emoji":"👍"})", 131009},
        Refused{"reaction", R"({"emoji":"👍"})", 131008},
        Refused{"interactive", R"({"type":"flow","body":{"text":"a"}})", 131051},
        Refused{"interactive", R"({"type":"button","body":{"text":"a"},"action":{"buttons":[]}})",
                131009},
        Refused{"interactive", R"({"type":"button","action":{"buttons":[]}})", 131008},
        Refused{"image", R"({"link":"https://shop.example/a.jpg"})", 131053},
        Refused{"image", R"({})", 131008}, Refused{"image", R"({"link":"ftp://a"})", 131009}));

TEST(Endpoint, RefusesWhatIsNoMessage) {
  Shop shop;
  EXPECT_EQ(Shop::code_of(*shop.post_message("{nonsense")), 100);
  EXPECT_EQ(Shop::code_of(*shop.post_message("[]")), 100);
  EXPECT_EQ(Shop::code_of(*shop.post_message("\xFF\xFE")), 100);
  EXPECT_EQ(Shop::code_of(*shop.post_message("{}")), 131008);
  const auto own = shop.post_message(
      R"({"messaging_product":"whatsapp","to":"4915550001234","text":{"body":"a"}})");
  EXPECT_EQ(Shop::code_of(*own), 131021);
  const auto user = shop.post_message(
      R"({"messaging_product":"whatsapp","recipient":"DE.1a2b","text":{"body":"a"}})");
  EXPECT_EQ(Shop::code_of(*user), 131062);
  shop.outbox.failure = Error{Errc::full, "the queue is full"};
  const auto full = shop.say("text", R"({"body":"a"})");
  EXPECT_EQ(full->status(), 429);
  EXPECT_EQ(Shop::code_of(*full), 130429);
  shop.status.link = Status::Link::blocked;
  EXPECT_EQ(shop.say("text", R"({"body":"a"})")->status(), 403);
}

TEST(Endpoint, UnknownPathsAndIdsAreMissingObjects) {
  Shop shop;
  for (const std::string path :
       {"999999999999999/messages", "123456789012345", "media/12", "nowhere", "a/b/c/d/e/f"}) {
    const auto answer = shop.ask(Verb::get, path);
    EXPECT_EQ(answer->status(), 400) << path;
    EXPECT_EQ(answer->json()["error"]["error_subcode"].asInt(), 33) << path;
    EXPECT_EQ(answer->json()["error"]["type"].asString(), "GraphMethodException");
  }
}

TEST(Endpoint, OurOwnUserIdsReachPeopleWithoutANumber) {
  Shop shop;
  const auto answer = shop.post_message(
      R"({"messaging_product":"whatsapp","recipient":"ZZ.147258369","text":{"body":"a"}})");
  ASSERT_EQ(answer->status(), 200) << answer->text();
  EXPECT_EQ(shop.outbox.views.back().job.chat, "147258369@lid");
  EXPECT_EQ(answer->json()["contacts"][0]["user_id"].asString(), "ZZ.147258369");
}

TEST(Endpoint, ChoicesBecomeNumberedLines) {
  Shop shop;
  ASSERT_EQ(
      shop.say("interactive",
               R"({"type":"button","header":{"type":"text","text":"Table"},)"
               R"("body":{"text":"Come today?"},"footer":{"text":"Café"},"action":{"buttons":[)"
               R"({"type":"reply","reply":{"id":"y","title":"Yes"}},)"
               R"({"type":"reply","reply":{"id":"n","title":"No"}}]}})")
          ->status(),
      200);
  EXPECT_EQ(shop.text(), "*Table*\n\nCome today?\n\n1. Yes\n2. No\n\n_Café_");
  ASSERT_EQ(
      shop.say("interactive",
               R"({"type":"list","body":{"text":"Pick"},"action":{"button":"Menu","sections":[)"
               R"({"title":"Cakes","rows":[{"id":"1","title":"Apple","description":""},)"
               R"({"id":"2","title":"Plum","description":"with cream"}]}]}})")
          ->status(),
      200);
  EXPECT_EQ(shop.text(), "Pick\n\n1. Apple\n2. Plum - with cream");
  ASSERT_EQ(shop.say("interactive",
                     R"({"type":"cta_url","body":{"text":"Pay here"},"action":{"name":"cta_url",)"
                     R"("parameters":{"display_text":"Pay","url":"https://shop.example/p/1"}}})")
                ->status(),
            200);
  EXPECT_EQ(shop.text(), "Pay here\n\nPay: https://shop.example/p/1");
}

TEST(Endpoint, ReactsAndAnswersToMessagesByTheirWamid) {
  Shop shop;
  const std::string id = "3A0000000000000001";
  const std::string wamid = encode_wamid({kCustomer + "@c.us", id, Direction::to_business});
  shop.link.earlier[kCustomer + "@c.us/" + id] = {};
  ASSERT_EQ(shop.say("reaction", R"({"message_id":")" + wamid + R"(","emoji":"👍"})")->status(),
            200);
  EXPECT_EQ(std::get<content::Reaction>(shop.said().what).emoji, "👍");
  EXPECT_EQ(shop.said().quote->id, id);
  ASSERT_EQ(shop.post_message(R"({"messaging_product":"whatsapp","to":"4915550007777","text":)"
                              R"({"body":"yes"},"context":{"message_id":")" +
                              wamid + R"("}})")
                ->status(),
            200);
  EXPECT_EQ(shop.said().quote->id, id);
  const auto read =
      shop.post_message(R"({"messaging_product":"whatsapp","status":"read","message_id":")" +
                        wamid + R"(","typing_indicator":{"type":"text"}})");
  EXPECT_EQ(read->text(), "{\"success\":true}");
  EXPECT_EQ(shop.link.asked, (std::vector<std::string>{kCustomer + "@c.us", id}));
  EXPECT_EQ(shop.link.typed, (std::vector<std::string>{kCustomer + "@c.us typing"}));
  shop.scheduler.advance(seconds(26));
  EXPECT_EQ(shop.link.typed.back(), kCustomer + "@c.us end");
}

TEST(Endpoint, ContactsAndPlaces) {
  Shop shop;
  ASSERT_EQ(
      shop.say(
              "contacts",
              R"([{"name":{"formatted_name":"Ida B; Baker","first_name":"Ida","last_name":"Baker",)"
              R"("middle_name":null},"phones":[{"phone":"+49 1555 0007778","type":"WORK",)"
              R"("wa_id":null}],"emails":[{"email":"ida@shop.example","type":"WORK"}],)"
              R"("org":{"company":"Cakes, Inc"},"birthday":null}])")
          ->status(),
      200);
  const auto& card = std::get<content::Contacts>(shop.said().what).cards.at(0);
  EXPECT_EQ(card.name, "Ida B; Baker");
  EXPECT_NE(card.vcard.find("N:Baker;Ida;;;\nFN:Ida B\\; Baker\nORG:Cakes\\, Inc\n"
                            "TEL;type=WORK;waid=4915550007778:+49 1555 0007778\n"
                            "EMAIL;type=WORK:ida@shop.example\n"),
            std::string::npos)
      << card.vcard;
  ASSERT_EQ(
      shop.say("location", R"({"latitude":"52.5","longitude":13.25,"name":"Café"})")->status(),
      200);
  const auto& place = std::get<content::Location>(shop.said().what);
  EXPECT_EQ(place.latitude, 52.5);
  EXPECT_EQ(place.longitude, 13.25);
}

TEST(Endpoint, KeepsCallbackDataForTheStatuses) {
  Shop shop;
  const auto answer = shop.post_message(
      R"({"messaging_product":"whatsapp","to":"4915550007777","text":{"body":"a"},)"
      R"("biz_opaque_callback_data":"order 118"})");
  ASSERT_EQ(answer->status(), 200);
  EXPECT_EQ(shop.endpoint.callback_data_of(shop.outbox.views.back().job.id), "order 118");
  EXPECT_EQ(shop.endpoint.callback_data_of("3EB0"), "");
}

TEST(Endpoint, ShowsNumberProfileAndBusiness) {
  Shop shop;
  const std::string& id = shop.identity.phone_number_id;
  const json::Value all = shop.ask(Verb::get, id)->json();
  EXPECT_EQ(all["id"].asString(), id);
  EXPECT_EQ(all["display_phone_number"].asString(), "+4915550001234");
  EXPECT_EQ(all["quality_rating"].asString(), "GREEN");
  shop.status.throttle = Status::Throttle::amber;
  const json::Value some =
      shop.ask(Verb::get, id + "?fields=quality_rating,nothing_we_know,verified_name")->json();
  EXPECT_EQ(some["quality_rating"].asString(), "YELLOW");
  EXPECT_EQ(some.size(), 3U);
  const json::Value profile = shop.ask(Verb::get, id + "/whatsapp_business_profile")->json();
  EXPECT_EQ(profile["data"][0]["vertical"].asString(), "UNDEFINED");
  const json::Value numbers = shop.ask(Verb::get, shop.identity.waba_id + "/phone_numbers")->json();
  EXPECT_EQ(numbers["data"][0]["id"].asString(), id);
  EXPECT_TRUE(shop.ask(Verb::get, "debug_token")->json()["data"]["is_valid"].asBool());
  EXPECT_EQ(shop.ask(Verb::post, id + "/register", "{}")->text(), "{\"success\":true}");
}

TEST(Endpoint, SubscribesACallback) {
  Shop shop;
  const std::string path = shop.identity.waba_id + "/subscribed_apps";
  EXPECT_EQ(shop.ask(Verb::post, path)->text(), "{\"success\":true}");
  EXPECT_TRUE(shop.callbacks.empty());
  const std::string body = R"({"override_callback_uri":"http://till.lan/hook","verify_token":"x"})";
  EXPECT_EQ(shop.ask(Verb::post, path, body)->status(), 200);
  EXPECT_EQ(shop.callbacks, (std::vector<std::string>{"http://till.lan/hook x"}));
  shop.callback_result = fail(Errc::refused, "it answered 403");
  EXPECT_EQ(Shop::code_of(*shop.ask(Verb::post, path, body)), 100);
  EXPECT_EQ(shop.ask(Verb::get, path)->json()["data"].size(), 0U);
}

TEST(Endpoint, MoreThanEightyRequestsASecondAreTooMany) {
  Shop shop;
  int refused = 0;
  for (int i = 0; i < 100; ++i) refused += shop.ask(Verb::get, "debug_token")->status() == 429;
  EXPECT_EQ(refused, 20);
  shop.scheduler.advance(seconds(1));
  EXPECT_EQ(shop.ask(Verb::get, "debug_token")->status(), 200);
}

}  // namespace
}  // namespace posthorn::cloud::test
