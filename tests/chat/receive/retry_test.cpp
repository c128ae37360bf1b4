#include <gtest/gtest.h>

#include <set>

#include "chat/people/bundles.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/rig.h"

namespace posthorn::chat::chat_test {
namespace {

using wire::Node;

constexpr const char* kId = "3EB0C0FFEE0000000000AA";

/// The SignalMessage inside a PreKeySignalMessage: a `msg` of a session that the receiver lacks.
Bytes inner_message(ByteView pkmsg) {
  wa::PreKeySignalMessage outer;
  EXPECT_TRUE(outer.ParseFromArray(pkmsg.data() + 1, static_cast<int>(pkmsg.size()) - 1));
  return to_bytes(outer.message());
}

/// The signal::Bundle in the <keys> of a retry receipt of ours.
signal::Bundle keys_of(const Node& receipt) {
  auto bundle = parse_bundle(receipt);
  EXPECT_TRUE(bundle);
  return bundle ? bundle->keys : signal::Bundle{};
}

TEST(MessagesRetry, AsksWithKeysAtOnceWhenThereIsNoSession) {
  Rig rig;
  rig.introduce(rig.customer);
  Node msg = rig.text_from(rig.customer, "IN1", "lost");
  msg.mutable_children()[0].set_attr("type", std::string("msg"));
  msg.mutable_children()[0].content = inner_message(msg.mutable_children()[0].bytes());
  rig.listener().on_message(msg);
  rig.turn();
  const auto receipts = rig.written_of("receipt");
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].child("retry")->text_attr("count"), "1");
  EXPECT_EQ(receipts[0].child("retry")->text_attr("error"), "1");
  EXPECT_NE(receipts[0].child("keys"), nullptr);
}

TEST(MessagesRetry, FourRequestsThenTheMessageIsGivenUp) {
  Rig rig;
  std::set<Bytes> keys;
  Rig other(2);
  other.introduce(rig.customer);  // its messages are for another box with this address
  for (int attempt = 1; attempt <= 4; ++attempt) {
    rig.listener().on_message(rig.text_from(rig.customer, "IN1", "unreadable"));
    rig.scheduler.advance(milliseconds(500));
    const auto written = rig.line.take_written();
    ASSERT_EQ(written.size(), 2U) << attempt;
    EXPECT_EQ(written[0].tag, "receipt");
    EXPECT_EQ(written[0].text_attr("type"), "retry");
    EXPECT_EQ(written[0].jid_attr("to"), rig.customer.jid);
    const Node* retry = written[0].child("retry");
    EXPECT_EQ(retry->text_attr("count"), std::to_string(attempt));
    EXPECT_EQ(retry->text_attr("id"), "IN1");
    EXPECT_EQ(retry->text_attr("t"), "1790000100");
    EXPECT_EQ(written[0].child("registration")->bytes().size(), 4U);
    // Made from a prekey that is not ours: without new keys no answer could be read.
    ASSERT_NE(written[0].child("keys"), nullptr) << attempt;
    keys.insert(to_bytes(written[0].child("keys")->child("key")->child("value")->bytes()));
    EXPECT_EQ(written[1].tag, "ack");
    EXPECT_EQ(written[1].text_attr("error"), "500");
    EXPECT_TRUE(rig.messages().empty());
  }
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "unreadable"));
  rig.scheduler.advance(milliseconds(500));
  EXPECT_TRUE(rig.written_of("receipt").empty());
  EXPECT_EQ(rig.written_of("ack").size(), 1U);
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_TRUE(std::holds_alternative<content::Undecryptable>(rig.messages()[0].content.what));
  EXPECT_EQ(rig.messages()[0].chat, "4915550002222@c.us");
  EXPECT_EQ(keys.size(), 1U) << "one key for one message, until it is used";
}

TEST(MessagesRetry, OneSenderIsAskedSoOftenInAnHour) {
  Rig rig;
  Rig other(2);
  other.introduce(rig.customer);
  const auto ask = [&](int from, int count) {
    for (int i = from; i < from + count; ++i) {
      rig.listener().on_message(
          rig.text_from(rig.customer, "IN" + std::to_string(i), "unreadable"));
    }
    rig.scheduler.advance(minutes(2));
    return rig.written_of("receipt").size();
  };
  EXPECT_EQ(ask(0, 203), 200U);
  EXPECT_EQ(rig.messages().size(), 3U) << "told at once";
  EXPECT_EQ(rig.written_of("ack").size(), 203U);
  rig.scheduler.advance(hours(1));
  EXPECT_EQ(ask(203, 2), 202U);
}

