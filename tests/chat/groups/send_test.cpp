#include <gtest/gtest.h>

#include "chat/groups/group_rig.h"
#include "chat/people/ids.h"
#include "chat/people/usync.h"
#include "posthorn/signal/padding.h"

namespace posthorn::chat::chat_test {
namespace {

using throttle::SendOutcome;
using wire::Jid;
using wire::Node;

class GroupsSend : public testing::TestWithParam<bool> {
 protected:
  GroupsSend() {
    rig.by_lid = GetParam();
    rig.restart();
  }
  Job job(const std::string& id, const std::string& text) {
    Job job = rig.job(id, text);
    job.chat = rig.chat;
    return job;
  }
  /// Starts the send and gives the stanza that left; nullopt: none did.
  std::optional<Node> start(const Job& job) {
    rig.line.take_written();
    rig.start_send(job);
    rig.turn();
    return last();
  }
  std::optional<Node> last() {
    const auto messages = rig.written_of("message");
    if (messages.empty()) return std::nullopt;
    return messages.back();
  }
  std::optional<Node> send(const std::string& id, const std::string& text) {
    auto stanza = start(job(id, text));
    if (stanza) rig.line.ack(id);
    rig.turn();
    return stanza;
  }
  [[nodiscard]] Jid shown(const PeerDevice& device) const {
    if (rig.by_lid) return device.jid;
    const Jid pn = device.jid.user == rig.customer_lid.user ? rig.customer_pn : rig.line.self.pn;
    return pn.with_device(device.jid.device);
  }
  static std::size_t copies(const Node& message) {
    const Node* participants = message.child("participants");
    return participants == nullptr ? 0 : participants->children().size();
  }
  static const Node* sealed(const Node& message) {
    for (const Node& child : message.children()) {
      if (child.tag == "enc" && child.text_attr("type") == "skmsg") return &child;
    }
    return nullptr;
  }
  /// What that device reads: the key first, when there is one for it, then the message.
  std::string read(PeerDevice& device, const Node& message) {
    if (const Node* enc = Rig::enc_for(message, shown(device))) {
      const auto key = device.decrypt(*enc, rig.box_jid);
      if (!key || !key->has_senderkeydistributionmessage()) return "no key in the copy";
      EXPECT_EQ(key->senderkeydistributionmessage().groupid(), rig.chat);
      const auto taken = device.protocol.process_distribution(
          {rig.chat, address_of(rig.box_jid)},
          as_bytes(key->senderkeydistributionmessage().axolotlsenderkeydistributionmessage()));
      if (!taken) return "key refused";
    }
    const Node* enc = sealed(message);
    if (enc == nullptr) return "nothing sealed";
    const auto opened =
        device.protocol.decrypt_group({rig.chat, address_of(rig.box_jid)}, enc->bytes());
    if (!opened) return std::string(signal::to_string(opened.error().kind));
    const auto plain = signal::unpad(opened->plaintext);
    wa::Message content;
    if (!plain || !content.ParseFromArray(plain->data(), static_cast<int>(plain->size())))
      return "no protobuf";
    return content.has_conversation() ? content.conversation()
                                      : content.extendedtextmessage().text();
  }
  Node retry(const PeerDevice& device, const std::string& id) {
    Node receipt("receipt", {{"id", id},
                             {"from", rig.group},
                             {"participant", shown(device)},
                             {"type", "retry"},
                             {"t", "1790000200"}});
    receipt.content = std::vector<Node>{
        Node("retry", {{"v", "1"}, {"count", "1"}, {"id", id}, {"t", "1790000100"}}),
        Node("registration", {}, Bytes(4))};
    return receipt;
  }
  GroupRig rig;
};

TEST_P(GroupsSend, TheFirstMessageBringsTheKeyAndTheSecondDoesNot) {
  const auto first = send("3EB0C0FFEE0000000000A1", "fresh bread");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->jid_attr("to"), rig.group);
  EXPECT_EQ(first->text_attr("addressing_mode"), rig.by_lid ? "lid" : "pn");
  EXPECT_EQ(copies(*first), 3U);
  EXPECT_NE(first->child("device-identity"), nullptr);
  const std::vector<Jid> all{shown(rig.customer), shown(rig.laptop), shown(rig.phone),
                             rig.by_lid ? rig.box_jid : rig.line.self.pn};
  EXPECT_EQ(first->text_attr("phash"), device_hash(all));
  for (PeerDevice* device : {&rig.customer, &rig.laptop, &rig.phone})
    EXPECT_EQ(read(*device, *first), "fresh bread");
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, SendOutcome::Kind::sent);

  const auto second = send("3EB0C0FFEE0000000000A2", "and rolls");
  ASSERT_TRUE(second);
  EXPECT_EQ(copies(*second), 0U);
  for (PeerDevice* device : {&rig.customer, &rig.laptop, &rig.phone})
    EXPECT_EQ(read(*device, *second), "and rolls");
  // One question about the group, not one for each message.
  EXPECT_EQ(rig.questions("w:g2").size(), 3U) << "two logins and the first message";
}

TEST_P(GroupsSend, WithoutAnAckTheKeyIsNotTakenForKnown) {
  ASSERT_TRUE(start(job("3EB0C0FFEE0000000000A1", "one")));
  rig.line.fail_acks(Errc::timeout);
  rig.turn();
  EXPECT_EQ(rig.outcome->kind, SendOutcome::Kind::uncertain);
  const auto again = send("3EB0C0FFEE0000000000A1", "one");
  ASSERT_TRUE(again);
  EXPECT_EQ(copies(*again), 3U);
}

