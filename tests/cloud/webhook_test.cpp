#include "posthorn/cloud/webhook.h"

#include <gtest/gtest.h>

#include "posthorn/cloud/wamid.h"

namespace posthorn::cloud {
namespace {

const std::string kChat = "4915550007777@c.us";

WebhookContext context() {
  WebhookContext out;
  out.waba_id = "102290129340398";
  out.phone_number_id = "106540352242922";
  out.own_phone = "4915550001234";
  out.media_of = [](const std::string& chat, const std::string& id, const std::string& link) {
    EXPECT_EQ(chat, kChat);
    EXPECT_EQ(id, "3A01");
    EXPECT_EQ(link, "http://box/files/x");
    content::File file;
    file.kind = content::File::Kind::voice;
    file.mime = "audio/ogg; codecs=opus";
    file.ref = std::string(64, 'a');
    return std::optional(ShownMedia{"1166846181421424", file});
  };
  out.callback_data_of = [](const std::string& id) {
    return id == "3EB0AA" ? std::string("order 118") : std::string();
  };
  return out;
}

json::Value incoming(const std::string& data, const std::string& chat = kChat) {
  return json::parse(R"({"typeWebhook":"incomingMessageReceived","timestamp":1767225600,)"
                     R"("idMessage":"3A01","senderData":{"chatId":")" +
                     chat + R"(","sender":")" + chat + R"(","senderName":"Ida"},"messageData":)" +
                     data + "}")
      .value_or(json::Value());
}

json::Value value_of(const json::Value& notification, const char* field = "messages") {
  const auto webhook = webhook_of(notification, context());
  EXPECT_TRUE(webhook);
  if (!webhook) return {};
  EXPECT_EQ((*webhook)["object"].asString(), "whatsapp_business_account");
  EXPECT_EQ((*webhook)["entry"][0]["id"].asString(), "102290129340398");
  EXPECT_EQ((*webhook)["entry"][0]["changes"][0]["field"].asString(), field);
  return (*webhook)["entry"][0]["changes"][0]["value"];
}

json::Value message_of(const std::string& data) { return value_of(incoming(data))["messages"][0]; }

TEST(Webhook, TellsAText) {
  const json::Value value = value_of(
      incoming(R"({"typeMessage":"textMessage","textMessageData":{"textMessage":"Ready?"}})"));
  EXPECT_EQ(value["messaging_product"].asString(), "whatsapp");
  EXPECT_EQ(value["metadata"]["phone_number_id"].asString(), "106540352242922");
  EXPECT_EQ(value["contacts"][0]["profile"]["name"].asString(), "Ida");
  EXPECT_EQ(value["contacts"][0]["wa_id"].asString(), "4915550007777");
  const json::Value& message = value["messages"][0];
  EXPECT_EQ(message["from"].asString(), "4915550007777");
  EXPECT_EQ(message["timestamp"].asString(), "1767225600");
  EXPECT_EQ(message["type"].asString(), "text");
  EXPECT_EQ(message["text"]["body"].asString(), "Ready?");
  const auto wamid = decode_wamid(message["id"].asString());
  ASSERT_TRUE(wamid);
  EXPECT_EQ(wamid->id, "3A01");
  EXPECT_EQ(wamid->direction, Direction::to_business);
}

TEST(Webhook, PeopleWithoutANumberHaveAUserId) {
  const json::Value value = value_of(incoming(
      R"({"typeMessage":"textMessage","textMessageData":{"textMessage":"a"}})", "147258369@lid"));
  EXPECT_FALSE(value["messages"][0].isMember("from"));
  EXPECT_EQ(chat_of_user_id("ZZ.147258369"), "147258369@lid");
  EXPECT_EQ(chat_of_user_id("ZZ.N4915550007777"), kChat);
  for (const char* other : {"DE.1a2b", "ZZ.", "ZZ.N12", "ZZ.Nabcdef", "147258369"}) {
    EXPECT_FALSE(chat_of_user_id(other)) << other;
  }
  EXPECT_FALSE(value["contacts"][0].isMember("wa_id"));
  EXPECT_EQ(value["messages"][0]["from_user_id"].asString(), "ZZ.147258369");
  EXPECT_EQ(value["contacts"][0]["user_id"].asString(), "ZZ.147258369");
}

TEST(Webhook, TellsFilesByIdWithTheirSha256AsBase64) {
  const json::Value message = message_of(
      R"({"typeMessage":"audioMessage","fileMessageData":{"downloadUrl":"http://box/files/x",)"
      R"("caption":"","mimeType":"audio/ogg; codecs=opus"}})");
  EXPECT_EQ(message["type"].asString(), "audio");
  EXPECT_EQ(message["audio"]["id"].asString(), "1166846181421424");
  EXPECT_TRUE(message["audio"]["voice"].asBool());
  EXPECT_EQ(message["audio"]["sha256"].asString().size(), 44U);
  EXPECT_EQ(message["audio"]["url"].asString(), "http://box/files/x");
}

