#include <gtest/gtest.h>

#include "chat/rig.h"

// An account that WhatsApp has not moved to LIDs refuses every text to one; a moved one refuses
// first texts to numbers. All texts of such a shop would fail.
namespace posthorn::chat::chat_test {
namespace {

using Kind = throttle::SendOutcome::Kind;
using wire::Node;

std::string id(int n) { return "3EB0C0FFEE00000000000" + std::to_string(n); }

/// What a text was addressed to, when the server takes it.
wire::Jid sent_to(Rig& rig, int n) {
  rig.line.take_written();
  EXPECT_EQ(rig.send(rig.job(id(n), "text")).kind, Kind::sent);
  const auto written = rig.written_of("message");
  return written.empty() ? wire::Jid{} : written.back().jid_attr("to").value_or(wire::Jid{});
}

/// A text whose LID is refused with 400, and what the server says to the second try.
void refuse_lid(Rig& rig, int n, std::vector<wire::Attr> second) {
  rig.start_send(rig.job(id(n), "text"));
  rig.line.ack(id(n), {{"error", "400"}});
  rig.turn();
  rig.line.ack(id(n), std::move(second));
  rig.turn();
}

TEST(Addressing, GoesOnceByNumberAfterALidWasRefusedAndRemembersIt) {
  Rig rig;
  refuse_lid(rig, 1, {{"t", "1790000200"}});
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, Kind::sent);
  const auto written = rig.written_of("message");
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].jid_attr("to"), rig.customer_lid);
  const Node& again = written[1];
  EXPECT_EQ(again.text_attr("id"), id(1)) << "one message";
  EXPECT_EQ(again.jid_attr("to"), rig.customer_pn);
  EXPECT_FALSE(again.has_attr("peer_recipient_pn"));
  const Node* enc = Rig::enc_for(again, rig.customer_pn.with_device(5));
  ASSERT_NE(enc, nullptr);
  const auto message = rig.laptop.decrypt(*enc, rig.box_jid);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->conversation(), "text");
  EXPECT_NE(Rig::enc_for(again, rig.line.self.pn.bare()), nullptr);

  EXPECT_EQ(sent_to(rig, 2), rig.customer_pn);
  rig.restart();
  EXPECT_EQ(sent_to(rig, 3), rig.customer_pn) << "also after a restart";
  // WhatsApp may move the account any day.
  rig.scheduler.advance(hours(8 * 24));
  EXPECT_EQ(sent_to(rig, 4), rig.customer_lid);
}

TEST(Addressing, ARefusalOfBothNamesIsAboutTheMessage) {
  Rig rig;
  refuse_lid(rig, 1, {{"error", "400"}});
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, Kind::rejected);
  EXPECT_EQ(rig.written_of("message").size(), 2U) << "once, not again and again";
  EXPECT_EQ(sent_to(rig, 2), rig.customer_lid);
}

TEST(Addressing, BelievesWhatPairingSaid) {
  Rig rig;
  rig.line.self.lid_migrated = false;
  EXPECT_EQ(sent_to(rig, 1), rig.customer_pn);
  rig.line.self.lid_migrated = true;
  EXPECT_EQ(sent_to(rig, 2), rig.customer_lid);
}

TEST(Addressing, FollowsWhenTheAccountIsMoved) {
  Rig rig;
  rig.line.self.lid_migrated = false;
  EXPECT_EQ(sent_to(rig, 1), rig.customer_pn);
  rig.start_send(rig.job(id(2), "text"));
  rig.line.ack(id(2), {{"error", "463"}});
  rig.turn();
  EXPECT_EQ(rig.outcome->kind, Kind::restricted);
  EXPECT_EQ(sent_to(rig, 3), rig.customer_lid);
  rig.restart();
  EXPECT_EQ(sent_to(rig, 4), rig.customer_lid);
}

TEST(Addressing, FollowsWhenTheLineIsToldOfTheMove) {
  Rig rig;
  refuse_lid(rig, 1, {{"t", "1790000200"}});
  EXPECT_EQ(sent_to(rig, 2), rig.customer_pn);
  rig.restart();
  rig.line.self.lid_migrated = true;
  EXPECT_EQ(sent_to(rig, 3), rig.customer_lid);
}

