#include <gtest/gtest.h>

#include "api/box.h"

namespace posthorn::api::test {
namespace {

constexpr const char* kChat = R"({"chatId":"4915550007777@c.us"})";

TEST(Contacts, ListsArePlainArraysWithTheContractsMembers) {
  Box box(0);
  EXPECT_EQ(box.get("getContacts")->text(), "[]");
  EXPECT_EQ(box.get("getChats")->text(), "[]");
  box.link.listed = {{"120363000000000001@g.us", "Staff", "", false, 0, 0},
                     {"4915550007777@c.us", "Ida", "Ida K.", true, 604800, 1790000000}};
  const auto all = box.get("getContacts")->json();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(json::write(all[1]),
            R"({"contactName":"Ida K.","id":"4915550007777@c.us","name":"Ida","type":"user"})");
  const auto asked = [&box](const char* name, const char* value) {
    Request request = box.request(Verb::get, Box::path("getContacts"));
    request.query = {{name, value}};
    return box.send(std::move(request))->json();
  };
  EXPECT_EQ(asked("group", "true")[0]["type"], "group");
  EXPECT_EQ(asked("group", "false").size(), 1U);
  EXPECT_EQ(asked("count", "1").size(), 1U);
  const auto chats = box.get("getChats")->json();
  EXPECT_EQ(chats[1]["archive"], true);
  EXPECT_EQ(chats[1]["ephemeralExpiration"], 604800);
  EXPECT_EQ(chats[1]["name"], "Ida K.");
}

TEST(Contacts, OnePersonWithEverythingThatIsKnown) {
  Box box(0);
  chat::ChatDetails details;
  details.chat = "4915550007777@c.us";
  details.name = "Ida";
  details.contact = "Ida K.";
  details.muted_until = Wall::from_unix(1'767'230'000);
  details.picture.url = "https://pps.whatsapp.net/v/1.jpg";
  box.link.known = details;
  auto shown = box.post("getContactInfo", kChat)->json();
  EXPECT_EQ(shown["avatar"], "https://pps.whatsapp.net/v/1.jpg");
  EXPECT_EQ(shown["isMute"], true);
  EXPECT_EQ(shown["muteExpiration"], 1'767'230'000);
  EXPECT_EQ(shown["isBusiness"], false);
  EXPECT_TRUE(shown["products"].isArray());
  EXPECT_TRUE(shown["lastSeen"].isNull());
  EXPECT_FALSE(shown.isMember("about")) << "as the contract has it";
  EXPECT_FALSE(shown.isMember("isBlocked"));
  details.about = "At the oven";
  details.blocked = true;
  details.muted_until = Wall::from_unix(4'102'444'800);
  details.business = chat::BusinessProfile{"Bread", "info@bakery.example", "Bakery"};
  box.link.known = details;
  shown = box.post("getContactInfo", kChat)->json();
  EXPECT_TRUE(shown["muteExpiration"].isNull()) << "for ever has no end";
  EXPECT_EQ(shown["category"], "Bakery");
  EXPECT_EQ(shown["about"], "At the oven");
  EXPECT_EQ(shown["isBlocked"], true);
  box.link.known = fail(Errc::timeout, "no answer");
  EXPECT_EQ(box.post("getContactInfo", kChat)->status(), 502);
}

TEST(Contacts, AnAvatarThatIsNotThereIsNoError) {
  Box box(0);
  auto shown = box.post("getAvatar", kChat)->json();
  EXPECT_EQ(shown["urlAvatar"], "");
  EXPECT_EQ(shown["available"], false);
  EXPECT_TRUE(shown["reason"].isNull());
  box.link.face = chat::Picture{"https://pps.whatsapp.net/v/1.jpg", false};
  shown = box.post("getAvatar", kChat)->json();
  EXPECT_EQ(shown["available"], true);
  box.link.face = fail(Errc::timeout, "no answer");
  shown = box.post("getAvatar", kChat)->json();
  EXPECT_EQ(shown["reason"], "get avatar timeout limit exceeded");
  EXPECT_EQ(box.post("getAvatar", "{}")->status(), 400);
}

TEST(Contacts, ANumberWithoutWhatsAppHasNoAvatarAndIsSaidSo) {
  Box box(0);
  const auto exists = [&] { return box.post("getAvatar", kChat)->json()["existsWhatsapp"]; };
  box.link.numbers = std::vector<chat::NumberStatus>{{"4915550007777", false, ""}};
  EXPECT_EQ(exists(), false);
  box.link.numbers = std::vector<chat::NumberStatus>{{"4915550007777", true, ""}};
  EXPECT_EQ(exists(), true);
  box.link.numbers = fail(Errc::busy, "asked too often");
  EXPECT_EQ(exists(), true) << "not known otherwise";
  const int checks = box.link.checks;
  box.link.face = chat::Picture{"", true};
  EXPECT_EQ(exists(), true) << "whoever hides something is there";
  box.link.face = chat::Picture{"https://pps.whatsapp.net/v/1.jpg", false};
  EXPECT_EQ(exists(), true);
  EXPECT_EQ(box.post("getAvatar", R"({"chatId":"120363000000000001@g.us"})")->status(), 200);
  EXPECT_EQ(box.link.checks, checks) << "nobody is looked up without need";
}

TEST(Contacts, TheProfilePictureIsAJpegInAForm) {
  Box box(0);
  const auto post = [&](const std::string& bytes) {
    Request request = Box::request(Verb::post, Box::path("setProfilePicture"),
                                   "--X\r\nContent-Disposition: form-data; name=\"file\"; "
                                   "filename=\"a.jpg\"\r\n\r\n" +
                                       bytes + "\r\n--X--\r\n");
    request.content_type = "multipart/form-data; boundary=X";
    return box.send(std::move(request));
  };
  EXPECT_EQ(post("\xFF\xD8\xFF picture")->json()["setProfilePicture"], true);
  EXPECT_TRUE(post("\xFF\xD8\xFF picture")->json()["urlAvatar"].isNull()) << "not told";
  box.link.face = chat::Picture{"https://pps.whatsapp.net/v/me.jpg", false};
  EXPECT_EQ(post("\xFF\xD8\xFF picture")->json()["urlAvatar"], "https://pps.whatsapp.net/v/me.jpg");
  EXPECT_EQ(post("GIF89a")->status(), 400);
}

TEST(Contacts, TheAddressBookAndTheArchiveAreChanged) {
  Box box(0);
  EXPECT_EQ(box.post("addContact",
                     R"({"chatId":"4915550007777@c.us","firstName":"Ida","lastName":"Kern"})")
                ->text(),
            R"({"addContact":true})");
  EXPECT_EQ(box.link.asked.front(), "save 4915550007777@c.us/Ida/Kern/book");
  EXPECT_EQ(
      box.post("editContact",
               R"({"chatId":"4915550007777@c.us","firstName":"Ida","saveInAddressbook":false})")
          ->text(),
      R"({"editContact":true})");
  EXPECT_EQ(box.link.asked.front(), "save 4915550007777@c.us/Ida/");
  EXPECT_EQ(box.post("addContact", kChat)->status(), 400) << "firstName is required";
  EXPECT_EQ(box.post("deleteContact", kChat)->text(), R"({"deleteContact":true})");
  EXPECT_EQ(box.post("archiveChat", kChat)->text(), "");
  EXPECT_EQ(box.link.asked.front(), "archive 4915550007777@c.us");
  EXPECT_EQ(box.post("unarchiveChat", kChat)->status(), 200);
  box.link.state_changed = fail(Errc::not_found, "the phone has not handed out the keys yet");
  EXPECT_EQ(box.post("archiveChat", kChat)->message(), "the phone has not handed out the keys yet");
  EXPECT_EQ(box.post("addContact", R"({"chatId":"4915550007777@c.us","firstName":"Ida"})")
                ->json()["addContact"],
            false);
}

TEST(Contacts, NeedAnAccount) {
  Box box(0);
  box.link.who = {};
  box.set_session(session::State::pairing);
  const auto answer = box.get("getContacts");
  EXPECT_EQ(answer->status(), 400);
  EXPECT_EQ(answer->message(), "instance account not authorized");
}

TEST(GetWaSettings, HasTheOwnPictureAndAsksOnceWhereThereIsNoAnswer) {
  Box box(0);
  box.link.face = fail(Errc::timeout, "no answer");
  EXPECT_EQ(box.get("getWaSettings")->json()["avatar"], "");
  EXPECT_EQ(box.link.asked, std::vector<std::string>{"4915550001234@c.us"});
  box.link.asked.clear();
  EXPECT_EQ(box.get("getWaSettings")->json()["avatar"], "");
  EXPECT_TRUE(box.link.asked.empty());
  box.scheduler.advance(minutes(2));
  box.link.face = chat::Picture{"https://pps.whatsapp.net/v/me.jpg", false};
  EXPECT_EQ(box.get("getWaSettings")->json()["avatar"], "https://pps.whatsapp.net/v/me.jpg");
  EXPECT_EQ(box.get("getWaSettings")->json()["avatar"], "https://pps.whatsapp.net/v/me.jpg");
}

TEST(GetAvatarAsync, AnswersAtOnceAndTellsLater) {
  Box box(0);
  const auto refused = box.post("getAvatarAsync", kChat);
  EXPECT_EQ(refused->status(), 400);
  EXPECT_NE(refused->message().find("avatarInfoWebhook"), std::string::npos) << refused->message();
  box.configure(R"({"avatarInfoWebhook":"yes"})");
  box.link.face = chat::Picture{"https://pps.whatsapp.net/v/1.jpg", false};
  const auto answer = box.post("getAvatarAsync", kChat);
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(answer->text(), "");
  ASSERT_EQ(box.told.size(), 1U);
  EXPECT_EQ(box.told[0]["typeWebhook"], "deviceInfo");
  EXPECT_EQ(box.told[0]["avatarInfo"]["urlAvatar"], "https://pps.whatsapp.net/v/1.jpg");
  box.configure(R"({"callDetails":"yes"})");
  box.link.face = fail(Errc::timeout, "no answer");
  EXPECT_EQ(box.post("getAvatarAsync", kChat)->status(), 200);
  ASSERT_EQ(box.told.size(), 2U);
  EXPECT_EQ(box.told[1]["avatarInfo"]["reason"], "get avatar timeout limit exceeded");
  EXPECT_EQ(box.post("getAvatarAsync", "{}")->status(), 400);
}

}  // namespace
}  // namespace posthorn::api::test
