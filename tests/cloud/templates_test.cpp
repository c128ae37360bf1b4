#include "posthorn/cloud/templates.h"

#include <gtest/gtest.h>

#include "shop.h"

namespace posthorn::cloud::test {
namespace {

using api::Verb;

const std::string kReceipt =
    R"({"name":"receipt","language":"en_US","category":"UTILITY","components":[)"
    R"({"type":"HEADER","format":"TEXT","text":"Order {{1}}"},)"
    R"({"type":"BODY","text":"Thank you {{1}}, total {{2}}.","example":{"body_text":[["Ida","9 EUR"]]}},)"
    R"({"type":"FOOTER","text":"Café"},)"
    R"({"type":"BUTTONS","buttons":[{"type":"URL","text":"See it","url":"https://shop.example/{{1}}"},)"
    R"({"type":"QUICK_REPLY","text":"Stop"}]}]})";

std::string sent(const std::string& components) {
  return R"({"name":"receipt","language":{"code":"en_US"},"components":)" + components + "}";
}

struct TemplateShop : Shop {
  TemplateShop() { made = ask(Verb::post, identity.waba_id + "/message_templates", kReceipt); }
  std::shared_ptr<api::test::Answer> made;
};

TEST(Templates, AreMadeFilledAndSent) {
  TemplateShop shop;
  ASSERT_EQ(shop.made->status(), 200) << shop.made->text();
  EXPECT_EQ(shop.made->json()["status"].asString(), "APPROVED");
  const auto answer = shop.say(
      "template",
      sent(
          R"([{"type":"header","parameters":[{"type":"text","text":"118"}]},)"
          R"({"type":"BODY","parameters":[{"type":"text","text":"Ida"},)"
          R"({"type":"currency","currency":{"fallback_value":"9 EUR","code":"EUR","amount_1000":9000}}]},)"
          R"({"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"x118"}]}])"));
  ASSERT_EQ(answer->status(), 200) << answer->text();
  EXPECT_EQ(answer->json()["messages"][0]["message_status"].asString(), "accepted");
  EXPECT_EQ(shop.text(),
            "*Order 118*\n\nThank you Ida, total 9 EUR.\n\n1. See it: https://shop.example/x118\n"
            "2. Stop\n\n_Café_");
}

TEST(Templates, UnknownOnesAndWrongParametersHaveTheirCodes) {
  TemplateShop shop;
  const auto unknown =
      shop.say("template", R"({"name":"nothing","language":{"code":"en_US"},"components":[]})");
  EXPECT_EQ(unknown->status(), 404);
  EXPECT_EQ(Shop::code_of(*unknown), 132001);
  for (
      const char* components :
      {"[]", R"([{"type":"body","parameters":[{"type":"text","text":"Ida"}]}])",
       R"([{"type":"header","parameters":[{"type":"text","text":"1"}]},{"type":"body","parameters":)"
       R"([{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"text","text":"c"}]}])"}) {
    const auto wrong = shop.say("template", sent(components));
    EXPECT_EQ(wrong->status(), 400);
    EXPECT_EQ(Shop::code_of(*wrong), 132000) << wrong->text();
  }
  EXPECT_TRUE(shop.outbox.views.empty());
}

TEST(Templates, NamedParametersAndCodes) {
  TemplateShop shop;
  const std::string path = shop.identity.waba_id + "/message_templates";
  ASSERT_EQ(
      shop.ask(Verb::post, path,
               R"({"name":"named","language":"de","category":"marketing","parameter_format":)"
               R"("named","components":[{"type":"body","text":"Hallo {{name}}, {{name}}!"}]})")
          ->status(),
      200);
  ASSERT_EQ(shop.say("template",
                     R"({"name":"named","language":{"code":"de"},"components":[{"type":"body",)"
                     R"("parameters":[{"type":"text","parameter_name":"name","text":"Ida"}]}]})")
                ->status(),
            200);
  EXPECT_EQ(shop.text(), "Hallo Ida, Ida!");
  ASSERT_EQ(shop.ask(Verb::post, path,
                     R"({"name":"code","language":"en","category":"AUTHENTICATION","components":[)"
                     R"({"type":"BODY","add_security_recommendation":true},{"type":"BUTTONS",)"
                     R"("buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}]})")
                ->status(),
            200);
  ASSERT_EQ(
      shop.say("template",
               R"({"name":"code","language":{"code":"en"},"components":[{"type":"body",)"
               R"("parameters":[{"type":"text","text":"481516"}]},{"type":"button",)"
               R"("sub_type":"url","index":0,"parameters":[{"type":"text","text":"481516"}]}]})")
          ->status(),
      200);
  EXPECT_EQ(shop.text(), "*481516* is your verification code.");
  EXPECT_TRUE(shop.outbox.views.back().job.urgent);
}

