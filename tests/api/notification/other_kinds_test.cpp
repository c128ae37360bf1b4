#include "api/notification/shown.h"

namespace posthorn::api::test {
namespace {

std::string told(Content::What what) {
  const auto out = to_notification(incoming(std::move(what)), everything(), kInstance);
  if (!out) return "(nothing)";
  EXPECT_EQ((*out)["messageData"]["typeMessage"].asString(), "textMessage");
  return (*out)["messageData"]["textMessageData"]["textMessage"].asString();
}

TEST(Notification, ShowsAnInvitationIntoAGroup) {
  expect_data(
      incoming(content::GroupInvite{
          "120363000000000001@g.us", "AbCdEfGh12345678", "Staff", "Join us", 1'767'484'800, {}}),
      R"({"typeMessage":"groupInviteMessage","groupInviteMessageData":{"groupJid":"120363000000000001@g.us","inviteCode":"AbCdEfGh12345678","inviteExpiration":"1767484800","groupName":"Staff","caption":"Join us","name":"Staff","jpegThumbnail":""}})");
}

TEST(Notification, TellsOrdersProductsAndEventsAsMarkedTexts) {
  EXPECT_EQ(told(content::Order{"1", "Basket", "please by five", "EUR", 2, 12'500}),
            "[Order] Basket: 2 items, 12.50 EUR, order 1\nplease by five");
  EXPECT_EQ(told(content::Order{"7", "", "", "", 1, 0}), "[Order]: 1 item, order 7");
  EXPECT_EQ(told(content::Product{"77", "Cherry cake", "", "https://shop.example/77", "EUR",
                                  "Is this fresh?", 9'050}),
            "[Product] Cherry cake, 9.05 EUR, product 77\nhttps://shop.example/77\nIs this fresh?");
  EXPECT_EQ(told(content::Event{"Tasting", "Bring friends", "Shop", "", 1'767'225'600, 0, false}),
            "[Event] Tasting\n" + to_iso8601(kNow) + "\nShop\nBring friends");
  EXPECT_EQ(told(content::Event{"Tasting", "", "", "", 0, 0, true}), "[Event cancelled] Tasting");
}

TEST(Notification, AKindThatIsNotKnownIsToldAsSuch) {
  EXPECT_EQ(told(content::Other{"stickerPackMessage", ""}), "{{SWE003}}");
  EXPECT_EQ(told(content::Other{"unknown", ""}), "{{SWE003}}");
  EXPECT_TRUE(told(content::Other{"viewOnceMessage", ""}).starts_with("[View once] "));
}

TEST(Notification, WhatOnlyChangesTheChatIsNoMessageOfIt) {
  EXPECT_EQ(told(content::Pin{true}), "(nothing)");
  EXPECT_EQ(told(content::Timer{86'400, 0}), "(nothing)");
  EXPECT_EQ(told(content::Album{2, 0}), "(nothing)");
  EXPECT_FALSE(to_notification(session::StateChanged{}, everything(), kInstance, kNow));
  EXPECT_FALSE(to_notification(session::Restriction{}, everything(), kInstance, kNow));
}

TEST(Notification, ShowsEachStepOfACall) {
  chat::Call call;
  call.id = "4A1F00AA22BB44CC66DD";
  call.chat = "4915550007777@c.us";
  call.video = true;
  call.timestamp = kNow;
  using Status = chat::Call::Status;
  for (const auto& [status, word] : {std::pair{Status::offer, "offer"},
                                     {Status::pick_up, "pickUp"},
                                     {Status::hung_up, "hungUp"},
                                     {Status::missed, "missed"},
                                     {Status::declined, "declined"}}) {
    call.status = status;
    expect_notification(call, R"({"typeWebhook":"incomingCall",)" + kHead +
                                  R"("from":"4915550007777@c.us","status":")" + word +
                                  R"(","idMessage":"4A1F00AA22BB44CC66DD"})");
  }
  Settings details = everything();
  details.call_details = true;
  EXPECT_TRUE((*to_notification(call, details, kInstance))["isVideo"].asBool());
  details.incoming_call_webhook = false;
  EXPECT_FALSE(to_notification(call, details, kInstance));
}

}  // namespace
}  // namespace posthorn::api::test
