#include <gtest/gtest.h>

#include "chat/rig.h"
#include "posthorn/store/message_store.h"

namespace posthorn::chat::chat_test {
namespace {

using wire::Node;

TEST(MessagesReceive, ATextBecomesAnEventAndThenAReceipt) {
  Rig rig;
  rig.introduce(rig.customer);
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "Hello"));
  rig.turn();
  const auto messages = rig.messages();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<content::Text>(messages[0].content.what));
  EXPECT_EQ(messages[0].id, "IN1");
  EXPECT_EQ(readable_text(messages[0].content), "Hello");
  EXPECT_EQ(messages[0].chat, "4915550002222@c.us");
  EXPECT_EQ(messages[0].sender, "4915550002222@c.us");
  EXPECT_EQ(messages[0].sender_name, "Ann");
  EXPECT_EQ(messages[0].chat_name, "Ann");
  EXPECT_FALSE(messages[0].from_me);
  EXPECT_EQ(messages[0].timestamp.unix_seconds(), 1790000100);
  const auto written = rig.line.take_written();
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0].tag, "receipt");
  EXPECT_EQ(written[0].text_attr("id"), "IN1");
  EXPECT_EQ(written[0].jid_attr("to"), rig.customer.jid);
  EXPECT_EQ(written[0].text_attr("type"), "inactive");
}

TEST(MessagesReceive, NoReceiptLeavesBeforeTheEventIsStored) {
  Rig rig;
  rig.introduce(rig.customer);
  rig.line.sink = FakeLine::Sink::holds;
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "one"));
  rig.listener().on_message(rig.text_from(rig.customer, "IN2", "two"));
  rig.turn();
  ASSERT_EQ(rig.line.held.size(), 2U);
  rig.line.held[0]({});
  rig.turn();
  EXPECT_TRUE(rig.line.written.empty());
  rig.line.held[1]({});
  rig.turn();
  const auto written = rig.line.take_written();
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].text_attr("id"), "IN1");
  EXPECT_EQ(written[1].text_attr("id"), "IN2");
}

TEST(MessagesReceive, WhatCouldNotBeStoredComesAgain) {
  Rig rig;
  rig.introduce(rig.customer);
  const Node stanza = rig.text_from(rig.customer, "IN1", "one");
  rig.line.sink = FakeLine::Sink::fails;
  rig.listener().on_message(stanza);
  rig.turn();
  ASSERT_EQ(rig.line.dropped.size(), 1U);
  EXPECT_TRUE(rig.line.written.empty());
  rig.listener().on_offline({Errc::disconnected, "dropped"});

  rig.line.sink = FakeLine::Sink::stores;
  rig.line.events.clear();
  rig.listener().on_message(stanza);
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);  // the ratchet had not moved
  EXPECT_EQ(readable_text(rig.messages()[0].content), "one");
}

TEST(MessagesReceive, ADuplicateGetsItsReceiptAndNoEvent) {
  Rig rig;
  rig.introduce(rig.customer);
  const Node stanza = rig.text_from(rig.customer, "IN1", "one");
  rig.listener().on_message(stanza);
  rig.turn();
  rig.listener().on_message(stanza);
  rig.turn();
  rig.restart();
  rig.listener().on_message(stanza);
  rig.turn();
  EXPECT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(rig.written_of("receipt").size(), 3U);
}

TEST(MessagesReceive, ACrashBetweenNotificationAndCommitDoesNotNotifyTwice) {
  Rig rig;
  rig.introduce(rig.customer);
  const Node first = rig.text_from(rig.customer, "IN1", "one");
  const Node second = rig.text_from(rig.customer, "IN2", "two");
  rig.line.sink = FakeLine::Sink::holds;
  rig.listener().on_message(first);
  rig.turn();
  ASSERT_EQ(rig.line.held.size(), 1U);  // in the inbox ring, as far as we know
  rig.box.reset();                      // the power goes
  for (auto& stored : rig.line.held) stored({});
  rig.line.held.clear();
  rig.line.sink = FakeLine::Sink::stores;
  rig.told = {"IN1"};
  rig.restart();
  rig.listener().on_message(first);
  rig.listener().on_message(second);
  rig.turn();
  const auto messages = rig.messages();
  ASSERT_EQ(messages.size(), 2U);  // one from before the crash
  EXPECT_EQ(messages[1].id, "IN2");
  EXPECT_EQ(readable_text(messages[1].content), "two");
  EXPECT_EQ(rig.written_of("receipt").size(), 2U);
}

