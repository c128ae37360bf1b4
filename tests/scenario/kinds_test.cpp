// Every kind of message through the whole of the box, to and from a customer on the simulator.

#include <gtest/gtest.h>

#include "posthorn/wire/wa.pb.h"
#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

Config established() {
  Config config;
  config.throttle.number_in_use_months = 6;
  return config;
}

/// A linked shop at nine in the morning, and Ida, who has written.
class Kinds : public testing::Test {
 protected:
  Kinds() {
    shop.link();
    shop.pass(hours(9));
    simulator::NewAccount wish;
    wish.name = "Ida";
    ida = shop.world.add_account(wish).pn.user;
    simulator::PeerText text;
    text.to = shop.phone;
    text.text = "hello";
    says(text);
    shop.take_notifications();
    shop.texts.clear();
    EXPECT_EQ(shop.post("setSettings", R"({"editedMessageWebhook":"yes"})").status, 200);
  }
  ~Kinds() override { EXPECT_TRUE(shop.world.violations().empty()) << first_violation(); }

  std::string first_violation() {
    return shop.world.violations().empty() ? "" : shop.world.violations().front().what;
  }
  std::string says(const simulator::PeerText& text) {
    const auto id = shop.world.peer_send(ida, text);
    EXPECT_TRUE(id) << to_string(id.error());
    shop.pass(seconds(2));
    return id ? *id : "";
  }
  std::string says(const wa::Message& message) {
    simulator::PeerText content;
    content.to = shop.phone;
    content.content = to_bytes(as_bytes(message.SerializeAsString()));
    return says(content);
  }
  /// The messageData of what came last.
  json::Value told() {
    shop.take_notifications();
    if (shop.texts.empty()) return {};
    return *json::parse(shop.texts.back());
  }
  /// Posts, and waits until Ida has it; the id.
  std::string post(const std::string& method, const std::string& members) {
    const std::size_t before = shop.world.inbox(ida).size();
    const auto answer = shop.post(method, R"({"chatId":")" + ida + R"(@c.us",)" + members + "}");
    EXPECT_EQ(answer.status, 200) << json::write(answer.body);
    for (int i = 0; i < 3000 && shop.world.inbox(ida).size() == before; ++i) {
      shop.pass(milliseconds(100));
    }
    EXPECT_GT(shop.world.inbox(ida).size(), before) << method;
    return json::string_at(answer.body, "idMessage").value_or("");
  }
  simulator::Received got() { return shop.world.inbox(ida).back(); }
  wa::Message got_message() {
    wa::Message message;
    EXPECT_TRUE(message.ParseFromString(to_string(got().protobuf)));
    return message;
  }

  Shop shop{established()};
  std::string ida;
};

TEST_F(Kinds, APlaceBothWays) {
  const std::string id =
      post("sendLocation", R"("latitude":52.5208,"longitude":13.4094,"nameLocation":"Shop")");
  EXPECT_EQ(got().id, id);
  EXPECT_EQ(got().kind, "location");
  EXPECT_EQ(got_message().locationmessage().degreeslongitude(), 13.4094);
  wa::Message place;
  place.mutable_locationmessage()->set_degreeslatitude(1.25);
  place.mutable_locationmessage()->set_name("Here");
  says(place);
  EXPECT_EQ(told()["typeMessage"].asString(), "locationMessage");
  EXPECT_EQ(told()["locationMessageData"]["nameLocation"].asString(), "Here");
}

TEST_F(Kinds, ACardBothWays) {
  post("sendContact", R"("contact":{"phoneContact":4915550009999,"firstName":"Vera"})");
  EXPECT_EQ(got_message().contactmessage().displayname(), "Vera");
  wa::Message card;
  card.mutable_contactmessage()->set_displayname("Otto");
  card.mutable_contactmessage()->set_vcard("BEGIN:VCARD\nEND:VCARD");
  says(card);
  EXPECT_EQ(told()["contactMessageData"]["displayName"].asString(), "Otto");
}

TEST_F(Kinds, APollIsAnsweredAndTheVoteIsTold) {
  const std::string poll =
      post("sendPoll",
           R"("message":"Pick a day","options":[{"optionName":"Mon"},{"optionName":"Tue"}])");
  EXPECT_EQ(got().kind, "poll");
  simulator::PeerText vote;
  vote.to = shop.phone;
  vote.vote_in = poll;
  vote.options = {"Tue"};
  says(vote);
  const json::Value data = told()["pollMessageData"];
  EXPECT_EQ(told()["typeMessage"].asString(), "pollUpdateMessage");
  EXPECT_EQ(data["stanzaId"].asString(), poll);
  EXPECT_EQ(data["votes"][0]["optionVoters"].size(), 0U);
  EXPECT_EQ(data["votes"][1]["optionVoters"][0].asString(), ida + "@c.us");
}