TEST(Addressing, IsForgottenWithTheAccount) {
  Rig rig;
  refuse_lid(rig, 1, {{"t", "1790000200"}});
  rig.listener().on_logged_out();
  EXPECT_EQ(sent_to(rig, 2), rig.customer_lid);
}

/// Whose laptop gives way to a tablet while a text to it is being prepared: what the server says
/// when it is asked for the keys of the laptop.
void replace_laptop(Rig& rig, PeerDevice& tablet, bool spoils_the_query) {
  rig.line.answer = [&rig, &tablet, spoils_the_query](const Node& iq) -> Result<Node> {
    if (iq.text_attr("xmlns") != "encrypt") return rig.answer(iq);
    bool named = false;
    for (const Node& user : iq.child("key")->children())
      named = named || user.jid_attr("jid") == rig.laptop.jid;
    if (!named) return rig.answer(iq);
    rig.customer_devices = {&rig.customer, &tablet};
    if (spoils_the_query) return fail(Errc::refused, "406 not-acceptable");
    auto answer = rig.answer(iq);
    if (!answer) return answer;
    answer->mutable_children().front().mutable_children().push_back(
        Node("user", {{"jid", rig.laptop.jid}},
             {Node("error", {{"code", "406"}, {"text", "not-acceptable"}})}));
    return answer;
  };
}

class StaleDeviceLists : public testing::TestWithParam<bool> {};

TEST_P(StaleDeviceLists, AreAskedForAnewAndTheSameSendGoesOn) {
  Rig rig;
  PeerDevice tablet({rig.customer_lid.user, "lid", 6}, 14);
  tablet.proof = rig.customer.vouch_for(tablet);
  replace_laptop(rig, tablet, GetParam());
  EXPECT_EQ(rig.send(rig.job(id(1), "text")).kind, Kind::sent);
  const auto written = rig.written_of("message");
  ASSERT_EQ(written.size(), 1U);
  EXPECT_NE(Rig::enc_for(written[0], rig.customer.jid), nullptr);
  EXPECT_EQ(Rig::enc_for(written[0], rig.laptop.jid), nullptr);
  const Node* enc = Rig::enc_for(written[0], tablet.jid);
  ASSERT_NE(enc, nullptr) << "it is named by the right list only";
  const auto message = tablet.decrypt(*enc, rig.box_jid);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->conversation(), "text");
}

TEST_P(StaleDeviceLists, ThatStayWrongHoldNobodyUp) {
  Rig rig;
  PeerDevice tablet({rig.customer_lid.user, "lid", 6}, 14);
  replace_laptop(rig, tablet, GetParam());
  const auto answer = rig.line.answer;
  rig.line.answer = [&rig, answer](const Node& iq) {
    auto reply = answer(iq);
    rig.customer_devices = {&rig.customer, &rig.laptop};
    return reply;
  };
  EXPECT_EQ(rig.send(rig.job(id(1), "text")).kind, Kind::sent);
  std::size_t lists = 0;
  for (const Node& iq : rig.line.asked) lists += iq.text_attr("xmlns") == "usync" ? 1U : 0U;
  EXPECT_EQ(lists, 2U) << "once more, not for ever";
  EXPECT_NE(Rig::enc_for(rig.written_of("message").at(0), rig.customer.jid), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Prekeys, StaleDeviceLists, testing::Values(false, true),
                         [](const auto& test) {
                           return std::string(test.param ? "TheQuery" : "TheDevice");
                         });

TEST(DeviceLists, OfAMovedAccountAreAskedForUnderItsLid) {
  Rig rig;
  rig.lists_under_lids_only = true;
  EXPECT_EQ(rig.send(rig.job(id(1), "text")).kind, Kind::sent);
  const auto written = rig.written_of("message");
  ASSERT_EQ(written.size(), 1U);
  EXPECT_NE(Rig::enc_for(written[0], rig.customer.jid), nullptr);
  EXPECT_NE(Rig::enc_for(written[0], rig.laptop.jid), nullptr) << "only that list names it";
}

}  // namespace
}  // namespace posthorn::chat::chat_test
