#include <gtest/gtest.h>

#include "box.h"

namespace posthorn::api::test {
namespace {

std::shared_ptr<Answer> say(Box& box, const std::string& more) {
  return box.post("sendMessage",
                  R"({"chatId":"4915550007777@c.us","message":"Menu: https://shop.example/menu")" +
                      (more.empty() ? "" : "," + more) + "}");
}

content::Text last(const Box& box) {
  return std::get<content::Text>(box.outbox.views.back().job.content.what);
}

TEST(Previews, ATextHasOneUnlessItOrTheSettingSaysNo) {
  Box box(0);
  ASSERT_EQ(say(box, "")->status(), 200);
  EXPECT_TRUE(last(box).link_preview);
  EXPECT_FALSE(last(box).large_preview);
  ASSERT_EQ(say(box, R"("linkPreview":false,"typePreview":"large")")->status(), 200);
  EXPECT_FALSE(last(box).link_preview);
  EXPECT_FALSE(last(box).large_preview);
  box.configure(R"({"linkPreview":false})");
  ASSERT_EQ(say(box, "")->status(), 200);
  EXPECT_FALSE(last(box).link_preview);
  ASSERT_EQ(say(box, R"("linkPreview":true,"typePreview":"large")")->status(), 200);
  EXPECT_TRUE(last(box).large_preview);
}

TEST(Previews, TheTillMaySayWhatIsShown) {
  Box box(0);
  const std::string jpeg = base64_encode(as_bytes("\xFF\xD8\xFF\xE0 small"));
  const auto answer =
      say(box, R"("customPreview":{"title":"Today's menu","description":"12 dishes","urlFile":)"
               R"("https://shop.example/m.jpg","jpegThumbnail":"data:image/jpeg;base64,)" +
                   jpeg + R"("})");
  ASSERT_EQ(answer->status(), 200) << answer->text();
  const content::Text text = last(box);
  ASSERT_TRUE(text.preview);
  EXPECT_EQ(text.preview->title, "Today's menu");
  EXPECT_EQ(text.preview->description, "12 dishes");
  EXPECT_EQ(text.preview->url, "https://shop.example/menu") << "the text's own link";
  EXPECT_EQ(text.preview->picture, "https://shop.example/m.jpg");
  EXPECT_EQ(as_text(text.preview->thumbnail), "\xFF\xD8\xFF\xE0 small");

  // As a record of the queue keeps it.
  const Job& job = box.outbox.views.back().job;
  const auto kept = decode_job(encode_job(job));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->content, job.content);
}

TEST(Previews, WhatIsWrongWithThemIsSaid) {
  Box box(0);
  const std::pair<const char*, const char*> rows[] = {
      {R"("typePreview":"huge")", "'typePreview' must be one of [large, small]"},
      {R"("customPreview":"x")", "'customPreview' must be of type object"},
      {R"("customPreview":{"description":"x"})", "'title' is required"},
      {R"("customPreview":{"title":"x","link":"ftp://a"})", "'link' must be a valid uri"},
      {R"("customPreview":{"title":"x","urlFile":"m.jpg"})", "'urlFile' must be a valid uri"},
      {R"("customPreview":{"title":"x","jpegThumbnail":"!"})", "'jpegThumbnail' must be"},
      {R"("customPreview":{"title":"x","jpegThumbnail":"AAAA"})", "'jpegThumbnail' must be a JPEG"},
  };
  for (const auto& [more, words] : rows) {
    const auto answer = say(box, more);
    EXPECT_EQ(answer->status(), 400) << more;
    EXPECT_NE(answer->message().find(words), std::string::npos) << answer->message();
  }
  const auto no_link =
      box.post("sendMessage",
               R"({"chatId":"4915550007777@c.us","message":"Menu","customPreview":{"title":"x"}})");
  EXPECT_NE(no_link->message().find("needs a link"), std::string::npos) << no_link->message();
  EXPECT_TRUE(box.outbox.views.empty());
}

}  // namespace
}  // namespace posthorn::api::test