TEST(MessagesReceive, OutOfOrderIsReadInTheOrderItCame) {
  Rig rig;
  rig.introduce(rig.customer);
  rig.listener().on_message(rig.text_from(rig.customer, "IN0", "zero"));
  const Node one = rig.text_from(rig.customer, "IN1", "one");
  const Node two = rig.text_from(rig.customer, "IN2", "two");
  rig.listener().on_message(two);
  rig.listener().on_message(one);
  rig.turn();
  const auto messages = rig.messages();
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(readable_text(messages[1].content), "two");
  EXPECT_EQ(readable_text(messages[2].content), "one");
}

TEST(MessagesReceive, WhatWeTypeOnThePhoneIsAnOwnMessage) {
  Rig rig;
  rig.introduce(rig.phone);
  wa::Message sent;
  sent.mutable_devicesentmessage()->set_destinationjid("200000000000002@lid");
  sent.mutable_devicesentmessage()->mutable_message()->set_conversation("from the phone");
  Node stanza = rig.stanza_from(rig.phone, "OWN1", rig.phone.encrypt(sent, rig.box_jid));
  stanza.set_attr("recipient", rig.customer_lid);
  stanza.set_attr("peer_recipient_pn", rig.customer_pn);
  rig.listener().on_message(stanza);
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  const Message message = rig.messages()[0];
  EXPECT_TRUE(message.from_me);
  EXPECT_EQ(readable_text(message.content), "from the phone");
  EXPECT_EQ(message.chat, "4915550002222@c.us");
  EXPECT_EQ(message.sender, "4915550001111@c.us");
  const auto receipt = rig.written_of("receipt")[0];
  EXPECT_EQ(receipt.text_attr("type"), "sender");
  EXPECT_EQ(receipt.jid_attr("recipient"), rig.customer_lid);
  EXPECT_EQ(receipt.jid_attr("to"), rig.phone.jid);
}

TEST(MessagesReceive, AStrangerCannotSpeakForUs) {
  Rig rig;
  rig.introduce(rig.customer);
  wa::Message forged;
  forged.mutable_devicesentmessage()->set_destinationjid("300000000000003@lid");
  forged.mutable_devicesentmessage()->mutable_message()->set_conversation("forged");
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "F1", rig.customer.encrypt(forged, rig.box_jid)));
  rig.turn();
  EXPECT_TRUE(rig.messages().empty());
  EXPECT_EQ(rig.written_of("receipt").size(), 1U);
}

wa::Message protocol_message(wa::Message::ProtocolMessage::Type type, bool from_me) {
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(type);
  protocol.mutable_key()->set_id("TARGET");
  protocol.mutable_key()->set_fromme(from_me);
  protocol.mutable_key()->set_remotejid("100000000000001@lid");
  return message;
}

TEST(MessagesReceive, EditsAndDeletionsNameTheirTarget) {
  Rig rig;
  rig.introduce(rig.customer);
  wa::Message edit = protocol_message(wa::Message::ProtocolMessage::MESSAGE_EDIT, true);
  edit.mutable_protocolmessage()->mutable_editedmessage()->set_conversation("better");
  wa::Message wrapped;
  *wrapped.mutable_editedmessage()->mutable_message() = edit;
  const auto from_customer = [&](const char* id, const wa::Message& message) {
    rig.listener().on_message(
        rig.stanza_from(rig.customer, id, rig.customer.encrypt(message, rig.box_jid)));
  };
  from_customer("E1", edit);
  from_customer("E2", wrapped);
  from_customer("E3", protocol_message(wa::Message::ProtocolMessage::REVOKE, true));
  // Somebody else's message cannot be deleted in a chat of two.
  from_customer("E4", protocol_message(wa::Message::ProtocolMessage::REVOKE, false));
  // A type that this release does not know reads as REVOKE unless presence is tested.
  wa::Message future = protocol_message(wa::Message::ProtocolMessage::REVOKE, true);
  future.mutable_protocolmessage()->clear_type();
  from_customer("E5", future);
  rig.turn();
  const auto messages = rig.messages();
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<content::Edit>(messages[0].content.what));
  EXPECT_EQ(std::get<content::Edit>(messages[0].content.what).target_id, "TARGET");
  EXPECT_EQ(readable_text(messages[0].content), "better");
  EXPECT_TRUE(std::holds_alternative<content::Edit>(messages[1].content.what));
  EXPECT_TRUE(std::holds_alternative<content::Deletion>(messages[2].content.what));
  EXPECT_EQ(std::get<content::Deletion>(messages[2].content.what).target_id, "TARGET");
  EXPECT_EQ(rig.written_of("receipt").size(), 5U);
}

