#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "api/box.h"
#include "posthorn/api/notification.h"

/// What the tests of notifications share: a message, who we are, and the documented frame around
/// the data of each kind.
namespace posthorn::api::test {

using chat::Message;
using chat::Receipt;

inline const Instance kInstance{kId, "4915550001234@c.us", "Shop"};
inline constexpr std::int64_t kTime = 1'767'225'600;
inline const Wall kNow = Wall::from_unix(kTime);

/// Every switch on.
inline Settings everything() {
  Settings all;
  all.outgoing_message_webhook = true;
  all.outgoing_api_message_webhook = true;
  all.edited_message_webhook = true;
  all.deleted_message_webhook = true;
  all.status_instance_webhook = true;
  return all;
}

inline const std::string kTarget = "3EB0AA11BB22CC33DD00";

inline content::Text text(const std::string& body) { return {body, true, std::nullopt}; }

inline Message incoming(Content::What what) {
  Message message;
  message.id = "3EB0AA11BB22CC33DD44";
  message.chat = "4915550007777@c.us";
  message.sender = "4915550007777@c.us";
  message.sender_name = "Ida";
  message.chat_name = "Ida";
  message.timestamp = kNow;
  message.content.what = std::move(what);
  return message;
}

inline const std::string kHead =
    R"("instanceData":{"idInstance":4100012345,"wid":"4915550001234@c.us","typeInstance":"whatsapp"},"timestamp":1767225600,)";
inline const std::string kFromIda =
    R"("idMessage":"3EB0AA11BB22CC33DD44","senderData":{"chatId":"4915550007777@c.us","sender":"4915550007777@c.us","chatName":"Ida","senderName":"Ida","senderContactName":""},)";
inline const std::string kFromPhone =
    R"("idMessage":"3EB0AA11BB22CC33DD44","senderData":{"chatId":"4915550007777@c.us","sender":"4915550001234@c.us","chatName":"Ida","senderName":"Shop","senderContactName":""},)";

inline void expect_json(const std::optional<json::Value>& notification,
                        const std::string& expected) {
  const auto wanted = json::parse(expected);
  ASSERT_TRUE(wanted) << expected;
  ASSERT_TRUE(notification) << expected;
  // Written and read again: what a receiver sees, so that 1 and 1u do not differ.
  EXPECT_EQ(*json::parse(json::write(*notification)), *wanted) << json::write(*notification);
}

inline void expect_notification(const chat::Event& event, const std::string& expected) {
  expect_json(to_notification(event, everything(), kInstance), expected);
}

/// The messageData of a message that Ida wrote.
inline void expect_data(const Message& message, const std::string& data) {
  expect_notification(message, R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
                                   R"("messageData":)" + data + "}");
}

}  // namespace posthorn::api::test
