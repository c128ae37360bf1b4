#include <gtest/gtest.h>

#include "box.h"

namespace posthorn::api::test {
namespace {

TEST(Statuses, ATextIsAJobForThoseWhoAreNamed) {
  Box box(0);
  const auto answer = box.post(
      "sendTextStatus",
      R"({"message":"Fresh bread","backgroundColor":"#228B22","font":"SERIF","participants":["4915550007777@c.us"]})");
  ASSERT_EQ(answer->status(), 200) << answer->text();
  ASSERT_EQ(box.outbox.views.size(), 1U);
  const Job& job = box.outbox.views[0].job;
  EXPECT_EQ(answer->json()["idMessage"], json::Value(job.id));
  EXPECT_EQ(job.chat, "status@broadcast");
  EXPECT_EQ(job.audience, (std::vector<std::string>{"4915550007777@c.us"}));
  const auto& text = std::get<content::Text>(job.content.what);
  EXPECT_EQ(text.body, "Fresh bread");
  ASSERT_TRUE(text.style);
  EXPECT_EQ(text.style->background, 0xFF228B22U);
  EXPECT_EQ(text.style->font, 1);
  const auto kept = decode_job(encode_job(job));
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, job);
  const auto shown = box.get("showMessagesQueue")->json();
  EXPECT_EQ(shown[0]["type"], json::Value("sendTextStatus")) << json::write(shown);
}

TEST(Statuses, WhatIsWrongWithThemIsSaid) {
  Box box(0);
  const std::pair<const char*, const char*> rows[] = {
      {R"({})", "'message' is required"},
      {R"({"message":"a","backgroundColor":"green"})", "must be a colour like #228B22"},
      {R"({"message":"a","backgroundColor":"#FFFFFF"})", "must not be #FFFFFF"},
      {R"({"message":"a","font":"ARIAL"})", "'font' must be one of"},
      {R"({"message":"a","participants":"all"})", "'participants' must be an array"},
      {R"({"message":"a","participants":["120363000000000001@g.us"]})", "not groups"},
      {R"({"message":"a","participants":["x"]})", "must be one of the next formats"},
  };
  for (const auto& [body, words] : rows) {
    const auto answer = box.post("sendTextStatus", body);
    EXPECT_EQ(answer->status(), 400) << body;
    EXPECT_NE(answer->message().find(words), std::string::npos) << answer->message();
  }
  EXPECT_EQ(box.post("sendTextStatus", R"({"message":")" + std::string(501, 'x') + "\"}")->status(),
            400);
  EXPECT_TRUE(box.outbox.views.empty());
}

/// Green-API recommends MP3 and its client for Python sends one; only Ogg with Opus is a voice
/// note.
TEST(Statuses, SoundOfAnyFormIsOne) {
  Box box(0);
  box.keep_files();
  box.cabinet->web["https://shop.example/file.mp3"] = "ID3 and more of it";
  box.cabinet->web["https://shop.example/note.ogg"] = "OggS.. OpusHead";
  box.cabinet->web["https://shop.example/a.pdf"] = "%PDF-1.7";
  const auto post = [&](const std::string& name) {
    return box.post("sendVoiceStatus", R"({"urlFile":"https://shop.example/)" + name +
                                           R"(","fileName":")" + name +
                                           R"(","backgroundColor":"#FFFFFF"})");
  };
  using Kind = content::File::Kind;
  for (const auto& [name, kind] : {std::pair("file.mp3", Kind::audio), {"note.ogg", Kind::voice}}) {
    const auto answer = post(name);
    ASSERT_EQ(answer->status(), 200) << answer->text();
    const Job& job = box.outbox.views.back().job;
    EXPECT_EQ(job.chat, "status@broadcast");
    EXPECT_EQ(std::get<content::File>(job.content.what).kind, kind) << name;
    EXPECT_EQ(std::get<content::File>(job.content.what).background, 0xFFFFFFFFU)
        << "white is white on a text's white letters only";
  }
  const auto other = post("a.pdf");
  EXPECT_EQ(other->status(), 400);
  EXPECT_NE(other->message().find("MP3"), std::string::npos) << other->message();
}

TEST(Statuses, OneIsTakenBack) {
  Box box(0);
  const std::string id = "3EB0A1B2C3D4E5F60718";
  const std::string body = R"({"idMessage":")" + id + "\"}";
  EXPECT_EQ(box.post("deleteStatus", body)->status(), 400) << "nobody knows it";
  box.link.earlier["status@broadcast/" + id] = {Content{content::Text{"a", false, {}}, {}}, true,
                                                box.clock.now()};
  const auto answer = box.post("deleteStatus", body);
  EXPECT_EQ(answer->status(), 200) << answer->text();
  EXPECT_EQ(answer->text(), "");
  ASSERT_EQ(box.outbox.views.size(), 1U);
  EXPECT_EQ(box.outbox.views[0].job.chat, "status@broadcast");
  EXPECT_EQ(std::get<content::Deletion>(box.outbox.views[0].job.content.what).target_id, id);
  // One that waits just goes.
  box.outbox.views.clear();
  ASSERT_EQ(box.post("sendTextStatus", R"({"message":"a"})")->status(), 200);
  const std::string waiting = box.outbox.views[0].job.id;
  EXPECT_EQ(box.post("deleteStatus", R"({"idMessage":")" + waiting + "\"}")->status(), 200);
  EXPECT_TRUE(box.outbox.views.empty());
}

TEST(Disappearing, BetweenTwoItIsAMessageAndInAGroupAQuestion) {
  Box box(0);
  const auto answer = box.post("setDisappearingChat",
                               R"({"chatId":"4915550007777@c.us","ephemeralExpiration":604800})");
  ASSERT_EQ(answer->status(), 200) << answer->text();
  EXPECT_EQ(
      answer->text(),
      R"({"chatId":"4915550007777@c.us","disappearingMessagesInChat":true,"ephemeralExpiration":604800})");
  ASSERT_EQ(box.outbox.views.size(), 1U);
  EXPECT_EQ(std::get<content::Timer>(box.outbox.views[0].job.content.what).seconds, 604'800U);
  const auto group = box.post("setDisappearingChat",
                              R"({"chatId":"120363000000000001@g.us","ephemeralExpiration":"0"})");
  ASSERT_EQ(group->status(), 200) << group->text();
  EXPECT_EQ(group->json()["disappearingMessagesInChat"], json::Value(false));
  EXPECT_EQ(box.link.asked, (std::vector<std::string>{"120363000000000001@g.us", "-", "-", "0"}));
  for (const char* body : {R"({"chatId":"4915550007777@c.us"})",
                           R"({"chatId":"4915550007777@c.us","ephemeralExpiration":60})"}) {
    EXPECT_EQ(box.post("setDisappearingChat", body)->status(), 400) << body;
  }
}

}  // namespace
}  // namespace posthorn::api::test
