#include "api/notification/shown.h"

namespace posthorn::api::test {
namespace {

TEST(Notification, ShowsATextMessage) {
  expect_notification(
      incoming(text("Is the cake ready?")),
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"textMessage","textMessageData":{"textMessage":"Is the cake ready?"}}})");
}

TEST(Notification, ShowsAGroupMessageWithItsSender) {
  Message message = incoming(text("Flour is out"));
  message.chat = "120363000000000001@g.us";
  message.chat_name = "Staff";
  const auto out = to_notification(message, everything(), kInstance);
  ASSERT_TRUE(out);
  EXPECT_EQ((*out)["senderData"]["chatId"].asString(), "120363000000000001@g.us");
  EXPECT_EQ((*out)["senderData"]["sender"].asString(), "4915550007777@c.us");
  EXPECT_EQ((*out)["senderData"]["chatName"].asString(), "Staff");
}

TEST(Notification, ShowsAnExtendedTextWithAllItsFields) {
  Message message = incoming(text("See https://shop.example"));
  std::get<content::Text>(message.content.what).preview =
      content::Preview{"Bakery", "Bread and cakes", "https://shop.example"};
  message.content.forwarded = true;
  message.content.forwarding_score = 3;
  expect_notification(
      message,
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"extendedTextMessage","extendedTextMessageData":{"text":"See https://shop.example","description":"Bread and cakes","title":"Bakery","previewType":"None","jpegThumbnail":"","forwardingScore":3,"isForwarded":true}}})");
}

TEST(Notification, ShowsThePictureOfAPreviewAndTellsNoStatuses) {
  Message message = incoming(text("See https://shop.example"));
  auto& preview = std::get<content::Text>(message.content.what).preview;
  preview = content::Preview{"Bakery", "", "https://shop.example"};
  preview->thumbnail = to_bytes(as_bytes(std::string("jpeg")));
  const auto out = to_notification(message, everything(), kInstance);
  ASSERT_TRUE(out);
  EXPECT_EQ((*out)["messageData"]["extendedTextMessageData"]["jpegThumbnail"].asString(),
            "anBlZw==");
  message.chat = "status@broadcast";
  EXPECT_FALSE(to_notification(message, everything(), kInstance));
}

TEST(Notification, ShowsAReply) {
  Message message = incoming(text("Yes please"));
  message.content.quote = Quote{
      "3EB0C0FFEE0123456789", "4915550001234@c.us", "Shall I reserve it?", "textMessage", {}, {}};
  expect_notification(
      message,
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"quotedMessage","extendedTextMessageData":{"text":"Yes please","stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us"},"quotedMessage":{"stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us","typeMessage":"textMessage","textMessage":"Shall I reserve it?"}}})");
}

TEST(Notification, ShowsWhatWasTypedOnThePhoneAsOurs) {
  Message message = incoming(text("Come at five"));
  message.from_me = true;
  expect_notification(
      message,
      R"({"typeWebhook":"outgoingMessageReceived",)" + kHead + kFromPhone +
          R"("messageData":{"typeMessage":"textMessage","textMessageData":{"textMessage":"Come at five"}}})");
}

TEST(Notification, MarksWhatCouldNotBeDecrypted) {
  const auto out = to_notification(incoming(content::Undecryptable{}), everything(), kInstance);
  ASSERT_TRUE(out);
  EXPECT_EQ((*out)["messageData"]["textMessageData"]["textMessage"].asString(), "{{SWE003}}");
}

TEST(Notification, StaysJsonWhateverPeopleSend) {
  Message message = incoming(text("a\xff\"b"));
  message.sender_name = "\xc3";
  const auto out = to_notification(message, everything(), kInstance);
  ASSERT_TRUE(out);
  const auto read = json::parse(json::write(*out));
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)["messageData"]["textMessageData"]["textMessage"].asString(),
            "a\xEF\xBF\xBD\"b");
}

}  // namespace
}  // namespace posthorn::api::test