TEST(MessagesReceive, NobodyChangesWhatTheShopWrote) {
  Rig rig;
  rig.introduce(rig.customer);
  store::MessageStore::Sent ours;
  ours.id = "TARGET";
  ours.chat = "100000000000001@lid";
  ours.at = rig.clock.now();
  auto store = store::MessageStore::open(rig.store->database(), rig.clock.now());
  ASSERT_TRUE(store && (*store)->save_sent(ours));
  wa::Message edit = protocol_message(wa::Message::ProtocolMessage::MESSAGE_EDIT, true);
  edit.mutable_protocolmessage()->mutable_editedmessage()->set_conversation("It costs nothing");
  const wa::Message deletion = protocol_message(wa::Message::ProtocolMessage::REVOKE, true);
  for (const wa::Message& change : {edit, deletion}) {
    rig.listener().on_message(
        rig.stanza_from(rig.customer, change.protocolmessage().has_editedmessage() ? "F1" : "F2",
                        rig.customer.encrypt(change, rig.box_jid)));
  }
  rig.turn();
  EXPECT_TRUE(rig.messages().empty());
  EXPECT_EQ(rig.written_of("receipt").size(), 2U);
  // Ids are their senders' choice: one under the same id makes nobody its author.
  wa::Message decoy;
  decoy.set_conversation("I am TARGET, too");
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "TARGET", rig.customer.encrypt(decoy, rig.box_jid)));
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "F3", rig.customer.encrypt(edit, rig.box_jid)));
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(readable_text(rig.messages()[0].content), "I am TARGET, too");
}

TEST(MessagesReceive, AQuoteThatDoesNotSayWhoseItIsIsTheOthers) {
  Rig rig;
  rig.introduce(rig.customer);
  wa::Message quoted;
  quoted.mutable_extendedtextmessage()->set_text("yes");
  quoted.mutable_extendedtextmessage()->mutable_contextinfo()->set_stanzaid("ORIGINAL");
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "Q1", rig.customer.encrypt(quoted, rig.box_jid)));
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  ASSERT_TRUE(rig.messages()[0].content.quote);
  EXPECT_EQ(rig.messages()[0].content.quote->participant, "4915550001111@c.us");
}

TEST(MessagesReceive, QuotesAndPreviewsAreShown) {
  Rig rig;
  rig.introduce(rig.customer);
  wa::Message quoted;
  auto& extended = *quoted.mutable_extendedtextmessage();
  extended.set_text("yes");
  auto& context = *extended.mutable_contextinfo();
  context.set_stanzaid("ORIGINAL");
  context.set_participant("100000000000001@lid");
  context.mutable_quotedmessage()->set_conversation("Coming today?");
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "Q1", rig.customer.encrypt(quoted, rig.box_jid)));
  wa::Message link;
  link.mutable_extendedtextmessage()->set_text("see https://example.com");
  link.mutable_extendedtextmessage()->set_matchedtext("https://example.com");
  link.mutable_extendedtextmessage()->set_title("Example");
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "Q2", rig.customer.encrypt(link, rig.box_jid)));
  rig.turn();
  const auto messages = rig.messages();
  ASSERT_EQ(messages.size(), 2U);
  ASSERT_TRUE(messages[0].content.quote);
  EXPECT_EQ(messages[0].content.quote->id, "ORIGINAL");
  EXPECT_EQ(messages[0].content.quote->participant, "4915550001111@c.us");
  EXPECT_EQ(messages[0].content.quote->text, "Coming today?");
  EXPECT_TRUE(std::holds_alternative<content::Text>(messages[1].content.what));
  const auto& preview = std::get<content::Text>(messages[1].content.what).preview;
  ASSERT_TRUE(preview);
  EXPECT_EQ(preview->title, "Example");
  EXPECT_EQ(preview->url, "https://example.com");
}