TEST_F(Kinds, WhatWasSentIsEditedDeletedAndReactedTo) {
  const std::string id = post("sendMessage", R"("message":"Two cakes","consent":"order")");
  const std::string target = R"("idMessage":")" + id + "\"";
  post("editMessage", target + R"(,"message":"Three cakes")");
  EXPECT_EQ(got().kind, "edit");
  EXPECT_EQ(got().text, "Three cakes");
  EXPECT_EQ(got().target_id, id);
  post("sendReaction", target + R"(,"reaction":"👍")");
  EXPECT_EQ(got().kind, "reaction");
  EXPECT_EQ(got().target_id, id);
  post("deleteMessage", target);
  EXPECT_EQ(got().kind, "revoke");
  EXPECT_EQ(got().target_id, id);
}

TEST_F(Kinds, WhatStillWaitsIsChangedInTheQueue) {
  // Gone for a while: what is posted waits.
  ASSERT_TRUE(shop.world.drop({shop.phone, "s.whatsapp.net", 1}).has_value());
  shop.dialer.refuse = true;
  shop.pass(seconds(1));
  const std::string chat = R"({"chatId":")" + ida + R"(@c.us",)";
  const std::string kept = shop.send(ida + "@c.us", "Two cakes");
  const std::string gone = shop.send(ida + "@c.us", "Never mind");
  const auto edited =
      shop.post("editMessage", chat + R"("idMessage":")" + kept + R"(","message":"Three cakes"})");
  EXPECT_EQ(edited.status, 200) << json::write(edited.body);
  EXPECT_EQ(edited.body["idMessage"].asString(), kept);
  EXPECT_EQ(shop.post("deleteMessage", chat + R"("idMessage":")" + gone + "\"}").status, 200);
  EXPECT_EQ(shop.queue().size(), 1U);
  shop.dialer.refuse = false;
  for (int i = 0; i < 600 && shop.world.inbox(ida).empty(); ++i) shop.pass(seconds(1));
  shop.pass(minutes(5));
  ASSERT_EQ(shop.world.inbox(ida).size(), 1U);
  EXPECT_EQ(got().text, "Three cakes");
  EXPECT_EQ(got().id, kept);
}

TEST_F(Kinds, WhatCameIsPassedOn) {
  wa::Message place;
  place.mutable_locationmessage()->set_degreeslatitude(1.25);
  place.mutable_locationmessage()->set_name("Here");
  const std::string id = says(place);
  post("forwardMessages", R"("chatIdFrom":")" + ida + R"(@c.us","messages":[")" + id + "\"]");
  EXPECT_EQ(got_message().locationmessage().name(), "Here");
  EXPECT_TRUE(got_message().locationmessage().contextinfo().isforwarded());
}

TEST_F(Kinds, TheChatsTimerIsKept) {
  wa::Message setting;
  auto& protocol = *setting.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::EPHEMERAL_SETTING);
  protocol.set_ephemeralexpiration(86'400);
  says(setting);
  EXPECT_TRUE(told().isNull()) << "no message of the chat";
  post("sendMessage", R"("message":"hello","consent":"order")");
  EXPECT_EQ(got_message().extendedtextmessage().contextinfo().expiration(), 86'400U);
}

TEST_F(Kinds, AKindThatNobodyKnowsIsToldAsSuch) {
  wa::Message unknown;
  unknown.mutable_stickerpackmessage();
  says(unknown);
  EXPECT_EQ(told()["textMessageData"]["textMessage"].asString(), "{{SWE003}}");
}

TEST_F(Kinds, ACallIsToldAndRejectedWhenTheShopWantsIt) {
  const auto statuses = [this] {
    std::vector<std::string> out;
    while (shop.inbox_ring->status().pending > 0) {
      const auto got = shop.call("receiveNotification");
      if (json::string_at(got.body["body"], "typeWebhook") == "incomingCall") {
        EXPECT_EQ(got.body["body"]["from"].asString(), ida + "@c.us");
        out.push_back(got.body["body"]["status"].asString());
      }
      shop.call("deleteNotification", "", "/" + got.body["receiptId"].asString(), api::Verb::del);
    }
    return out;
  };
  using End = simulator::Simulator::CallEnd;
  using Words = std::vector<std::string>;
  const auto first = shop.world.peer_call(ida, shop.phone);
  ASSERT_TRUE(first);
  shop.pass(seconds(2));
  EXPECT_EQ(statuses(), Words{"offer"});
  ASSERT_TRUE(shop.world.end_call(*first, End::take).has_value());
  shop.pass(seconds(2));
  ASSERT_TRUE(shop.world.end_call(*first, End::hang_up).has_value());
  shop.pass(seconds(2));
  EXPECT_EQ(statuses(), (Words{"pickUp", "hungUp"}));
  EXPECT_EQ(shop.post("setSettings", R"({"rejectCalls":"yes"})").status, 200);
  ASSERT_TRUE(shop.world.peer_call(ida, shop.phone, true).has_value());
  shop.pass(seconds(2));
  EXPECT_EQ(statuses(), (Words{"offer", "declined"}));
}

}  // namespace
}  // namespace posthorn::scenario