TEST(Templates, AreListedPagedAndDeleted) {
  TemplateShop shop;
  const std::string path = shop.identity.waba_id + "/message_templates";
  for (const char* language : {"de", "pt_BR"}) {
    const std::string body =
        R"({"name":"hello","language":")" + std::string(language) +
        R"(","category":"UTILITY","components":[{"type":"BODY","text":"Hi"}]})";
    ASSERT_EQ(shop.ask(Verb::post, path, body)->status(), 200);
    EXPECT_EQ(Shop::code_of(*shop.ask(Verb::post, path, body)), 131009) << "twice";
  }
  const json::Value first = shop.ask(Verb::get, path + "?limit=2")->json();
  EXPECT_EQ(first["data"].size(), 2U);
  const std::string after = first["paging"]["cursors"]["after"].asString();
  EXPECT_EQ(shop.ask(Verb::get, path + "?limit=2&after=" + after)->json()["data"].size(), 1U);
  EXPECT_EQ(shop.ask(Verb::get, path + "?name=hello&language=de")->json()["data"].size(), 1U);
  EXPECT_EQ(shop.ask(Verb::get, path + "?status=REJECTED")->json()["data"].size(), 0U);
  EXPECT_EQ(shop.ask(Verb::get, shop.made->json()["id"].asString())->json()["name"].asString(),
            "receipt");
  EXPECT_EQ(shop.ask(Verb::del, path + "?name=hello")->text(), "{\"success\":true}");
  EXPECT_EQ(shop.ask(Verb::del, path + "?name=hello")->status(), 400);
  EXPECT_EQ(shop.ask(Verb::get, path)->json()["data"].size(), 1U);
}

TEST(Templates, PagesLeadBothWaysAndKeepTheQuestion) {
  TemplateShop shop;
  const std::string path = shop.identity.waba_id + "/message_templates";
  for (const char* name : {"b", "c"}) {
    const std::string body = R"({"name":")" + std::string(name) +
                             R"(","language":"de","category":"UTILITY",)"
                             R"("components":[{"type":"BODY","text":"Hi"}]})";
    ASSERT_EQ(shop.ask(Verb::post, path, body)->status(), 200);
  }
  const std::string question = path + "?limit=1&category=UTILITY&access_token=not-told";
  const json::Value first = shop.ask(Verb::get, question)->json();
  EXPECT_FALSE(first["paging"].isMember("previous"));
  const std::string next = first["paging"]["next"].asString();
  EXPECT_NE(next.find("&category=UTILITY&after="), std::string::npos) << next;
  EXPECT_EQ(next.find("not-told"), std::string::npos) << next;
  const std::string after = first["paging"]["cursors"]["after"].asString();
  const json::Value second = shop.ask(Verb::get, question + "&after=" + after)->json();
  EXPECT_EQ(second["data"][0]["name"].asString(), "b");
  const std::string before = second["paging"]["cursors"]["before"].asString();
  const json::Value back = shop.ask(Verb::get, question + "&before=" + before)->json();
  EXPECT_EQ(back["data"], first["data"]);
}

TEST(Templates, OutliveARestartWithTheirReplyShare) {
  TemplateShop shop;
  const Template one = shop.templates.all().at(0);
  const Wall now = shop.clock.now();
  shop.templates.on_sent(one, "1@c.us", now);
  shop.templates.on_sent(one, "2@c.us", now);
  shop.templates.on_sent(one, "3@c.us", now);
  shop.templates.on_reply("1@c.us", now + hours(1));
  shop.templates.on_reply("1@c.us", now + hours(2));
  shop.templates.on_reply("2@c.us", now + hours(25));
  shop.templates.on_reply("9@c.us", now);
  Templates again(shop.blobs, shop.random);
  ASSERT_EQ(again.all().size(), 1U);
  EXPECT_EQ(again.all()[0].sent, 3U);
  EXPECT_EQ(again.all()[0].replied, 1U);
  EXPECT_EQ(to_json(again.all()[0]), to_json(one));
}

TEST(Templates, ABoxKeeps250) {
  Shop shop;
  for (std::size_t i = 0; i < Templates::kMost + 1; ++i) {
    json::Value body = json::parse(kReceipt).value_or(json::Value());
    body["name"] = "t" + std::to_string(i);
    body["components"] = json::Value(::Json::arrayValue);
    json::Value text;
    text["type"] = "BODY";
    text["text"] = "Hi";
    body["components"].append(text);
    EXPECT_EQ(shop.templates.create(body).has_value(), i < Templates::kMost) << i;
  }
}

}  // namespace
}  // namespace posthorn::cloud::test