TEST(MessagesReceive, AnUnreadablePlaintextIsRefusedOnce) {
  Rig rig;
  rig.introduce(rig.customer);
  Bytes garbage(32, std::byte{0xff});
  garbage.back() = std::byte{1};
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "G1", rig.customer.encrypt_bytes(garbage, rig.box_jid)));
  rig.listener().on_message(rig.text_from(rig.customer, "G2", "next"));
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(readable_text(rig.messages()[0].content), "next");
  const auto acks = rig.written_of("ack");
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].text_attr("error"), "491");
  EXPECT_EQ(acks[0].text_attr("class"), "message");
}

TEST(MessagesReceive, StanzasWithoutUseAreAcked) {
  Rig rig;
  const auto push = [&](std::vector<wire::Attr> attrs, std::vector<Node> children) {
    rig.listener().on_message(Node("message", std::move(attrs), std::move(children)));
    rig.turn();
    const auto written = rig.line.take_written();
    EXPECT_EQ(written.size(), 1U);
    return written.empty() ? Node() : written[0];
  };
  EXPECT_EQ(push({{"id", "1"}, {"from", wire::Jid{"123", "newsletter", 0}}}, {}).tag, "ack");
  const Node unavailable = push({{"id", "2"}, {"from", rig.customer.jid}},
                                {Node("unavailable", {{"type", "view_once"}})});
  EXPECT_EQ(unavailable.tag, "ack");
  EXPECT_FALSE(unavailable.has_attr("error"));
  EXPECT_EQ(push({{"id", "3"}, {"from", rig.customer.jid}}, {Node("nonsense")}).text_attr("error"),
            "488");
  EXPECT_EQ(push({{"from", rig.customer.jid}}, {}).text_attr("error"), "487");
  const Node group = push(
      {{"id", "4"}, {"from", wire::Jid{"123-456", "g.us", 0}}, {"participant", rig.customer.jid}},
      {Node("enc", {{"v", "2"}, {"type", "skmsg"}}, to_bytes("x"))});
  EXPECT_EQ(group.tag, "ack");
  EXPECT_EQ(group.text_attr("error"), "491");
  // A no to a story would hold up the whole backlog.
  const Node story = push({{"id", "5"},
                           {"from", wire::Jid{"status", "broadcast", 0}},
                           {"participant", rig.customer.jid}},
                          {Node("enc", {{"v", "2"}, {"type", "skmsg"}}, to_bytes("x"))});
  EXPECT_EQ(story.tag, "ack");
  EXPECT_FALSE(story.has_attr("error"));
}

TEST(MessagesReceive, StoriesDrainWithoutQuestions) {
  Rig rig;
  Rig other(2);
  other.introduce(rig.customer);  // so that nothing can be decrypted here
  for (const char* from : {"status@broadcast"}) {
    Node stanza = rig.text_from(rig.customer, from, "unreadable");
    stanza.set_attr("participant", rig.customer.jid);
    stanza.set_attr("from", *wire::parse_jid(from));
    rig.listener().on_message(stanza);
    rig.scheduler.advance(milliseconds(500));
    const auto written = rig.line.take_written();
    ASSERT_EQ(written.size(), 1U) << from;
    EXPECT_EQ(written[0].tag, "ack");
    EXPECT_FALSE(written[0].has_attr("error"));
    EXPECT_EQ(written[0].jid_attr("participant"), rig.customer.jid);
  }
  EXPECT_TRUE(rig.messages().empty());
}