TEST(MessagesRetry, AnUnreadableMessageIsNotForgottenByARestart) {
  Rig rig;
  Rig other(2);
  other.introduce(rig.customer);
  for (const char* id : {"IN1", "IN2"}) {
    rig.listener().on_message(rig.text_from(rig.customer, id, "unreadable"));
    rig.scheduler.advance(seconds(1));
  }
  const auto requests = rig.written_of("receipt");
  ASSERT_EQ(requests.size(), 2U);
  rig.restart();
  rig.customer.learn(keys_of(requests[0]), rig.box_jid);
  rig.listener().on_message(rig.text_from(rig.customer, "IN2", "two"));
  rig.scheduler.advance(minutes(9));
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(readable_text(rig.messages()[0].content), "two");
  rig.restart();
  rig.scheduler.advance(minutes(5));
  ASSERT_EQ(rig.messages().size(), 2U);
  EXPECT_EQ(rig.messages()[1].id, "IN1");
  EXPECT_TRUE(std::holds_alternative<content::Undecryptable>(rig.messages()[1].content.what));
  rig.restart();
  rig.scheduler.advance(minutes(15));
  EXPECT_EQ(rig.messages().size(), 2U);
}

TEST(MessagesRetry, TheAnswerIsRead) {
  Rig rig;
  Rig other(2);
  other.introduce(rig.customer);
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "first"));
  rig.scheduler.advance(milliseconds(500));
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "first"));
  rig.scheduler.advance(milliseconds(500));
  const auto requests = rig.written_of("receipt");
  ASSERT_EQ(requests.size(), 2U);
  rig.customer.learn(keys_of(requests[0]), rig.box_jid);
  rig.line.take_written();
  Node again = rig.text_from(rig.customer, "IN1", "first");
  again.mutable_children()[0].set_attr("count", std::string("2"));
  rig.listener().on_message(again);
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(readable_text(rig.messages()[0].content), "first");
  EXPECT_EQ(rig.written_of("receipt")[0].text_attr("type"), "inactive");
}

/// A sender that crosses with itself uses a number twice, for two messages.
TEST(MessagesRetry, AnotherMessageUnderAUsedNumberIsAskedForAgain) {
  Rig rig;
  rig.introduce(rig.customer);
  const auto before = rig.customer.keys.sessions;
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "first"));
  rig.turn();
  rig.customer.keys.sessions = before;
  rig.line.take_written();
  rig.listener().on_message(rig.text_from(rig.customer, "IN2", "second"));
  rig.scheduler.advance(milliseconds(500));
  const auto requests = rig.written_of("receipt");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].text_attr("type"), "retry");
  EXPECT_EQ(requests[0].child("retry")->text_attr("id"), "IN2");
  EXPECT_EQ(requests[0].child("retry")->text_attr("error"), "4");
  ASSERT_EQ(rig.messages().size(), 1U);

  Node again = rig.text_from(rig.customer, "IN2", "second");
  again.mutable_children()[0].set_attr("count", std::string("1"));
  rig.listener().on_message(again);
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 2U);
  EXPECT_EQ(readable_text(rig.messages()[1].content), "second");
}

TEST(MessagesRetry, AMessageTooFarAheadIsAskedForWithKeysAtOnce) {
  Rig rig;
  rig.introduce(rig.customer);
  for (int i = 0; i < 520; ++i) (void)rig.text_from(rig.customer, "LOST", "lost");
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "far"));
  rig.turn();
  const auto requests = rig.written_of("receipt");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].child("retry")->text_attr("count"), "1");
  rig.customer.learn(keys_of(requests[0]), rig.box_jid);
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "far"));
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(readable_text(rig.messages()[0].content), "far");
}

