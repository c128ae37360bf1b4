#include <gtest/gtest.h>

#include "chat/groups/group_rig.h"

namespace posthorn::chat::chat_test {
namespace {

using wire::Jid;
using wire::Node;

std::string text_of(const Message& message) {
  const auto* text = std::get_if<content::Text>(&message.content.what);
  return text == nullptr ? std::string("?") : text->body;
}

class GroupsReceive : public testing::TestWithParam<bool> {
 protected:
  GroupsReceive() {
    rig.by_lid = GetParam();
    rig.restart();  // a login that hears of the group
    rig.introduce(rig.customer);
  }
  GroupRig rig;
};

TEST_P(GroupsReceive, TextsOfAMemberAreToldWithGroupAndAuthor) {
  rig.hear(rig.group_text(rig.customer, "G1", "flour is out", true));
  rig.hear(rig.group_text(rig.customer, "G2", "and yeast", false));
  const auto told = rig.messages();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].chat, rig.chat);
  EXPECT_EQ(told[0].chat_name, "Bakers");
  EXPECT_EQ(told[0].sender, "4915550002222@c.us");
  EXPECT_EQ(told[0].sender_name, "Ann");
  EXPECT_FALSE(told[0].from_me);
  EXPECT_EQ(text_of(told[0]), "flour is out");
  EXPECT_EQ(text_of(told[1]), "and yeast");
  const auto receipts = rig.written_of("receipt");
  ASSERT_EQ(receipts.size(), 2U);
  EXPECT_EQ(receipts[0].jid_attr("to"), rig.group);
  EXPECT_EQ(receipts[0].jid_attr("participant"), rig.by_lid ? rig.customer.jid : rig.customer_pn);
}

TEST_P(GroupsReceive, WhatCannotBeReadIsAskedForAndComesPairwise) {
  rig.hear(rig.group_text(rig.customer, "G1", "no key for that", false));
  EXPECT_TRUE(rig.messages().empty());
  const auto asked = rig.written_of("receipt");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].text_attr("type"), "retry");
  EXPECT_EQ(asked[0].jid_attr("to"), rig.group);
  EXPECT_EQ(asked[0].jid_attr("participant"), rig.by_lid ? rig.customer.jid : rig.customer_pn);
  wa::Message again = text_message("no key for that");
  const auto key = rig.customer.protocol.create_distribution(
      {rig.chat, signal::make_address(rig.customer.jid.user, rig.customer.jid.server, 0)});
  auto& distribution = *again.mutable_senderkeydistributionmessage();
  distribution.set_groupid(rig.chat);
  distribution.set_axolotlsenderkeydistributionmessage(posthorn::to_string(*key));
  Node enc = rig.customer.encrypt(again, rig.box_jid);
  enc.set_attr("count", std::string("1"));
  rig.hear(rig.group_stanza(rig.customer, "G1", {std::move(enc)}));
  rig.hear(rig.group_text(rig.customer, "G2", "next", false));
  const auto told = rig.messages();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(text_of(told[0]), "no key for that");
  EXPECT_EQ(told[0].chat, rig.chat);
  EXPECT_EQ(text_of(told[1]), "next");
}

TEST_P(GroupsReceive, OnlyAuthorsAndAdminsDelete) {
  rig.hear(rig.group_text(rig.customer, "G1", "mine", true));
  const auto revoke = [&](bool own) {
    wa::Message message;
    auto& protocol = *message.mutable_protocolmessage();
    protocol.set_type(wa::Message::ProtocolMessage::REVOKE);
    protocol.mutable_key()->set_remotejid(rig.chat);
    protocol.mutable_key()->set_fromme(own);
    protocol.mutable_key()->set_id("G1");
    if (!own) protocol.mutable_key()->set_participant("300000000000003@lid");
    return message;
  };
  const auto deletions = [&] {
    std::size_t count = 0;
    for (const Message& message : rig.messages())
      count += std::holds_alternative<content::Deletion>(message.content.what) ? 1 : 0;
    return count;
  };
  const auto hear = [&](const std::string& id, bool own) {
    rig.hear(rig.group_stanza(rig.customer, id, {rig.sealed(rig.customer, revoke(own))}));
  };
  hear("G2", true);
  EXPECT_EQ(deletions(), 1U);
  hear("G3", true);
  EXPECT_EQ(deletions(), 2U);
  // Of somebody else's message: the customer is an admin of the group.
  hear("G4", false);
  EXPECT_EQ(deletions(), 3U);
  rig.hear_notice(Node("demote", {}, {rig.participant(rig.customer_lid, rig.customer_pn)}));
  hear("G5", false);
  EXPECT_EQ(deletions(), 3U);
}

INSTANTIATE_TEST_SUITE_P(BothAddressForms, GroupsReceive, testing::Bool(),
                         [](const auto& param) { return param.param ? "ByLid" : "ByNumber"; });

TEST(GroupsNotices, TheNameIsKnownFromTheStartAndFollows) {
  GroupRig rig;
  rig.restart();
  rig.introduce(rig.customer);
  rig.hear(rig.group_text(rig.customer, "G1", "one", true));
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(rig.messages()[0].chat_name, "Bakers");
  rig.hear_notice(Node("subject", {{"subject", "Night bakers"}, {"s_t", "1790000000"}}));
  rig.hear(rig.group_text(rig.customer, "G2", "two", false));
  EXPECT_EQ(rig.messages()[1].chat_name, "Night bakers");
}

TEST(GroupsAsked, WhoeverWaitsForMembersNamesIsAnsweredWhenTheBoxStops) {
  GroupRig rig;
  rig.introduce(rig.customer);
  rig.line.sink = FakeLine::Sink::holds;
  rig.hear(rig.text_from(rig.customer, "M1", "two loaves"));
  ASSERT_EQ(rig.line.held.size(), 1U) << "a batch is open: names have to wait";
  std::vector<Errc> answers;
  rig.box->groups().show(rig.chat, [&](Result<GroupData> data) {
    ASSERT_FALSE(data);
    answers.push_back(data.error().code);
  });
  rig.turn();
  EXPECT_TRUE(answers.empty());
  rig.box.reset();
  EXPECT_EQ(answers, std::vector<Errc>{Errc::cancelled});
  for (auto& stored : rig.line.held) stored({});
}

TEST(GroupsNotices, StoriesThatCannotBeReadAreOnlyAcknowledged) {
  GroupRig rig;
  rig.introduce(rig.customer);
  Node story = rig.group_text(rig.customer, "S1", "fresh bread", false);
  story.set_attr("from", Jid{"status", "broadcast", 0});
  rig.hear(std::move(story));
  EXPECT_TRUE(rig.messages().empty());
  EXPECT_TRUE(rig.written_of("receipt").empty());
  EXPECT_EQ(rig.written_of("ack").size(), 1U);
}

}  // namespace
}  // namespace posthorn::chat::chat_test
