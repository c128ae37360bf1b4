#include "posthorn/cloud/hearing.h"

#include <gtest/gtest.h>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"

namespace posthorn::cloud {
namespace {

const std::string kNumber = "106540352242922";

std::string webhook(const std::string& value) {
  return R"({"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages",)"
         R"("value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":")" +
         kNumber + R"("},)" + value + "}}]}]}";
}

TEST(Hearing, ReadsStatusesWithPriceAndError) {
  const auto heard = parse_webhook(
      webhook(
          R"("statuses":[{"id":"wamid.A","status":"delivered","timestamp":"1767225600",)"
          R"("recipient_id":"4915550007777","biz_opaque_callback_data":"3EB0AA",)"
          R"("pricing":{"category":"utility","type":"regular"}},)"
          R"({"id":"wamid.B","status":"failed","timestamp":"1767225601","errors":[{"code":131026,)"
          R"("title":"t","error_data":{"details":"not there"}}]}])"),
      kNumber);
  ASSERT_TRUE(heard);
  ASSERT_EQ(heard->statuses.size(), 2U);
  EXPECT_EQ(heard->statuses[0].job_id, "3EB0AA");
  EXPECT_EQ(heard->statuses[0].chat, "4915550007777@c.us");
  EXPECT_EQ(heard->statuses[0].pricing["category"].asString(), "utility");
  EXPECT_EQ(heard->statuses[1].code, 131026);
  EXPECT_EQ(heard->statuses[1].details, "not there");
  EXPECT_EQ(heard->statuses[1].chat, "");
}

TEST(Hearing, ReadsMessages) {
  const auto heard = parse_webhook(
      webhook(R"("contacts":[{"profile":{"name":"Ida"},"wa_id":"4915550007777"}],"messages":[)"
              R"({"from":"4915550007777","id":"wamid.A","timestamp":"1767225600","type":"text",)"
              R"("text":{"body":"Ready?"},"context":{"id":"wamid.Q"}},)"
              R"({"from":"4915550007777","id":"wamid.B","timestamp":"1","type":"interactive",)"
              R"("interactive":{"type":"button_reply","button_reply":{"id":"y","title":"Yes"}}},)"
              R"({"from":"4915550007777","id":"wamid.C","timestamp":"1","type":"image",)"
              R"("image":{"id":"77","mime_type":"image/jpeg","caption":"this"}},)"
              R"({"from_user_id":"DE.1a2b","id":"wamid.D","timestamp":"1","type":"text"},)"
              R"({"from":"4915550007777","id":"wamid.E","timestamp":"1","type":"newkind"}])"),
      kNumber);
  ASSERT_TRUE(heard);
  ASSERT_EQ(heard->messages.size(), 5U);
  EXPECT_EQ(std::get<content::Text>(heard->messages[0].message.content.what).body, "Ready?");
  EXPECT_EQ(heard->messages[0].message.content.quote->id, "wamid.Q");
  EXPECT_EQ(heard->messages[0].message.sender_name, "Ida");
  EXPECT_EQ(std::get<content::Choice>(heard->messages[1].message.content.what).id, "y");
  EXPECT_EQ(heard->messages[2].media_id, "77");
  EXPECT_EQ(heard->messages[3].user_id, "DE.1a2b");
  EXPECT_TRUE(std::holds_alternative<content::Other>(heard->messages[4].message.content.what));
}

TEST(Hearing, LeavesOutOthersAndUnknownFields) {
  std::string other = webhook(R"("statuses":[{"id":"wamid.A","status":"sent"}])");
  const auto heard = parse_webhook(other, "999");
  ASSERT_TRUE(heard);
  EXPECT_TRUE(heard->statuses.empty());
  const auto account = parse_webhook(
      R"({"entry":[{"changes":[{"field":"account_update","value":{"event":"DISABLED_UPDATE"}},)"
      R"({"field":7},{}]},{"changes":"x"},5]})",
      kNumber);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->account, (std::vector<std::string>{"account_update DISABLED_UPDATE"}));
  for (const char* text : {"", "{}", "[]", "{\"entry\":7}", "\xFF"}) {
    EXPECT_FALSE(parse_webhook(text, kNumber)) << text;
  }
}

TEST(Hearing, BelievesOnlyTheRightSignatureOverTheseBytes) {
  const std::string body = "{\"a\":\"\\u00e4/\"}";
  const std::string good =
      "sha256=" + hex_encode(crypto::hmac_sha256(as_bytes("secret"), as_bytes(body)));
  EXPECT_TRUE(signature_fits(body, good, "secret"));
  EXPECT_FALSE(signature_fits(body + " ", good, "secret"));
  EXPECT_FALSE(signature_fits(body, good, "other"));
  EXPECT_FALSE(signature_fits(body, good, ""));
  for (const char* bad : {"", "sha256=", "sha256=zz", "sha1=00", "sha256=00"}) {
    EXPECT_FALSE(signature_fits(body, bad, "secret")) << bad;
  }
}

}  // namespace
}  // namespace posthorn::cloud
