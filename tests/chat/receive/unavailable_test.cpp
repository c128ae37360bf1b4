#include <gtest/gtest.h>

#include "chat/rig.h"

// Messages that the server does not have for this device: the phone shows them to the box.
namespace posthorn::chat::chat_test {
namespace {

using wire::Jid;
using wire::Node;

Node unavailable(Rig& rig, const std::string& id, const std::string& type = "") {
  Node child("unavailable");
  if (!type.empty()) child.set_attr("type", type);
  return rig.stanza_from(rig.customer, id, std::move(child));
}

void hear(Rig& rig, const Node& stanza) {
  rig.listener().on_message(stanza);
  rig.turn();
  rig.turn();
}

/// What the phone was asked since the last look at the line; nullopt: nothing.
std::optional<wa::Message::PeerDataOperationRequestMessage> question(Rig& rig) {
  for (const Node& message : rig.written_of("message")) {
    if (message.text_attr("category") != "peer") continue;
    EXPECT_EQ(message.jid_attr("to"), rig.phone.jid);
    const auto content = rig.phone.decrypt(*message.child("enc"), rig.box_jid);
    EXPECT_TRUE(content);
    rig.line.take_written();
    if (!content) return std::nullopt;
    EXPECT_EQ(content->protocolmessage().type(),
              wa::Message::ProtocolMessage::PEER_DATA_OPERATION_REQUEST_MESSAGE);
    return content->protocolmessage().peerdataoperationrequestmessage();
  }
  return std::nullopt;
}

/// An answer with that text for each of those keys.
wa::Message answer(const std::vector<wa::MessageKey>& keys, const std::string& text) {
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE);
  auto& response = *protocol.mutable_peerdataoperationrequestresponsemessage();
  response.set_peerdataoperationrequesttype(wa::Message::PLACEHOLDER_MESSAGE_RESEND);
  for (const auto& key : keys) {
    wa::WebMessageInfo info;
    *info.mutable_key() = key;
    info.mutable_message()->set_conversation(text);
    info.set_messagetimestamp(1'790'000'100);
    response.add_peerdataoperationresult()
        ->mutable_placeholdermessageresendresponse()
        ->set_webmessageinfobytes(info.SerializeAsString());
  }
  return message;
}

void answer_from(Rig& rig, PeerDevice& device, const wa::Message& message) {
  Node stanza = rig.stanza_from(device, "P" + std::to_string(rig.random.next_u64()),
                                device.encrypt(message, rig.box_jid));
  stanza.set_attr("category", std::string("peer"));
  hear(rig, stanza);
  rig.turn();
}

bool is_undecryptable(const Message& message) {
  return std::holds_alternative<content::Undecryptable>(message.content.what);
}

TEST(MessagesUnavailable, AreAskedOfThePhoneAndTold) {
  Rig rig;
  const Node stanza = unavailable(rig, "IN1");
  hear(rig, stanza);
  const auto written = rig.line.take_written();
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0].tag, "ack");
  EXPECT_FALSE(written[0].has_attr("error"));
  rig.scheduler.advance(seconds(2));
  const auto asked = question(rig);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->peerdataoperationrequesttype(), wa::Message::PLACEHOLDER_MESSAGE_RESEND);
  ASSERT_EQ(asked->placeholdermessageresendrequest_size(), 1);
  const wa::MessageKey key = asked->placeholdermessageresendrequest(0).messagekey();
  EXPECT_EQ(key.id(), "IN1");
  EXPECT_EQ(key.remotejid(), to_string(rig.customer_lid));
  EXPECT_FALSE(key.fromme());
  EXPECT_TRUE(rig.messages().empty());

  answer_from(rig, rig.phone, answer({key}, "is there still bread?"));
  ASSERT_EQ(rig.messages().size(), 1U);
  const Message told = rig.messages()[0];
  EXPECT_EQ(told.id, "IN1");
  EXPECT_EQ(told.chat, "4915550002222@c.us");
  EXPECT_EQ(told.sender_name, "Ann");
  EXPECT_EQ(told.timestamp.unix_seconds(), 1'790'000'100);
  EXPECT_EQ(readable_text(told.content), "is there still bread?");

  answer_from(rig, rig.phone, answer({key}, "is there still bread?"));
  rig.line.take_written();
  hear(rig, stanza);
  EXPECT_EQ(rig.written_of("ack").size(), 1U);
  EXPECT_TRUE(rig.written_of("receipt").empty());
  rig.scheduler.advance(minutes(15));
  EXPECT_EQ(rig.messages().size(), 1U);
  EXPECT_FALSE(question(rig));
}

TEST(MessagesUnavailable, AreToldAsUnreadableWhenThePhoneDoesNotAnswer) {
  Rig rig;
  hear(rig, unavailable(rig, "IN1"));
  rig.scheduler.advance(minutes(9));
  EXPECT_TRUE(question(rig));
  EXPECT_TRUE(rig.messages().empty());
  rig.scheduler.advance(minutes(2));
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_TRUE(is_undecryptable(rig.messages()[0]));
  EXPECT_EQ(rig.messages()[0].id, "IN1");
  rig.restart();
  rig.scheduler.advance(hours(1));
  EXPECT_EQ(rig.messages().size(), 1U);
}

