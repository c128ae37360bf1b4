#include "api/notification/shown.h"

namespace posthorn::api::test {
namespace {

TEST(Notification, ShowsReceiptsAsStatuses) {
  Receipt receipt;
  receipt.kind = Receipt::Kind::delivered;
  receipt.message_id = "3EB0C0FFEE0123456789";
  receipt.chat = "4915550007777@c.us";
  receipt.by_api = true;
  receipt.timestamp = Wall::from_unix(1'767'225'663);
  const auto body = [](const char* status) {
    return R"({"typeWebhook":"outgoingMessageStatus","chatId":"4915550007777@c.us","instanceData":{"idInstance":4100012345,"wid":"4915550001234@c.us","typeInstance":"whatsapp"},"timestamp":1767225663,"idMessage":"3EB0C0FFEE0123456789","status":")" +
           std::string(status) + R"(","sendByApi":true})";
  };
  expect_notification(receipt, body("delivered"));
  receipt.kind = Receipt::Kind::read;
  expect_notification(receipt, body("read"));
  receipt.kind = Receipt::Kind::played;
  expect_notification(receipt, body("read"));
}

TEST(Notification, ShowsTheSocketsStatus) {
  Settings settings = everything();
  const session::Event event = session::Connectivity{false};
  expect_json(
      to_notification(event, settings, kInstance, kNow),
      R"({"typeWebhook":"statusInstanceChanged",)" + kHead + R"("statusInstance":"offline"})");
  settings.status_instance_webhook = false;
  EXPECT_FALSE(to_notification(event, settings, kInstance, kNow));
}

TEST(Notification, ReportsFailuresWhateverTheSettingsSay) {
  Settings quiet;
  quiet.outgoing_webhook = false;
  StatusReport report{
      "3EB0C0FFEE0123456789", "4915550007777@c.us", MessageStatus::sent, "", kNow, true};
  EXPECT_FALSE(build_message_status(report, quiet, kInstance));
  report.status = MessageStatus::yellow_card;
  EXPECT_FALSE(build_message_status(report, quiet, kInstance));
  for (const auto& [status, name] :
       {std::pair{MessageStatus::failed, "failed"}, {MessageStatus::no_account, "noAccount"}}) {
    report.status = status;
    report.description = "why";
    const auto out = build_message_status(report, quiet, kInstance);
    ASSERT_TRUE(out);
    EXPECT_EQ((*out)["status"].asString(), name);
    EXPECT_EQ((*out)["description"].asString(), "why");
  }
}

TEST(Notification, NamesEveryStatus) {
  const std::vector<std::pair<MessageStatus, const char*>> names = {
      {MessageStatus::sent, "sent"},
      {MessageStatus::delivered, "delivered"},
      {MessageStatus::read, "read"},
      {MessageStatus::failed, "failed"},
      {MessageStatus::no_account, "noAccount"},
      {MessageStatus::not_in_group, "notInGroup"},
      {MessageStatus::yellow_card, "yellowCard"}};
  for (const auto& [status, name] : names) {
    EXPECT_EQ(to_string(status), name);
    EXPECT_EQ(parse_message_status(name), status);
  }
  EXPECT_FALSE(parse_message_status("pending"));
}

TEST(Notification, ShowsWhatWasSentThroughTheApi) {
  Job job;
  job.id = "3EB0C0FFEE0123456789AB";
  job.chat = "4915550007777@c.us";
  job.content.what = content::Text{"Order 118 is ready", true, std::nullopt};
  const auto plain = build_api_message(job, everything(), kInstance, kNow);
  ASSERT_TRUE(plain);
  EXPECT_EQ(
      *json::parse(json::write(*plain)),
      *json::parse(
          R"({"typeWebhook":"outgoingAPIMessageReceived",)" + kHead +
          R"("idMessage":"3EB0C0FFEE0123456789AB","senderData":{"chatId":"4915550007777@c.us","sender":"4915550001234@c.us","chatName":"","senderName":"Shop","senderContactName":""},"messageData":{"typeMessage":"extendedTextMessage","extendedTextMessageData":{"text":"Order 118 is ready","description":"","title":"","previewType":"None","jpegThumbnail":"","forwardingScore":0,"isForwarded":false}}})"));
  job.content.quote.emplace().id = "3EB0AA11BB22CC33DD44";
  const auto reply = build_api_message(job, everything(), kInstance, kNow);
  ASSERT_TRUE(reply);
  EXPECT_EQ((*reply)["messageData"]["typeMessage"].asString(), "quotedMessage");
  EXPECT_EQ((*reply)["messageData"]["quotedMessage"]["stanzaId"].asString(), job.content.quote->id);
  EXPECT_EQ((*reply)["messageData"]["quotedMessage"]["participant"].asString(), job.chat);
  job.content.quote = Quote{
      job.content.quote->id, "4915550001234@c.us", "Shall I reserve it?", "textMessage", {}, {}};
  const auto known = build_api_message(job, everything(), kInstance, kNow);
  const json::Value& quoted = (*known)["messageData"]["quotedMessage"];
  EXPECT_EQ(quoted["participant"].asString(), "4915550001234@c.us");
  EXPECT_EQ(quoted["textMessage"].asString(), "Shall I reserve it?");
  EXPECT_FALSE(build_api_message(job, Settings{}, kInstance, kNow));
}

TEST(Notification, OfTheApisOwnMessagesObeysTheSwitchOfTheirKind) {
  Job job;
  job.id = "3EB0C0FFEE0123456789AB";
  job.chat = "4915550007777@c.us";
  const auto told = [&](const Settings& settings) {
    return build_api_message(job, settings, kInstance, kNow).has_value();
  };
  Settings plain;
  plain.outgoing_api_message_webhook = true;
  job.content.what = content::Edit{kTarget, "Two cakes"};
  EXPECT_FALSE(told(plain));
  EXPECT_TRUE(told(everything()));
  job.content.what = content::Deletion{kTarget};
  EXPECT_FALSE(told(plain));
  EXPECT_TRUE(told(everything()));
  job.content.what = content::Poll{"Pick a day", {"Mon", "Tue"}};
  EXPECT_TRUE(told(plain));
  plain.poll_message_webhook = false;
  EXPECT_FALSE(told(plain));
  job.content.what = text("Fresh bread");
  EXPECT_TRUE(told(plain));
  job.chat = kStoryChat;
  EXPECT_FALSE(told(everything())) << "statuses are for the journal";
}

TEST(Notification, ShowsTheStateWithoutAWidWhenNothingIsLinked) {
  const auto linked =
      build_state_changed(InstanceState::Value::authorized, Settings{}, kInstance, kNow);
  ASSERT_TRUE(linked);
  EXPECT_EQ(*json::parse(json::write(*linked)),
            *json::parse(R"({"typeWebhook":"stateInstanceChanged",)" + kHead +
                         R"("stateInstance":"authorized"})"));
  const auto gone =
      build_state_changed(InstanceState::Value::not_authorized, Settings{}, kInstance, kNow);
  EXPECT_EQ((*gone)["instanceData"]["wid"].asString(), "");
}

}  // namespace
}  // namespace posthorn::api::test
