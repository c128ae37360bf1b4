#include <gtest/gtest.h>

#include "posthorn/cloud/wamid.h"
#include "shop.h"

// What a message answers, whom it is to, and which number hears that it was read.
namespace posthorn::cloud::test {
namespace {

using api::Verb;

const std::string kChat = kCustomer + "@c.us";

std::string answer_to(const std::string& wamid) {
  return R"({"messaging_product":"whatsapp","to":"4915550007777","text":{"body":"yes"},)"
         R"("context":{"message_id":")" +
         wamid + R"("}})";
}

std::string reaction_to(const std::string& wamid) {
  return R"({"message_id":")" + wamid + R"(","emoji":"👍"})";
}

TEST(EndpointTargets, AnAnswerToAMessageThatNobodyKnowsIsRefused) {
  Shop shop;
  const auto unknown =
      shop.post_message(answer_to(encode_wamid({kChat, "3A01", Direction::to_business})));
  EXPECT_EQ(unknown->status(), 400);
  EXPECT_EQ(Shop::code_of(*unknown), 131009) << unknown->text();
  EXPECT_EQ(Shop::code_of(*shop.post_message(answer_to("wamid.nonsense"))), 131009);
  shop.link.earlier["4915550008888@c.us/3A02"] = {};
  const auto elsewhere = shop.post_message(
      answer_to(encode_wamid({"4915550008888@c.us", "3A02", Direction::to_business})));
  EXPECT_EQ(Shop::code_of(*elsewhere), 131009) << "it is another chat's";
  EXPECT_TRUE(shop.outbox.views.empty());
}

TEST(EndpointTargets, WhatStillWaitsCanBeAnsweredAndReactedTo) {
  Shop shop;
  const auto first = shop.say("text", R"({"body":"Your cake is ready"})");
  const std::string wamid = first->json()["messages"][0]["id"].asString();
  const std::string id = shop.outbox.views.at(0).job.id;
  ASSERT_EQ(shop.post_message(answer_to(wamid))->status(), 200);
  EXPECT_EQ(shop.said().quote->id, id);
  const auto reaction = shop.say("reaction", reaction_to(wamid));
  ASSERT_EQ(reaction->status(), 200) << reaction->text();
  EXPECT_EQ(shop.said().quote->id, id);
  shop.outbox.views.at(0).job.chat = "4915550008888@c.us";
  EXPECT_EQ(Shop::code_of(*shop.say("reaction", reaction_to(wamid))), 131009);
}

/// A shop beside an official number that knows one person.
struct OfficialShop : Shop {
  OfficialShop() : other(identity, templates, media, with_number()) { api->speak(other); }
  Endpoint::Outside with_number() {
    Endpoint::Outside out = outside({});
    out.has_official = true;
    out.chat_of_user_id = [](const std::string& id) {
      return id == "DE.1a2b" ? std::optional<std::string>("DE.1a2b@bsuid") : std::nullopt;
    };
    out.mark_official = [this](const std::string& chat, const std::string& wamid, Typing typing,
                               Once<void(Result<std::size_t>)> done) {
      marked.push_back(chat + " " + wamid + (typing == Typing::yes ? " typing" : ""));
      done(mark_result);
    };
    return out;
  }

  std::vector<std::string> marked;
  Result<std::size_t> mark_result = std::size_t{1};
  Endpoint other;
};

TEST(EndpointTargets, WhomTheOfficialNumberKnowsByUserIdIsWrittenTo) {
  OfficialShop shop;
  for (const char* name : {"recipient", "to"}) {
    const auto answer =
        shop.post_message(R"({"messaging_product":"whatsapp",")" + std::string(name) +
                          R"(":"DE.1a2b","text":{"body":"Come by"}})");
    ASSERT_EQ(answer->status(), 200) << answer->text();
    EXPECT_EQ(shop.outbox.views.back().job.chat, "DE.1a2b@bsuid");
    const json::Value contact = answer->json()["contacts"][0];
    EXPECT_EQ(contact["user_id"].asString(), "DE.1a2b");
    EXPECT_FALSE(contact.isMember("wa_id"));
    EXPECT_EQ(decode_wamid(answer->json()["messages"][0]["id"].asString())->chat, "DE.1a2b@bsuid");
  }
  const auto stranger = shop.post_message(
      R"({"messaging_product":"whatsapp","recipient":"DE.9z9z","text":{"body":"a"}})");
  EXPECT_EQ(Shop::code_of(*stranger), 131062);
}

TEST(EndpointTargets, AReadMarkGoesToTheNumberThatGotTheMessage) {
  OfficialShop shop;
  const auto read = [&shop](const std::string& id, const std::string& more) {
    return shop.post_message(R"({"messaging_product":"whatsapp","status":"read","message_id":")" +
                             encode_wamid({kChat, id, Direction::to_business}) + R"(")" + more +
                             "}");
  };
  const std::string typing = R"(,"typing_indicator":{"type":"text"})";
  EXPECT_EQ(read("wamid.IN", typing)->text(), "{\"success\":true}");
  EXPECT_EQ(read("wamid.IN", "")->status(), 200);
  EXPECT_EQ(shop.marked,
            (std::vector<std::string>{kChat + " wamid.IN typing", kChat + " wamid.IN"}));
  EXPECT_TRUE(shop.link.typed.empty()) << "not in the chat of the linked account";
  EXPECT_TRUE(shop.link.asked.empty());
  shop.mark_result = fail(Errc::malformed, "the official API answers 400: no");
  EXPECT_EQ(Shop::code_of(*read("wamid.IN", "")), 131009);
  EXPECT_EQ(read("3A01", "")->status(), 200);
  EXPECT_EQ(shop.link.asked, (std::vector<std::string>{kChat, "3A01"}));
}