TEST(MessagesReceive, AStoryIsToldUnderItsOwnChatAndNobodyHearsThatItWasRead) {
  Rig rig;
  rig.introduce(rig.customer);
  Node stanza = rig.text_from(rig.customer, "ST1", "On holiday");
  stanza.set_attr("participant", rig.customer.jid);
  stanza.set_attr("from", wire::Jid{"status", "broadcast", 0});
  rig.listener().on_message(stanza);
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(rig.messages()[0].chat, "status@broadcast");
  EXPECT_EQ(rig.messages()[0].sender, "4915550002222@c.us");
  EXPECT_EQ(std::get<content::Text>(rig.messages()[0].content.what).body, "On holiday");
  EXPECT_TRUE(rig.written_of("receipt").empty());
}

TEST(MessagesReceive, ABroadcastListIsAChatWithItsSender) {
  Rig rig;
  rig.introduce(rig.customer);
  Node stanza = rig.text_from(rig.customer, "B1", "To all my customers");
  stanza.set_attr("participant", rig.customer.jid);
  stanza.set_attr("from", wire::Jid{"1790000000", "broadcast", 0});
  rig.listener().on_message(stanza);
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(rig.messages()[0].chat, "4915550002222@c.us");
  const auto receipt = rig.written_of("receipt")[0];
  EXPECT_EQ(to_string(*receipt.jid_attr("to")), "1790000000@broadcast");
  EXPECT_EQ(receipt.jid_attr("participant"), rig.customer.jid);
}

TEST(MessagesReceive, ReceiptsOfTheCustomerBecomeOneEventPerStep) {
  Rig rig;
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AA", "hi"));
  rig.line.take_written();
  const auto receipt = [&](const wire::Jid& from, const char* type) {
    Node node("receipt", {{"id", "3EB0C0FFEE0000000000AA"}, {"from", from}, {"t", "1790000300"}});
    if (*type != '\0') node.set_attr("type", std::string(type));
    rig.listener().on_receipt(node);
    rig.turn();
  };
  receipt(rig.laptop.jid, "inactive");
  receipt(rig.customer.jid, "");
  receipt(rig.laptop.jid, "");
  receipt(rig.phone.jid, "sender");
  receipt(rig.customer.jid, "read");
  receipt(rig.customer.jid, "");
  const auto receipts = rig.receipts();
  ASSERT_EQ(receipts.size(), 2U);
  EXPECT_EQ(receipts[0].kind, Receipt::Kind::delivered);
  EXPECT_EQ(receipts[0].message_id, "3EB0C0FFEE0000000000AA");
  EXPECT_EQ(receipts[0].chat, "4915550002222@c.us");
  EXPECT_EQ(receipts[1].kind, Receipt::Kind::read);
  EXPECT_EQ(rig.written_of("ack").size(), 6U);
}

Node receipt_from(const wire::Jid& from, const std::string& id, const std::string& type = "") {
  Node node("receipt", {{"id", id}, {"from", from}, {"t", "1790000300"}});
  if (!type.empty()) node.set_attr("type", type);
  return node;
}

TEST(MessagesReceive, ReceiptsForIdsThatAreNotOursTellNothing) {
  Rig rig;
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AA", "hi"));
  rig.line.take_written();
  Node forged = receipt_from(rig.customer.jid, "3EB0000000000000000001", "read");
  std::vector<Node> items;
  for (int i = 0; i < 2000; ++i) items.push_back(Node("item", {{"id", "F" + std::to_string(i)}}));
  forged.content = std::vector<Node>{Node("list", {}, std::move(items))};
  rig.listener().on_receipt(forged);
  const wire::Jid stranger{"4915550009999", "s.whatsapp.net", 0};
  rig.listener().on_receipt(receipt_from(stranger, "3EB0C0FFEE0000000000AA", "read"));
  rig.turn();
  EXPECT_TRUE(rig.receipts().empty()) << "unknown ids, and one from a chat it did not go to";
  EXPECT_EQ(rig.written_of("ack").size(), 2U) << "the server must not send them again";
  rig.listener().on_receipt(receipt_from(rig.customer.jid, "3EB0C0FFEE0000000000AA", "read"));
  rig.turn();
  ASSERT_EQ(rig.receipts().size(), 1U);
  EXPECT_TRUE(rig.receipts()[0].by_api);
}