TEST_P(GroupsSend, ANewKeyWhenAMemberIsGone) {
  ASSERT_TRUE(send("3EB0C0FFEE0000000000A1", "one"));
  const auto second = send("3EB0C0FFEE0000000000A2", "two");
  const auto gone = rig.members.front();
  rig.members.erase(rig.members.begin());
  rig.hear_notice(Node("remove", {{"prev_v_id", "1"}, {"v_id", "2"}}, {gone}));
  const auto third = send("3EB0C0FFEE0000000000A3", "three");
  ASSERT_TRUE(third);
  EXPECT_EQ(copies(*third), 1U) << "everybody who stays gets the new key";
  EXPECT_EQ(read(rig.phone, *third), "three");
  EXPECT_NE(read(rig.customer, *third), "three");
}

TEST_P(GroupsSend, AMemberWhoAsksGetsItAloneWithTheKey) {
  ASSERT_TRUE(send("3EB0C0FFEE0000000000A1", "one"));
  rig.line.take_written();
  rig.listener().on_receipt(retry(rig.customer, "3EB0C0FFEE0000000000A1"));
  rig.turn();
  const auto again = last();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->jid_attr("to"), rig.group);
  EXPECT_EQ(again->jid_attr("participant"), shown(rig.customer));
  const Node* enc = again->child("enc");
  ASSERT_NE(enc, nullptr);
  const auto content = rig.customer.decrypt(*enc, rig.box_jid);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->conversation(), "one");
  EXPECT_TRUE(content->has_senderkeydistributionmessage());
  // And the key once more with the next message, to be sure.
  const auto next = send("3EB0C0FFEE0000000000A2", "two");
  ASSERT_TRUE(next);
  EXPECT_EQ(copies(*next), 1U);
}

TEST_P(GroupsSend, AStrangerWhoAsksGetsNothing) {
  ASSERT_TRUE(send("3EB0C0FFEE0000000000A1", "one"));
  rig.line.take_written();
  Node receipt = retry(rig.customer, "3EB0C0FFEE0000000000A1");
  receipt.set_attr("participant", Jid{"300000000000003", "lid", 0});
  rig.listener().on_receipt(receipt);
  rig.turn();
  EXPECT_FALSE(last());
}

TEST_P(GroupsSend, DevicesThatTheServerKnowsAndWeDoNotGetItAfterwards) {
  rig.hide_laptop = true;
  const auto stanza = start(job("3EB0C0FFEE0000000000A1", "one"));
  ASSERT_TRUE(stanza);
  EXPECT_EQ(copies(*stanza), 2U);
  rig.hide_laptop = false;
  rig.line.take_written();
  rig.line.ack("3EB0C0FFEE0000000000A1", {{"phash", "2:AAAAAAAA"}});
  rig.turn();
  const auto repair = last();
  ASSERT_TRUE(repair);
  EXPECT_EQ(repair->text_attr("id"), "3EB0C0FFEE0000000000A1");
  EXPECT_EQ(copies(*repair), 1U);
  EXPECT_EQ(sealed(*repair), nullptr);
  const Node* enc = Rig::enc_for(*repair, shown(rig.laptop));
  ASSERT_NE(enc, nullptr);
  const auto content = rig.laptop.decrypt(*enc, rig.box_jid);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->conversation(), "one");
  EXPECT_TRUE(content->has_senderkeydistributionmessage());
  rig.line.ack("3EB0C0FFEE0000000000A1");
  rig.turn();
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, SendOutcome::Kind::sent);
  const auto next = send("3EB0C0FFEE0000000000A2", "two");
  EXPECT_EQ(copies(*next), 0U);
}

TEST_P(GroupsSend, AnotherAddressingFormIsLearnedAndTriedOnce) {
  ASSERT_TRUE(start(job("3EB0C0FFEE0000000000A1", "one")));
  rig.by_lid = !rig.by_lid;
  rig.line.take_written();
  rig.line.ack("3EB0C0FFEE0000000000A1", {{"error", "421"}});
  rig.turn();
  const auto again = last();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text_attr("addressing_mode"), rig.by_lid ? "lid" : "pn");
  rig.line.ack("3EB0C0FFEE0000000000A1", {{"error", "421"}});
  rig.turn();
  EXPECT_EQ(rig.outcome->kind, SendOutcome::Kind::rejected);
}

TEST_P(GroupsSend, WhatCannotBeSentIsRefusedInWords) {
  rig.extra = {Node("announcement")};
  EXPECT_FALSE(start(job("3EB0C0FFEE0000000000A1", "one")));
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, SendOutcome::Kind::rejected);
  EXPECT_NE(rig.outcome->detail.find("only admins"), std::string::npos);
  rig.refuse_query = "403 forbidden";
  rig.restart();
  EXPECT_FALSE(start(job("3EB0C0FFEE0000000000A2", "two")));
  EXPECT_EQ(rig.outcome->kind, SendOutcome::Kind::rejected);
  EXPECT_EQ(rig.outcome->code, 403);
}

TEST_P(GroupsSend, TheNumberOfAMessageUnderTheKeyIsOnDiskBeforeItLeaves) {
  ASSERT_TRUE(start(job("3EB0C0FFEE0000000000A1", "one")));
  const auto first = last();
  rig.line.fail_acks(Errc::disconnected);
  rig.turn();
  rig.restart();
  const auto again = start(job("3EB0C0FFEE0000000000A1", "one"));
  ASSERT_TRUE(again);
  EXPECT_EQ(read(rig.customer, *first), "one");
  EXPECT_EQ(read(rig.customer, *again), "one") << "another number, not a duplicate";
}

INSTANTIATE_TEST_SUITE_P(BothAddressForms, GroupsSend, testing::Bool(),
                         [](const auto& param) { return param.param ? "ByLid" : "ByNumber"; });

}  // namespace
}  // namespace posthorn::chat::chat_test