TEST(MessagesRetry, AFloodOfUnreadableMessagesWaitsInBoundsAndTheRestComesAgain) {
  Rig rig;
  Rig other(2);
  other.introduce(rig.customer);
  for (int i = 0; i < 1200; ++i) {
    Node stanza = rig.text_from(rig.customer, "IN" + std::to_string(i), "unreadable");
    stanza.set_attr("from", wire::Jid{std::to_string(300'000'000'000'000 + i), "lid", 0});
    stanza.remove_attr("sender_pn");
    rig.listener().on_message(stanza);
    rig.turn();
  }
  rig.scheduler.advance(minutes(9));
  // One left at once, a thousand waited; neither asked for nor acked: the server keeps them.
  EXPECT_LT(rig.written_of("ack").size(), 1'100U);
  EXPECT_EQ(rig.written_of("ack").size(), rig.written_of("receipt").size());
}

TEST(MessagesRetry, RequestsArePaced) {
  Rig rig;
  Rig other(2);
  other.introduce(rig.customer);
  for (int i = 0; i < 10; ++i) {
    rig.listener().on_message(rig.text_from(rig.customer, "IN" + std::to_string(i), "unreadable"));
  }
  rig.turn();
  EXPECT_EQ(rig.written_of("receipt").size(), 1U);
  rig.scheduler.advance(milliseconds(1000));
  EXPECT_EQ(rig.written_of("receipt").size(), 6U);
  rig.scheduler.advance(milliseconds(1000));
  EXPECT_EQ(rig.written_of("receipt").size(), 10U);
}

TEST(MessagesRetry, AMessageThatNobodySendsAgainIsShownAfterAWhile) {
  Rig rig;
  Rig other(2);
  other.introduce(rig.customer);
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "unreadable"));
  rig.scheduler.advance(minutes(9));
  EXPECT_TRUE(rig.messages().empty());
  rig.scheduler.advance(minutes(3));
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_TRUE(std::holds_alternative<content::Undecryptable>(rig.messages()[0].content.what));
  EXPECT_EQ(rig.messages()[0].id, "IN1");
  rig.scheduler.advance(hours(1));
  EXPECT_EQ(rig.messages().size(), 1U);
}

/// A retry receipt of that device about our message.
Node retry_receipt(PeerDevice& device, int count, bool with_keys) {
  const auto own = device.protocol.own_identity(Wall::from_unix(1'790'000'000, true));
  Node receipt("receipt", {{"id", "R1"}, {"from", device.jid}, {"type", "retry"}});
  std::vector<Node> children;
  children.push_back(Node(
      "retry", {{"v", "1"}, {"count", std::to_string(count)}, {"id", kId}, {"t", "1790000200"}}));
  children.push_back(Node("registration", {}, encode_be(own->registration_id, 4)));
  if (with_keys) {
    Node keys("keys");
    Node entry = device.bundle_entry();
    for (Node& child : entry.mutable_children()) {
      if (child.tag != "registration") keys.mutable_children().push_back(std::move(child));
    }
    children.push_back(std::move(keys));
  }
  receipt.content = std::move(children);
  return receipt;
}

TEST(MessagesRetry, ADeviceThatLostItsSessionGetsTheMessageAgain) {
  Rig rig;
  (void)rig.send(rig.job(kId, "Your receipt"));
  rig.restart();  // what was sent is kept over restarts
  rig.line.take_written();
  ASSERT_TRUE(rig.laptop.keys.forget_peer(address_of(rig.box_jid).name));
  rig.listener().on_receipt(retry_receipt(rig.laptop, 1, true));
  rig.turn();
  const auto messages = rig.written_of("message");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].text_attr("id"), kId);
  EXPECT_EQ(messages[0].jid_attr("to"), rig.laptop.jid);
  EXPECT_EQ(messages[0].text_attr("device_fanout"), "false");
  EXPECT_EQ(messages[0].text_attr("t"), "1790000200");
  const Node* enc = messages[0].child("enc");
  ASSERT_NE(enc, nullptr);
  EXPECT_EQ(enc->text_attr("count"), "1");
  EXPECT_EQ(enc->text_attr("type"), "pkmsg");
  EXPECT_NE(messages[0].child("device-identity"), nullptr);
  const auto message = rig.laptop.decrypt(*enc, rig.box_jid);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->conversation(), "Your receipt");
  ASSERT_EQ(rig.written_of("ack").size(), 1U);
  EXPECT_EQ(rig.written_of("ack")[0].text_attr("type"), "retry");
  EXPECT_EQ(rig.written_of("ack")[0].text_attr("id"), "R1");
}