TEST(MessagesUnavailable, AreNotForgottenByARestart) {
  Rig rig;
  hear(rig, unavailable(rig, "IN1"));
  hear(rig, unavailable(rig, "IN2"));
  rig.restart();
  rig.line.take_written();
  rig.scheduler.advance(seconds(30));
  const auto asked = question(rig);
  ASSERT_TRUE(asked);
  ASSERT_EQ(asked->placeholdermessageresendrequest_size(), 2);
  wa::MessageKey key;
  key.set_remotejid("4915550002222@s.whatsapp.net");  // phones have their own name for a chat
  key.set_id("IN2");
  answer_from(rig, rig.phone, answer({key}, "hello"));
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(rig.messages()[0].id, "IN2");
  rig.restart();
  rig.scheduler.advance(minutes(12));
  ASSERT_EQ(rig.messages().size(), 2U);
  EXPECT_EQ(rig.messages()[1].id, "IN1");
  EXPECT_TRUE(is_undecryptable(rig.messages()[1]));
}

TEST(MessagesUnavailable, OnlyThePhoneIsBelieved) {
  Rig rig;
  rig.introduce(rig.customer);
  hear(rig, unavailable(rig, "IN1"));
  wa::MessageKey key;
  key.set_remotejid(to_string(rig.customer_lid));
  key.set_id("IN1");
  answer_from(rig, rig.customer, answer({key}, "forged"));
  PeerDevice companion({"100000000000001", "lid", 3}, 41);
  rig.introduce(companion);
  answer_from(rig, companion, answer({key}, "forged"));
  EXPECT_TRUE(rig.messages().empty());
}

TEST(MessagesUnavailable, OfBotsAndStoriesAreOnlyAcknowledged) {
  Rig rig;
  hear(rig, unavailable(rig, "B1", "bot_unavailable_fanout"));
  Node marked = unavailable(rig, "B2");
  marked.mutable_children().insert(marked.mutable_children().begin(), Node("bot"));
  hear(rig, marked);
  Node story = unavailable(rig, "S1");
  story.set_attr("participant", rig.customer.jid);
  story.set_attr("from", Jid{"status", "broadcast", 0});
  hear(rig, story);
  EXPECT_EQ(rig.written_of("ack").size(), 3U);
  rig.scheduler.advance(minutes(15));
  EXPECT_FALSE(question(rig));
  EXPECT_TRUE(rig.messages().empty());
}

TEST(MessagesUnavailable, TooOldForThePhoneAreToldAtOnce) {
  Rig rig;
  rig.clock.on_server_time(1'790'000'000);  // of a guess it does not believe that it is so late
  Node stanza = unavailable(rig, "IN1", "hosted_unavailable_fanout");
  stanza.set_attr("t", std::string("1788700000"));
  hear(rig, stanza);
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_TRUE(is_undecryptable(rig.messages()[0]));
  hear(rig, stanza);
  rig.scheduler.advance(minutes(15));
  EXPECT_EQ(rig.messages().size(), 1U);
  EXPECT_FALSE(question(rig));
}

TEST(MessagesUnavailable, AreAskedForTwentyAtATime) {
  Rig rig;
  for (int i = 0; i < 25; ++i) hear(rig, unavailable(rig, "IN" + std::to_string(i)));
  rig.scheduler.advance(seconds(2));
  const auto first = question(rig);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->placeholdermessageresendrequest_size(), 20);
  rig.scheduler.advance(seconds(20));
  EXPECT_FALSE(question(rig));
  rig.scheduler.advance(seconds(15));
  const auto rest = question(rig);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->placeholdermessageresendrequest_size(), 5);
  rig.scheduler.advance(minutes(20));
  EXPECT_EQ(rig.messages().size(), 25U);
}

TEST(MessagesUnavailable, AreAskedForWhenTheLineIsThereAgain) {
  Rig rig;
  hear(rig, unavailable(rig, "IN1"));
  rig.line.is_online = false;
  rig.listener().on_offline({Errc::disconnected, "cut"});
  rig.scheduler.advance(minutes(2));
  EXPECT_FALSE(question(rig));
  rig.line.is_online = true;
  rig.listener().on_online();
  rig.scheduler.advance(seconds(15));
  EXPECT_TRUE(question(rig));
}

/// Chapter 06 section 8.1.5.
TEST(MessagesUnavailable, ThePhoneIsAskedForWhatTheSenderDoesNotSendAgain) {
  Rig rig;
  Rig other(2);
  other.introduce(rig.customer);
  hear(rig, rig.text_from(rig.customer, "IN1", "unreadable"));
  rig.scheduler.advance(seconds(5));
  EXPECT_FALSE(question(rig));
  rig.scheduler.advance(seconds(10));
  const auto asked = question(rig);
  ASSERT_TRUE(asked);
  answer_from(rig, rig.phone,
              answer({asked->placeholdermessageresendrequest(0).messagekey()}, "unreadable"));
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(readable_text(rig.messages()[0].content), "unreadable");
  rig.scheduler.advance(minutes(15));
  EXPECT_EQ(rig.messages().size(), 1U);
}

}  // namespace
}  // namespace posthorn::chat::chat_test
