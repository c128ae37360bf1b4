#include <tuple>
#include <vector>

#include "api/notification/shown.h"

namespace posthorn::api::test {
namespace {

content::File photo() {
  content::File file;
  file.kind = content::File::Kind::image;
  file.ref = "1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a";
  file.mime = "image/jpeg";
  file.caption = "Like this one";
  file.size = 12'345;
  file.thumbnail = to_bytes("\xFF\xD8\xFF\xE0");
  file.link = "http://box.lan/files/1f0a.jpg";
  return file;
}

TEST(Notification, ShowsAFileWithAllItsFields) {
  expect_notification(
      incoming(photo()),
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"imageMessage","fileMessageData":{"downloadUrl":"http://box.lan/files/1f0a.jpg","caption":"Like this one","fileName":"1f0a1f0a1f0a1f0a.jpg","jpegThumbnail":"/9j/4A==","isAnimated":false,"mimeType":"image/jpeg","forwardingScore":0,"isForwarded":false}}})");
}

TEST(Notification, NamesEachKindOfFile) {
  using Kind = content::File::Kind;
  const std::vector<std::tuple<Kind, std::string, std::string>> kinds{
      {Kind::video, "video/mp4", "videoMessage"},
      {Kind::gif, "video/mp4", "videoMessage"},
      {Kind::video_note, "video/mp4", "videoMessage"},
      {Kind::audio, "audio/mpeg", "audioMessage"},
      {Kind::voice, "audio/ogg; codecs=opus", "audioMessage"},
      {Kind::document, "application/pdf", "documentMessage"},
      {Kind::sticker, "image/webp", "stickerMessage"}};
  for (const auto& [kind, mime, name] : kinds) {
    content::File file = photo();
    file.kind = kind;
    file.mime = mime;
    file.name = kind == Kind::document ? "invoice 118.pdf" : "";
    file.animated = kind == Kind::sticker;
    Message message = incoming(file);
    message.content.forwarded = true;
    message.content.forwarding_score = 2;
    const auto out = to_notification(message, everything(), kInstance);
    ASSERT_TRUE(out) << name;
    const json::Value& data = (*out)["messageData"];
    EXPECT_EQ(data["typeMessage"].asString(), name);
    EXPECT_EQ(data["fileMessageData"]["mimeType"].asString(), mime);
    EXPECT_EQ(data["fileMessageData"]["isAnimated"].asBool(), kind == Kind::sticker);
    EXPECT_EQ(data["fileMessageData"]["forwardingScore"].asInt(), 2);
    EXPECT_TRUE(data["fileMessageData"]["isForwarded"].asBool());
    EXPECT_EQ(data["fileMessageData"].size(), 8U) << "strict receivers know these eight";
    if (kind == Kind::document) {
      EXPECT_EQ(data["fileMessageData"]["fileName"].asString(), "invoice 118.pdf");
    }
    if (kind == Kind::voice) {
      EXPECT_EQ(data["fileMessageData"]["fileName"].asString(), "1f0a1f0a1f0a1f0a.ogg");
    }
  }
}

TEST(Notification, AFileAnswersAndIsAnswered) {
  Message message = incoming(photo());
  Quote quote;
  quote.id = "3EB0C0FFEE0123456789";
  quote.participant = "4915550001234@c.us";
  quote.file = photo();
  message.content.quote = quote;
  const auto media = to_notification(message, everything(), kInstance);
  ASSERT_TRUE(media);
  EXPECT_EQ((*media)["messageData"]["typeMessage"].asString(), "imageMessage");
  EXPECT_EQ((*media)["messageData"]["quotedMessage"]["caption"].asString(), "Like this one");

  message.content.what = text("this one");
  expect_notification(
      message,
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"quotedMessage","extendedTextMessageData":{"text":"this one","stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us"},"quotedMessage":{"stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us","typeMessage":"imageMessage","downloadUrl":"http://box.lan/files/1f0a.jpg","caption":"Like this one","fileName":"1f0a1f0a1f0a1f0a.jpg","jpegThumbnail":"/9j/4A==","isAnimated":false,"mimeType":"image/jpeg"}}})");
}

}  // namespace
}  // namespace posthorn::api::test
