#include <gtest/gtest.h>

#include "chat/groups/group_rig.h"
#include "chat/people/ids.h"
#include "posthorn/chat/presence.h"

// What comes a second time, and what a message is answered with.
namespace posthorn::chat::chat_test {
namespace {

using wire::Jid;
using wire::Node;

/// A group's key that cannot be read, beside a message that can.
TEST(MessagesAgain, WhatWasReadIsNotAskedForBecauseOfTheKeyBesideIt) {
  GroupRig rig;
  rig.restart();
  rig.introduce(rig.customer);
  rig.hear(rig.group_text(rig.customer, "G1", "one", true));
  rig.line.take_written();
  Node spoilt = rig.distribution(rig.customer);
  Bytes cipher = to_bytes(spoilt.bytes());
  cipher[cipher.size() - 16] ^= std::byte{1};  // inside the sealed message; ids are behind it
  spoilt.content = cipher;
  const Node stanza = rig.group_stanza(
      rig.customer, "G2", {std::move(spoilt), rig.sealed(rig.customer, text_message("two"))});
  rig.hear(stanza);
  ASSERT_EQ(rig.messages().size(), 2U);
  const auto receipts = rig.written_of("receipt");
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_NE(receipts[0].text_attr("type"), "retry");
  rig.hear(stanza);
  rig.hear(rig.group_stanza(rig.customer, "G2",
                            {rig.customer.encrypt(text_message("two"), rig.box_jid)}));
  rig.scheduler.advance(minutes(15));
  EXPECT_EQ(rig.messages().size(), 2U);
}

TEST(MessagesAgain, AKeyThatIsReadDoesNotHideThatTheMessageWasNot) {
  GroupRig rig;
  rig.restart();
  rig.introduce(rig.customer);
  const Node first = rig.group_text(rig.customer, "G1", "one", true);
  rig.hear(first);
  rig.line.take_written();
  // A used number under a new id: another message.
  rig.hear(rig.group_stanza(rig.customer, "G2",
                            {rig.distribution(rig.customer), first.children().back()}));
  const auto receipts = rig.written_of("receipt");
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].text_attr("type"), "retry");
}

/// Its LID becomes known between the two deliveries.
TEST(MessagesAgain, AMessageIsKnownUnderBothNamesOfItsSender) {
  Rig rig;
  PeerDevice by_number(rig.customer_pn, 31);
  rig.introduce(by_number);
  const Node first = rig.text_from(by_number, "IN1", "one");
  rig.listener().on_message(first);
  rig.turn();
  Node second = rig.text_from(by_number, "IN2", "two");
  second.set_attr("sender_lid", rig.customer_lid);
  rig.listener().on_message(second);
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 2U);
  rig.line.take_written();
  rig.listener().on_message(first);
  rig.turn();
  EXPECT_EQ(rig.messages().size(), 2U);
  const auto receipts = rig.written_of("receipt");
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_NE(receipts[0].text_attr("type"), "retry");
}

TEST(MessagesAgain, AMessageThatCameUnderTheOtherNameIsNotToldAsUnreadable) {
  Rig rig;
  Rig other(2);
  PeerDevice by_number(rig.customer_pn, 31);
  other.introduce(by_number);
  rig.listener().on_message(rig.text_from(by_number, "IN1", "one"));
  rig.scheduler.advance(seconds(1));
  rig.introduce(by_number);
  Node again = rig.text_from(by_number, "IN1", "one");
  again.set_attr("sender_lid", rig.customer_lid);
  rig.listener().on_message(again);
  rig.scheduler.advance(minutes(15));
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(readable_text(rig.messages()[0].content), "one");
  rig.restart();
  rig.scheduler.advance(minutes(15));
  EXPECT_EQ(rig.messages().size(), 1U);
}

TEST(MessagesAgain, AStoryThatComesAgainIsOnlyAcknowledged) {
  Rig rig;
  rig.introduce(rig.customer);
  Node stanza = rig.text_from(rig.customer, "ST1", "On holiday");
  stanza.set_attr("participant", rig.customer.jid);
  stanza.set_attr("from", Jid{"status", "broadcast", 0});
  for (int i = 0; i < 2; ++i) {
    rig.listener().on_message(stanza);
    rig.turn();
  }
  EXPECT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(rig.written_of("ack").size(), 2U);
  EXPECT_TRUE(rig.written_of("receipt").empty());
}

TEST(MessagesReceipts, AreThoseOfSomebodyWhoIsThereWhileTheAccountIsShownSo) {
  Rig rig;
  rig.line.self.push_name = "Bakery";
  rig.introduce(rig.customer);
  int count = 0;
  const auto type = [&]() -> std::string {
    rig.line.take_written();
    const std::string id = "IN" + std::to_string(++count);
    rig.listener().on_message(rig.text_from(rig.customer, id, "one"));
    rig.turn();
    const auto receipts = rig.written_of("receipt");
    return receipts.size() == 1 ? receipts[0].text_attr("type") : std::string("?");
  };
  EXPECT_EQ(type(), "inactive");
  Presence& presence = rig.box->presence();
  presence.show_typing("4915550002222@c.us", Typing::text);
  EXPECT_EQ(type(), "");
  presence.show_typing("4915550002222@c.us", Typing::none);
  EXPECT_EQ(type(), "inactive");
  presence.keep_online(true);
  EXPECT_EQ(type(), "");
  rig.line.is_online = false;
  rig.listener().on_offline({Errc::disconnected, "cut"});
  rig.line.is_online = true;
  EXPECT_EQ(type(), "inactive");
  rig.listener().on_online();
  EXPECT_EQ(type(), "");
}

TEST(MessagesReceipts, OfOwnCopiesInGroupsSayThatWeAreTheSender) {
  GroupRig rig;
  rig.restart();
  rig.introduce(rig.phone);
  Node stanza = rig.group_stanza(
      rig.phone, "G1",
      {rig.distribution(rig.phone), rig.sealed(rig.phone, text_message("from the phone"))});
  stanza.set_attr("participant_pn", rig.line.self.pn.bare());
  rig.hear(stanza);
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_TRUE(rig.messages()[0].from_me);
  const auto receipts = rig.written_of("receipt");
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].text_attr("type"), "sender");
  EXPECT_EQ(receipts[0].jid_attr("to"), rig.group);
  EXPECT_EQ(receipts[0].jid_attr("participant"), rig.phone.jid);
  EXPECT_FALSE(receipts[0].has_attr("recipient"));
}

}  // namespace
}  // namespace posthorn::chat::chat_test