TEST(EndpointForms, FieldsOfAFormAreRead) {
  Shop shop;
  const auto post = [&shop](const std::string& path, const std::string& body,
                            const std::string& type = "application/x-www-form-urlencoded") {
    api::Request request = api::test::Box::request(Verb::post, "/v26.0/" + path, body);
    request.authorization = "Bearer " + api::test::kToken;
    request.content_type = type;
    return shop.send(std::move(request));
  };
  const std::string subscribe = shop.identity.waba_id + "/subscribed_apps";
  EXPECT_EQ(post(subscribe, "override_callback_uri=http%3A%2F%2Ftill.lan%2Fhook&verify_token=x")
                ->status(),
            200);
  EXPECT_EQ(shop.callbacks, (std::vector<std::string>{"http://till.lan/hook x"}));
  const std::string messages = shop.identity.phone_number_id + "/messages";
  ASSERT_EQ(post(messages,
                 "messaging_product=whatsapp&to=4915550007777&text="
                 "%7B%22body%22%3A%22a+cake%22%7D")
                ->status(),
            200);
  EXPECT_EQ(shop.text(), "a cake");
  // curl -d says that it is a form.
  EXPECT_EQ(post(messages, R"({"messaging_product":"whatsapp","to":"4915550007777",)"
                           R"("text":{"body":"JSON"}})")
                ->status(),
            200);
  EXPECT_EQ(shop.text(), "JSON");
  EXPECT_EQ(Shop::code_of(*post(messages, "text=%7Bnonsense")), 100);
  EXPECT_EQ(Shop::code_of(*post(subscribe, "--x\r\n", "multipart/form-data; boundary=x")), 100)
      << "nothing is set, so it is no success";
}

/// An endpoint that takes uploads.
struct FileShop : Shop {
  FileShop() {
    keep_files();
    Endpoint::Outside out =
        outside(api::FileOutside{*cabinet->store, cabinet->chat, *cabinet->links,
                                 [](const std::string&, Once<void(Result<api::FetchedFile>)> done) {
                                   done(fail(Errc::refused, "nothing is fetched"));
                                 }});
    taking = std::make_unique<Endpoint>(identity, templates, media, std::move(out));
    api->speak(*taking);
  }
  /// The head of an upload of that size whose body nobody kept.
  [[nodiscard]] api::Request head(std::uint64_t size) const {
    api::Request out =
        api::test::Box::request(Verb::post, "/v26.0/" + identity.phone_number_id + "/media");
    out.content_type = "multipart/form-data; boundary=x";
    out.content_length = size;
    out.body_too_large = true;
    return out;
  }
  /// As a server does it: nobody takes the body, so it is handled without.
  api::test::Answer refuse(Endpoint& endpoint_asked, const api::Request& request) {
    EXPECT_FALSE(endpoint_asked.terms(request).sink);
    api::test::Answer answer;
    endpoint_asked.handle(request, api::Reply([&answer](api::Response response) {
                            answer.response = std::move(response);
                          }));
    return answer;
  }

  std::unique_ptr<Endpoint> taking;
};

constexpr std::uint64_t kTooLarge = std::uint64_t{101} << 20;

TEST(EndpointUploads, AFileThatIsTooLargeIsNoLargeBody) {
  FileShop shop;
  const api::test::Answer large = shop.refuse(*shop.taking, shop.head(kTooLarge));
  EXPECT_EQ(large.status(), 400) << large.text();
  EXPECT_EQ(Shop::code_of(large), 131053);
  EXPECT_NE(large.text().find("larger than 100 MB"), std::string::npos);
  const api::test::Answer none = shop.refuse(shop.endpoint, shop.head(std::uint64_t{1} << 20));
  EXPECT_EQ(Shop::code_of(none), 131053);
  EXPECT_NE(none.text().find("carries no files"), std::string::npos);
  api::Request raw = shop.head(std::uint64_t{1} << 20);
  raw.content_type = "image/png";
  EXPECT_EQ(Shop::code_of(shop.refuse(*shop.taking, raw)), 100);
}

TEST(EndpointUploads, ThoseBeyondTheRateAreToldSo) {
  FileShop shop;
  for (int i = 0; i < 80; ++i) EXPECT_TRUE(shop.taking->terms(shop.head(1000)).sink) << i;
  for (const std::uint64_t size : {std::uint64_t{1000}, kTooLarge}) {
    const api::test::Answer answer = shop.refuse(*shop.taking, shop.head(size));
    EXPECT_EQ(answer.status(), 429) << answer.text();
    EXPECT_EQ(Shop::code_of(answer), 130429);
  }
  shop.scheduler.advance(seconds(1));  // the bodies that nobody sent are let go
}

TEST(EndpointUploads, EachIsDeletedByItself) {
  FileShop shop;
  const MediaIds::Media cake{std::string(64, 'a'), "image/png", "cake.png", 123};
  const auto first = shop.media.add(cake, "one");
  const auto second = shop.media.add(cake, "another");
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(shop.ask(Verb::del, *first)->status(), 200);
  EXPECT_EQ(shop.ask(Verb::get, *first)->status(), 400);
  EXPECT_EQ(shop.ask(Verb::get, *second)->status(), 200);
}

}  // namespace
}  // namespace posthorn::cloud::test