TEST(MessagesReceive, AStatusNamesTheChatAsTheTillDid) {
  Rig rig;
  Job job = rig.job("3EB0C0FFEE0000000000AA", "hi");
  job.chat = rig.customer_lid.user + "@lid";
  (void)rig.send(job);
  rig.listener().on_receipt(receipt_from(rig.customer.jid, job.id));
  rig.turn();
  ASSERT_EQ(rig.receipts().size(), 1U);
  EXPECT_EQ(rig.receipts()[0].chat, job.chat);
  EXPECT_FALSE(rig.receipts()[0].before_ack);
}

TEST(MessagesReceive, AReceiptBeforeTheAckSaysSo) {
  Rig rig;
  rig.start_send(rig.job("3EB0C0FFEE0000000000AA", "hi"));
  rig.turn();
  rig.listener().on_receipt(receipt_from(rig.customer.jid, "3EB0C0FFEE0000000000AA"));
  rig.listener().on_receipt(receipt_from(rig.customer.jid, "3EB0C0FFEE0000000000AA", "read"));
  rig.turn();
  const auto receipts = rig.receipts();
  ASSERT_EQ(receipts.size(), 2U);
  EXPECT_TRUE(receipts[0].before_ack);
}

TEST(MessagesReceive, ReceiptsForWhatWasTypedOnThePhoneAreNotTheTills) {
  Rig rig;
  rig.introduce(rig.customer);
  rig.listener().on_message(rig.text_from(rig.customer, "HELLO", "who I am"));
  rig.introduce(rig.phone);
  wa::Message message;
  auto& copy = *message.mutable_devicesentmessage();
  copy.set_destinationjid(to_string(rig.customer_lid));
  copy.mutable_message()->set_conversation("typed");
  Node stanza = rig.stanza_from(rig.phone, "PHONE1", rig.phone.encrypt(message, rig.box_jid));
  stanza.set_attr("recipient", rig.customer_lid);
  rig.listener().on_message(stanza);
  rig.turn();
  rig.listener().on_receipt(receipt_from(rig.customer_lid, "PHONE1", "read"));
  rig.turn();
  ASSERT_EQ(rig.receipts().size(), 1U);
  EXPECT_FALSE(rig.receipts()[0].by_api);
  EXPECT_EQ(rig.receipts()[0].chat, "4915550002222@c.us");
}

TEST(MessagesReceive, AMessageOvertakesAReceiptThatIsNotStoredYet) {
  Rig rig;
  rig.introduce(rig.customer);
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AA", "hi"));
  rig.line.take_written();
  const Node receipt("receipt", {{"id", "3EB0C0FFEE0000000000AA"}, {"from", rig.customer.jid}});
  rig.line.sink = FakeLine::Sink::holds;
  rig.listener().on_receipt(receipt);
  rig.turn();
  ASSERT_EQ(rig.line.held.size(), 1U);
  EXPECT_EQ(rig.listener().unfinished(), 1U);
  rig.line.sink = FakeLine::Sink::stores;
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "a question"));
  rig.turn();
  EXPECT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(rig.written_of("receipt").size(), 1U);
  EXPECT_TRUE(rig.written_of("ack").empty());
  auto held = std::exchange(rig.line.held, {});
  held.front()({});
  rig.turn();
  EXPECT_EQ(rig.written_of("ack").size(), 1U);
  EXPECT_EQ(rig.listener().unfinished(), 0U);
}

TEST(MessagesReceive, AReceiptThatCannotBeStoredIsToldAgain) {
  Rig rig;
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AA", "hi"));
  rig.line.take_written();
  const Node receipt("receipt", {{"id", "3EB0C0FFEE0000000000AA"}, {"from", rig.customer.jid}});
  rig.line.sink = FakeLine::Sink::fails;
  rig.listener().on_receipt(receipt);
  rig.turn();
  EXPECT_EQ(rig.line.dropped.size(), 1U);
  EXPECT_TRUE(rig.written_of("ack").empty());
  EXPECT_EQ(rig.listener().unfinished(), 0U);
  rig.line.sink = FakeLine::Sink::stores;
  rig.line.events.clear();
  rig.listener().on_receipt(receipt);
  rig.turn();
  EXPECT_EQ(rig.receipts().size(), 1U);
  EXPECT_EQ(rig.written_of("ack").size(), 1U);
}