TEST(Webhook, TellsPlacesCardsReactionsAndChanges) {
  const json::Value place = message_of(
      R"({"typeMessage":"locationMessage","locationMessageData":{"latitude":52.5,"longitude":13.25,)"
      R"("nameLocation":"Café","address":""}})");
  EXPECT_TRUE(place["location"]["latitude"].isDouble());
  EXPECT_FALSE(place["location"].isMember("address"));
  const json::Value card = message_of(
      R"({"typeMessage":"contactMessage","contactMessageData":{"displayName":"Ida B","vcard":)"
      R"("BEGIN:VCARD\nVERSION:3.0\nN:B;Ida;;;\nFN:Ida B\nitem1.TEL;waid=4915550007778:+49 1555\nEND:VCARD"}})");
  EXPECT_EQ(card["contacts"][0]["name"]["formatted_name"].asString(), "Ida B");
  EXPECT_EQ(card["contacts"][0]["phones"][0]["wa_id"].asString(), "4915550007778");
  EXPECT_EQ(card["contacts"][0]["phones"][0]["phone"].asString(), "+49 1555");
  const json::Value reaction = message_of(
      R"({"typeMessage":"reactionMessage","extendedTextMessageData":{"text":"👍"},"quotedMessage":)"
      R"({"stanzaId":"3EB0AA","participant":"4915550001234@c.us"}})");
  EXPECT_EQ(reaction["reaction"]["emoji"].asString(), "👍");
  EXPECT_EQ(decode_wamid(reaction["reaction"]["message_id"].asString()),
            (Wamid{kChat, "3EB0AA", Direction::from_business}));
  const json::Value edit = message_of(
      R"({"typeMessage":"editedMessage","editedMessageData":{"textMessage":"two","stanzaId":"3A00"}})");
  EXPECT_EQ(edit["edit"]["message"]["text"]["body"].asString(), "two");
  const json::Value gone =
      message_of(R"({"typeMessage":"deletedMessage","deletedMessageData":{"stanzaId":"3A00"}})");
  EXPECT_EQ(decode_wamid(gone["revoke"]["original_message_id"].asString()),
            (Wamid{kChat, "3A00", Direction::to_business}));
}

TEST(Webhook, TellsRepliesAndChoices) {
  const json::Value reply = message_of(
      R"({"typeMessage":"quotedMessage","extendedTextMessageData":{"text":"yes"},"quotedMessage":)"
      R"({"stanzaId":"3EB0AA","participant":"4915550001234@c.us"}})");
  EXPECT_EQ(reply["text"]["body"].asString(), "yes");
  EXPECT_EQ(reply["context"]["from"].asString(), "4915550001234");
  EXPECT_EQ(decode_wamid(reply["context"]["id"].asString())->id, "3EB0AA");
  const json::Value choice = message_of(
      R"({"typeMessage":"templateButtonsReplyMessage","templateButtonReplyMessage":{"stanzaId":"3EB0AA",)"
      R"("selectedId":"y","selectedDisplayText":"Yes"}})");
  EXPECT_EQ(choice["interactive"]["button_reply"]["id"].asString(), "y");
  EXPECT_EQ(decode_wamid(choice["context"]["id"].asString())->id, "3EB0AA");
  const json::Value row = message_of(
      R"({"typeMessage":"listResponseMessage","listResponseMessage":{"stanzaId":"3EB0AA",)"
      R"("title":"Plum","singleSelectReply":"2"}})");
  EXPECT_EQ(row["interactive"]["list_reply"]["title"].asString(), "Plum");
}

TEST(Webhook, WhatHasNoFormIsToldAsUnsupported) {
  for (const char* type : {"groupInviteMessage", "pollMessage", "somethingNew"}) {
    const json::Value message = message_of(R"({"typeMessage":")" + std::string(type) + R"("})");
    EXPECT_EQ(message["type"].asString(), "unsupported");
    EXPECT_EQ(message["errors"][0]["code"].asInt(), 131051);
  }
}

json::Value status(const std::string& rest) {
  return json::parse(R"({"typeWebhook":"outgoingMessageStatus","timestamp":1767225601,"chatId":")" +
                     kChat + R"(","idMessage":"3EB0AA",)" + rest + "}")
      .value_or(json::Value());
}