/// A power cut took what the store knew of the message; the outbox ring still has the job.
TEST(MessagesRetry, WhatAPowerCutTookIsBuiltAnewFromTheOutbox) {
  Rig rig;
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AB", "the one before"));
  const auto asked_by = [&](PeerDevice& device) {
    rig.line.take_written();
    rig.listener().on_receipt(retry_receipt(device, 1, true));
    rig.turn();
    return rig.written_of("message");
  };
  EXPECT_TRUE(asked_by(rig.laptop).empty()) << "nobody knows of it";
  rig.unsure = {rig.job(kId, "Your receipt")};
  rig.restart();
  PeerDevice stranger({"300000000000003", "lid", 0}, 99);
  EXPECT_TRUE(asked_by(stranger).empty());
  const auto messages = asked_by(rig.laptop);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].text_attr("id"), kId);
  const auto message = rig.laptop.decrypt(*messages[0].child("enc"), rig.box_jid);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->conversation(), "Your receipt");
  rig.unsure.clear();
  rig.restart();
  EXPECT_EQ(asked_by(rig.customer).size(), 1U) << "the row is there again";
}

TEST(MessagesRetry, OurPhoneGetsItsCopyAgain) {
  Rig rig;
  (void)rig.send(rig.job(kId, "Your receipt"));
  rig.line.take_written();
  Node receipt = retry_receipt(rig.phone, 2, true);
  receipt.set_attr("recipient", rig.customer_lid);
  rig.listener().on_receipt(receipt);
  rig.turn();
  const auto messages = rig.written_of("message");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].jid_attr("recipient"), rig.customer_lid);
  const auto message = rig.phone.decrypt(*messages[0].child("enc"), rig.box_jid);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->devicesentmessage().message().conversation(), "Your receipt");
}

TEST(MessagesRetry, ASessionThatStaysBrokenIsBuiltAnew) {
  Rig rig;
  (void)rig.send(rig.job(kId, "Your receipt"));
  rig.line.take_written();
  const auto fetches = [&] {
    std::size_t count = 0;
    for (const Node& iq : rig.line.asked) count += iq.text_attr("xmlns") == "encrypt" ? 1U : 0U;
    return count;
  };
  const std::size_t before = fetches();
  rig.listener().on_receipt(retry_receipt(rig.customer, 2, false));
  rig.turn();
  EXPECT_EQ(fetches(), before);  // the second request: the session gets one more chance
  rig.listener().on_receipt(retry_receipt(rig.customer, 3, false));
  rig.turn();
  EXPECT_EQ(fetches(), before + 1);
  EXPECT_EQ(rig.written_of("message").size(), 2U);
}

TEST(MessagesRetry, AStrangerDoesNotGetTheMessage) {
  Rig rig;
  (void)rig.send(rig.job(kId, "Your receipt"));
  rig.line.take_written();
  PeerDevice stranger({"300000000000003", "lid", 0}, 99);
  rig.listener().on_receipt(retry_receipt(stranger, 1, true));
  rig.turn();
  EXPECT_TRUE(rig.written_of("message").empty());
  EXPECT_EQ(rig.written_of("ack").size(), 1U);
}

TEST(MessagesRetry, EndlessRequestsEnd) {
  Rig rig;
  (void)rig.send(rig.job(kId, "Your receipt"));
  rig.line.take_written();
  for (int i = 0; i < 20; ++i) {
    rig.listener().on_receipt(retry_receipt(rig.customer, 1, false));
    rig.turn();
  }
  EXPECT_EQ(rig.written_of("message").size(), 10U);
  EXPECT_EQ(rig.written_of("ack").size(), 20U);
}

TEST(MessagesRetry, MalformedRequestsAreAcked) {
  Rig rig;
  rig.listener().on_receipt(
      Node("receipt", {{"id", "R1"}, {"from", rig.customer.jid}, {"type", "retry"}}));
  rig.turn();
  ASSERT_EQ(rig.written_of("ack").size(), 1U);
}

}  // namespace
}  // namespace posthorn::chat::chat_test