TEST(MessagesReceive, MarksAChatAsRead) {
  Rig rig;
  rig.introduce(rig.customer);
  for (int i = 0; i < 300; ++i) {
    rig.listener().on_message(rig.text_from(rig.customer, "IN" + std::to_string(i), "x"));
  }
  rig.turn();
  rig.line.take_written();
  std::optional<Result<std::size_t>> marked;
  rig.box->read_marks().mark("4915550002222@c.us", "", [&](Result<std::size_t> r) { marked = r; });
  rig.turn();
  ASSERT_TRUE(marked && *marked);
  EXPECT_EQ(**marked, 300U);
  auto written = rig.line.take_written();
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].text_attr("type"), "read");
  EXPECT_EQ(written[0].jid_attr("to"), rig.customer_lid);
  EXPECT_EQ(written[0].text_attr("id"), "IN0");
  EXPECT_EQ(written[0].child("list")->children().size(), 255U);
  EXPECT_EQ(written[1].child("list")->children().size(), 43U);
  marked.reset();
  rig.box->read_marks().mark("4915550002222@c.us", "", [&](Result<std::size_t> r) { marked = r; });
  rig.turn();
  ASSERT_TRUE(marked && *marked);
  EXPECT_EQ(**marked, 0U);
}

TEST(MessagesReceive, MarksNoMessageThatItDoesNotKnow) {
  Rig rig;
  rig.introduce(rig.customer);
  const auto marked = [&rig](const std::string& id) {
    std::optional<Result<std::size_t>> result;
    rig.box->read_marks().mark("4915550002222@c.us", id,
                               [&](Result<std::size_t> r) { result = r; });
    rig.turn();
    return result && *result ? static_cast<int>(**result) : -1;
  };
  EXPECT_EQ(marked("3EB0NEVERSEEN0000001"), 0);
  EXPECT_TRUE(rig.written_of("receipt").empty());
  rig.box->listener().on_message(rig.text_from(rig.customer, "IN1", "x"));
  rig.turn();
  EXPECT_EQ(marked("IN1"), 1);
  EXPECT_EQ(marked("IN1"), 0) << "read before";
}

TEST(MessagesReceive, MarksAMessageThatIsJustBeingTold) {
  Rig rig;
  rig.introduce(rig.customer);
  rig.line.sink = FakeLine::Sink::holds;
  rig.box->listener().on_message(rig.text_from(rig.customer, "IN1", "x"));
  rig.turn();
  std::optional<Result<std::size_t>> marked;
  rig.box->read_marks().mark("4915550002222@c.us", "IN1",
                             [&](Result<std::size_t> r) { marked = r; });
  rig.turn();
  EXPECT_FALSE(marked.has_value());
  rig.line.sink = FakeLine::Sink::stores;
  for (auto& stored : std::exchange(rig.line.held, {})) stored({});
  rig.turn();
  ASSERT_TRUE(marked && *marked);
  EXPECT_EQ(**marked, 1U);
}

TEST(MessagesReceive, ChecksNumbers) {
  Rig rig;
  std::optional<Result<std::vector<NumberStatus>>> result;
  rig.box->people().check_numbers(
      {"4915550002222", "4915559999999"},
      [&](Result<std::vector<NumberStatus>> r) { result = std::move(r); });
  rig.turn();
  ASSERT_TRUE(result && *result);
  ASSERT_EQ((*result)->size(), 2U);
  EXPECT_TRUE((**result)[0].exists);
  EXPECT_EQ((**result)[0].chat, "4915550002222@c.us");
  EXPECT_FALSE((**result)[1].exists);
  EXPECT_EQ((**result)[1].phone, "4915559999999");
}

}  // namespace
}  // namespace posthorn::chat::chat_test