TEST(Webhook, TellsStatusesWithTheSendersWords) {
  const json::Value read = value_of(status(R"("status":"read")"))["statuses"][0];
  EXPECT_EQ(read["status"].asString(), "read");
  EXPECT_EQ(read["recipient_id"].asString(), "4915550007777");
  EXPECT_EQ(read["timestamp"].asString(), "1767225601");
  EXPECT_EQ(read["biz_opaque_callback_data"].asString(), "order 118");
  EXPECT_FALSE(read.isMember("pricing"));
  EXPECT_EQ(decode_wamid(read["id"].asString())->direction, Direction::from_business);
  EXPECT_FALSE(webhook_of(status(R"("status":"yellowCard")"), context()));
}

TEST(Webhook, FailuresHaveTheOfficialCodes) {
  const auto code = [](const std::string& rest) {
    const json::Value one = value_of(status(rest))["statuses"][0];
    EXPECT_EQ(one["status"].asString(), "failed");
    EXPECT_FALSE(one["errors"][0]["error_data"]["details"].asString().empty());
    return one["errors"][0]["code"].asInt();
  };
  EXPECT_EQ(code(R"("status":"noAccount","description":"noAccount")"), 131026);
  EXPECT_EQ(code(R"("status":"failed","description":"opted_out")"), 131050);
  EXPECT_EQ(code(R"("status":"failed","description":"the file could not be fetched from link: x")"),
            131053);
  EXPECT_EQ(code(R"("status":"failed","description":"expired")"), 131000);
}

TEST(Webhook, FailuresOfTheOfficialNumberHaveMetasOwnCode) {
  const auto error = [](const std::string& state, const std::string& description) {
    return value_of(status(R"("status":")" + state + R"(","description":")" + description +
                           R"(")"))["statuses"][0]["errors"][0];
  };
  const json::Value payment = error("failed", "official API: 131042: no payment method");
  EXPECT_EQ(payment["code"].asInt(), 131042);
  EXPECT_EQ(payment["title"].asString(), "Message failed to send");
  EXPECT_EQ(payment["error_data"]["details"].asString(), "no payment method");
  EXPECT_EQ(error("failed", "official API: 131049: why: so")["error_data"]["details"].asString(),
            "why: so");
  EXPECT_EQ(error("failed", "opted_out: official API: 131050: stopped")["code"].asInt(), 131050);
  EXPECT_EQ(error("noAccount", "official API: 131026: gone")["code"].asInt(), 131026);
  EXPECT_EQ(error("failed", "official API: 131000: ")["title"].asString(), "Something went wrong");
  EXPECT_EQ(error("failed", "needs a template: they have not written")["code"].asInt(), 131047);
  EXPECT_EQ(error("failed", "Meta holds back what is sent to this person until x")["code"].asInt(),
            131049);
  for (const char* other : {"official API: ", "official API: x: y", "official API: -1: y"}) {
    EXPECT_EQ(error("failed", other)["code"].asInt(), 131000) << other;
  }
}

TEST(Webhook, TellsWhenTheGradeOfTheNumberChanges) {
  const auto event = [](const char* before, const char* now) {
    const json::Value change = quality_webhook(before, now, context())["entry"][0]["changes"][0];
    EXPECT_EQ(change["field"].asString(), "phone_number_quality_update");
    EXPECT_EQ(change["value"]["display_phone_number"].asString(), "4915550001234");
    return change["value"]["event"].asString();
  };
  EXPECT_EQ(event("GREEN", "YELLOW"), "DOWNGRADE");
  EXPECT_EQ(event("YELLOW", "RED"), "FLAGGED");
  EXPECT_EQ(event("RED", "YELLOW"), "UNFLAGGED");
  EXPECT_EQ(event("YELLOW", "GREEN"), "UPGRADE");
}

TEST(Webhook, WhatIsTypedOnThePhoneIsAnEcho) {
  json::Value typed =
      incoming(R"({"typeMessage":"textMessage","textMessageData":{"textMessage":"On my way"}})");
  typed["typeWebhook"] = "outgoingMessageReceived";
  const json::Value echo = value_of(typed, "smb_message_echoes")["message_echoes"][0];
  EXPECT_EQ(echo["from"].asString(), "4915550001234");
  EXPECT_EQ(echo["to"].asString(), "4915550007777");
}

TEST(Webhook, NothingThatComesBreaksIt) {
  for (const char* text :
       {"{}", "[]", "7", R"({"typeWebhook":7})", R"({"typeWebhook":"incomingMessageReceived"})",
        R"({"typeWebhook":"incomingMessageReceived","messageData":[],"senderData":"x"})",
        R"({"typeWebhook":"outgoingMessageStatus","status":"sent","timestamp":"x"})",
        R"({"typeWebhook":"incomingCall"})"}) {
    (void)webhook_of(json::parse(text).value_or(json::Value()), context());
  }
}

}  // namespace
}  // namespace posthorn::cloud
