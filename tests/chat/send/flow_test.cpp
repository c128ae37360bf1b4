#include <gtest/gtest.h>

#include "chat/rig.h"

namespace posthorn::chat::chat_test {
namespace {

using Kind = throttle::SendOutcome::Kind;
using wire::Node;

constexpr const char* kId = "3EB0C0FFEE0000000000AA";

TEST(MessagesSend, ReachesEveryDeviceOfTheCustomerAndOurPhone) {
  Rig rig;
  const auto outcome = rig.send(rig.job(kId, "Your receipt"));
  EXPECT_EQ(outcome.kind, Kind::sent);
  EXPECT_EQ(outcome.server_time.unix_seconds(), 1790000200);

  const auto written = rig.written_of("message");
  ASSERT_EQ(written.size(), 1U);
  const Node& stanza = written[0];
  EXPECT_EQ(stanza.jid_attr("to"), rig.customer_lid);
  EXPECT_EQ(stanza.jid_attr("peer_recipient_pn"), rig.customer_pn);
  EXPECT_EQ(stanza.text_attr("type"), "text");
  EXPECT_EQ(stanza.child("device-identity")->bytes().size(), 19U);
  EXPECT_EQ(stanza.child("participants")->children().size(), 3U);  // not our own device

  for (PeerDevice* device : {&rig.customer, &rig.laptop}) {
    const Node* enc = Rig::enc_for(stanza, device->jid);
    ASSERT_NE(enc, nullptr);
    const auto message = device->decrypt(*enc, rig.box_jid);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->conversation(), "Your receipt");
    EXPECT_EQ(message->messagecontextinfo().messagesecret().size(), 32U);
  }
  const auto copy = rig.phone.decrypt(*Rig::enc_for(stanza, rig.phone.jid), rig.box_jid);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->devicesentmessage().destinationjid(), "200000000000002@lid");
  EXPECT_EQ(copy->devicesentmessage().message().conversation(), "Your receipt");
}

TEST(MessagesSend, ACompanionWithoutItsAccountsWordGetsNothing) {
  const auto reached = [](Rig& rig) {
    (void)rig.send(rig.job(kId, "Your receipt"));
    const auto written = rig.written_of("message");
    EXPECT_EQ(written.size(), 1U);
    EXPECT_NE(Rig::enc_for(written.at(0), rig.customer.jid), nullptr);
    return Rig::enc_for(written.at(0), rig.laptop.jid) != nullptr;
  };
  Rig without;
  without.laptop.proof.clear();
  EXPECT_FALSE(reached(without));
  Rig forged;
  PeerDevice stranger({"300000000000003", "lid", 0}, 99);
  forged.laptop.proof = stranger.vouch_for(forged.laptop);
  EXPECT_FALSE(reached(forged));
  Rig for_another_key;
  for_another_key.laptop.proof = for_another_key.customer.vouch_for(stranger);
  EXPECT_FALSE(reached(for_another_key));
  Rig right;
  EXPECT_TRUE(reached(right));
}

TEST(MessagesSend, ShowsTypingInTheChatAndIsAvailableNoLonger) {
  Rig rig;
  rig.line.self.push_name = "Bakery @Posthorn";
  (void)rig.send(rig.job(kId, "hello"));  // their LID is known now
  rig.line.take_written();
  rig.box->sender().show_typing("4915550002222@c.us", Typing::text);
  auto stanzas = rig.line.take_written();
  ASSERT_EQ(stanzas.size(), 2U);
  EXPECT_EQ(stanzas[0].tag, "presence");
  EXPECT_EQ(stanzas[0].text_attr("type"), "available");
  EXPECT_EQ(stanzas[0].text_attr("name"), "Bakery Posthorn");
  EXPECT_EQ(stanzas[1].tag, "chatstate");
  EXPECT_EQ(stanzas[1].jid_attr("to"), rig.customer_lid);
  EXPECT_FALSE(stanzas[1].has_attr("from")) << "the server knows who we are";
  EXPECT_NE(stanzas[1].child("composing"), nullptr);

  rig.box->sender().show_typing("4915550002222@c.us", Typing::none);
  stanzas = rig.line.take_written();
  ASSERT_EQ(stanzas.size(), 2U);
  EXPECT_NE(stanzas[0].child("paused"), nullptr);
  EXPECT_EQ(stanzas[1].text_attr("type"), "unavailable");

  // Available until the last chat has been typed to; a recording is a kind of typing.
  Presence& presence = rig.box->presence();
  presence.show_typing("4915550002222@c.us", Typing::recording);
  stanzas = rig.line.take_written();
  ASSERT_EQ(stanzas.size(), 2U);
  EXPECT_EQ(stanzas[1].child("composing")->text_attr("media"), "audio");
  presence.show_typing("4915550003333@c.us", Typing::text);
  presence.show_typing("4915550002222@c.us", Typing::none);
  stanzas = rig.line.take_written();
  ASSERT_EQ(stanzas.size(), 2U);
  EXPECT_NE(stanzas[0].child("composing"), nullptr);
  EXPECT_NE(stanzas[1].child("paused"), nullptr);
  presence.show_typing("4915550003333@c.us", Typing::none);
  EXPECT_EQ(rig.line.take_written().back().text_attr("type"), "unavailable");

  rig.box->sender().show_typing("nobody", Typing::text);
  rig.line.is_online = false;
  rig.box->sender().show_typing("4915550002222@c.us", Typing::text);
  rig.line.is_online = true;
  rig.line.self.push_name.clear();
  rig.box->sender().show_typing("4915550002222@c.us", Typing::text);
  EXPECT_TRUE(rig.line.take_written().empty());
}

TEST(MessagesSend, IsShownAsOnlineForAsLongAsTheSettingSays) {
  Rig rig;
  rig.line.self.push_name = "Bakery";
  Presence& presence = rig.box->presence();
  const auto written = [&rig] {
    std::vector<std::string> out;
    for (const Node& stanza : rig.line.take_written()) {
      out.push_back(stanza.tag == "presence" ? stanza.text_attr("type") : stanza.tag);
    }
    return out;
  };
  const std::string chat = "4915550002222@c.us";
  using Tags = std::vector<std::string>;
  written();
  presence.keep_online(true);
  presence.keep_online(true);
  EXPECT_EQ(written(), Tags{"available"});
  presence.show_typing(chat, Typing::text);
  presence.show_typing(chat, Typing::none);
  EXPECT_EQ(written(), (Tags{"chatstate", "chatstate"})) << "available all the time";
  rig.line.is_online = false;
  rig.box->listener().on_offline(Error{Errc::disconnected, "the line is cut"});
  rig.line.is_online = true;
  rig.box->listener().on_online();
  EXPECT_EQ(written(), Tags{"available"});
  presence.show_typing(chat, Typing::text);
  presence.keep_online(false);
  EXPECT_EQ(written(), Tags{"chatstate"}) << "still typing";
  presence.show_typing(chat, Typing::none);
  EXPECT_EQ(written(), (Tags{"chatstate", "unavailable"}));
  rig.line.is_online = false;
  presence.keep_online(true);
  EXPECT_EQ(written(), Tags{});
}

TEST(MessagesSend, AsksForDevicesAndKeysOnceOnly) {
  Rig rig;
  (void)rig.send(rig.job(kId, "one"));
  const std::size_t asked = rig.line.asked.size();
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AB", "two"));
  EXPECT_EQ(rig.line.asked.size(), asked);
  EXPECT_EQ(rig.written_of("message").size(), 2U);
}

TEST(MessagesSend, UsesMsgOnceThePeerHasAnswered) {
  Rig rig;
  (void)rig.send(rig.job(kId, "one"));
  const auto first = rig.written_of("message")[0];
  ASSERT_TRUE(rig.customer.decrypt(*Rig::enc_for(first, rig.customer.jid), rig.box_jid));
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "hello"));
  rig.turn();
  rig.line.take_written();
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AB", "two"));
  const auto second = rig.written_of("message")[0];
  const Node* enc = Rig::enc_for(second, rig.customer.jid);
  EXPECT_EQ(enc->text_attr("type"), "msg");
  EXPECT_EQ(rig.customer.decrypt(*enc, rig.box_jid)->conversation(), "two");
}

TEST(MessagesSend, FallsBackToTheNumberWithoutALid) {
  Rig rig;
  rig.give_lids = false;
  EXPECT_EQ(rig.send(rig.job(kId, "hi")).kind, Kind::sent);
  const auto stanza = rig.written_of("message")[0];
  EXPECT_EQ(stanza.jid_attr("to"), rig.customer_pn);
  EXPECT_FALSE(stanza.has_attr("peer_recipient_pn"));
  EXPECT_NE(Rig::enc_for(stanza, rig.customer_pn.with_device(5)), nullptr);
  EXPECT_NE(Rig::enc_for(stanza, rig.line.self.pn.bare()), nullptr);
}

TEST(MessagesSend, QuotesWhatTheCustomerWrote) {
  Rig rig;
  rig.introduce(rig.customer);
  rig.listener().on_message(rig.text_from(rig.customer, "QUESTION", "When do you close?"));
  rig.turn();
  rig.line.take_written();
  Job job = rig.job(kId, "At six");
  job.content.quote.emplace().id = "QUESTION";
  (void)rig.send(job);
  const auto stanza = rig.written_of("message")[0];
  const auto message = rig.customer.decrypt(*Rig::enc_for(stanza, rig.customer.jid), rig.box_jid);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->extendedtextmessage().text(), "At six");
  const auto& context = message->extendedtextmessage().contextinfo();
  EXPECT_EQ(context.stanzaid(), "QUESTION");
  EXPECT_EQ(context.participant(), "200000000000002@lid");
  EXPECT_EQ(context.quotedmessage().conversation(), "When do you close?");
}

TEST(MessagesSend, SaysThatANumberHasNoAccount) {
  Rig rig;
  Job job = rig.job(kId, "hi");
  job.chat = "4915559999999@c.us";
  EXPECT_EQ(rig.send(job).kind, Kind::no_account);
  EXPECT_TRUE(rig.written_of("message").empty());
}

TEST(MessagesSend, KeepsTheIdAndTheTextWhenTheSameJobComesAgain) {
  Rig rig;
  rig.start_send(rig.job(kId, "hi"));
  ASSERT_EQ(rig.written_of("message").size(), 1U);
  rig.line.fail_acks(Errc::timeout);
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, Kind::uncertain);

  rig.restart();
  EXPECT_EQ(rig.send(rig.job(kId, "hi")).kind, Kind::sent);
  const auto written = rig.written_of("message");
  ASSERT_EQ(written.size(), 2U);
  std::set<std::string> secrets;
  for (const Node& stanza : written) {
    EXPECT_EQ(stanza.text_attr("id"), kId);
    const auto message = rig.customer.decrypt(*Rig::enc_for(stanza, rig.customer.jid), rig.box_jid);
    ASSERT_TRUE(message);
    secrets.insert(message->messagecontextinfo().messagesecret());
  }
  EXPECT_EQ(secrets.size(), 1U);  // one message, encrypted twice
}

TEST(MessagesSend, DoesNotSendAgainWhatTheServerHasTaken) {
  Rig rig;
  (void)rig.send(rig.job(kId, "hi"));
  rig.restart();
  rig.line.take_written();
  rig.start_send(rig.job(kId, "hi"));
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, Kind::sent);
  EXPECT_TRUE(rig.line.take_written().empty());
}

TEST(MessagesSend, ASecondSendMeanwhileIsBusy) {
  Rig rig;
  rig.start_send(rig.job(kId, "one"));
  std::optional<throttle::SendOutcome> second;
  rig.box->sender().send(rig.job("3EB0C0FFEE0000000000AB", "two"),
                         [&](throttle::SendOutcome result) { second = std::move(result); });
  ASSERT_TRUE(second);
  EXPECT_EQ(second->kind, Kind::not_sent);
}

struct AckCase {
  const char* code;
  Kind kind;
  std::optional<session::Restriction::Kind> restriction;
};

class MessagesSendAck : public testing::TestWithParam<AckCase> {};

TEST_P(MessagesSendAck, BecomesTheOutcome) {
  Rig rig;
  rig.start_send(rig.job(kId, "hi"));
  rig.line.ack(kId, {{"t", "1790000200"}, {"error", GetParam().code}});
  rig.turn();
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, GetParam().kind);
  EXPECT_EQ(std::to_string(rig.outcome->code), GetParam().code);
  const auto& heard = rig.line.restrictions;
  ASSERT_EQ(!heard.empty(), GetParam().restriction.has_value());
  if (!heard.empty()) {
    EXPECT_EQ(heard.back().kind, *GetParam().restriction);
    EXPECT_EQ(heard.back().chat, "4915550002222@c.us");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Codes, MessagesSendAck,
    testing::Values(AckCase{"403", Kind::rejected, {}}, AckCase{"404", Kind::no_account, {}},
                    AckCase{"408", Kind::uncertain, {}},
                    AckCase{"429", Kind::restricted, session::Restriction::Kind::rate_message},
                    AckCase{"463", Kind::restricted, session::Restriction::Kind::reachout_ack},
                    AckCase{"475", Kind::restricted, session::Restriction::Kind::new_chat_cap_ack},
                    AckCase{"500", Kind::uncertain, {}}, AckCase{"503", Kind::uncertain, {}},
                    AckCase{"551", Kind::rejected, {}}),
    [](const auto& test) { return std::string("Code") + test.param.code; });

TEST(MessagesSend, RebuildsSessionsOnceAfter479) {
  Rig rig;
  rig.start_send(rig.job(kId, "hi"));
  rig.line.ack(kId, {{"error", "479"}});
  rig.turn();
  EXPECT_FALSE(rig.outcome);
  ASSERT_EQ(rig.written_of("message").size(), 2U);
  rig.line.ack(kId, {{"error", "479"}});
  rig.turn();
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, Kind::rejected);
  EXPECT_EQ(rig.written_of("message").size(), 2U);
}

TEST(MessagesSend, AsksForDevicesAgainAfterAForeignHash) {
  Rig rig;
  rig.start_send(rig.job(kId, "one"));
  rig.line.ack(kId, {{"t", "1790000200"}, {"phash", "2:AAAAAAAA"}});
  rig.turn();
  EXPECT_EQ(rig.outcome->kind, Kind::sent);
  rig.line.asked.clear();
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AB", "two"));
  ASSERT_FALSE(rig.line.asked.empty());
  EXPECT_EQ(rig.line.asked[0].text_attr("xmlns"), "usync");
}

TEST(MessagesSend, GivesOurTokenOncePerWeekAndAttachesTheirs) {
  Rig rig;
  const auto issued = [&] {
    std::size_t count = 0;
    for (const Node& iq : rig.line.asked) count += iq.text_attr("xmlns") == "privacy" ? 1U : 0U;
    return count;
  };
  (void)rig.send(rig.job(kId, "one"));
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AB", "two"));
  EXPECT_EQ(issued(), 1U);
  EXPECT_EQ(rig.written_of("message")[1].child("tctoken"), nullptr);

  Node token("token", {{"type", "trusted_contact"}, {"t", "1789999000"}}, to_bytes("TOKEN"));
  bool handled = false;
  rig.listener().on_notification(
      Node("notification", {{"type", "privacy_token"}, {"from", rig.customer_pn}, {"id", "1"}},
           {Node("tokens", {}, {token})}),
      [&] { handled = true; });
  rig.turn();
  EXPECT_TRUE(handled);
  rig.line.take_written();
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AC", "three"));
  const auto stanza = rig.written_of("message")[0];
  ASSERT_NE(stanza.child("tctoken"), nullptr);
  EXPECT_EQ(posthorn::to_string(stanza.child("tctoken")->bytes()), "TOKEN");
}

// The number that a till has and the account's own one

const std::string kPrinted = "5511987650001";

Job printed_job(const Rig& rig, const char* id) {
  Job job = rig.job(id, "Your receipt");
  job.chat = kPrinted + "@c.us";
  return job;
}

TEST(MessagesSend, ReachesTheAccountThatAPrintedNumberLeadsTo) {
  Rig rig;
  rig.leads_to[kPrinted] = rig.customer_pn;
  std::vector<std::pair<std::string, std::string>> joined;
  rig.box->identities().on_joined(
      [&](const std::string& from, const std::string& into) { joined.emplace_back(from, into); });
  EXPECT_EQ(rig.send(printed_job(rig, kId)).kind, Kind::sent);
  const auto stanza = rig.written_of("message").at(0);
  EXPECT_EQ(stanza.jid_attr("to"), rig.customer_lid);
  const auto message = rig.customer.decrypt(*Rig::enc_for(stanza, rig.customer.jid), rig.box_jid);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->conversation(), "Your receipt");
  const std::string account = rig.customer_pn.user + "@c.us";
  ASSERT_FALSE(joined.empty());
  EXPECT_EQ(joined.front(), std::pair(kPrinted + "@c.us", account));
  EXPECT_EQ(rig.box->identities().account_of(kPrinted + "@c.us"), account);
  EXPECT_EQ(rig.box->identities().account_of(rig.customer_lid.user + "@lid"), account);
  EXPECT_EQ(rig.box->identities().account_of("120363000000000001@g.us"), "120363000000000001@g.us");
  EXPECT_EQ(rig.box->identities().account_of("?5"), "?5");

  // Known from now on, also after a restart: nobody is asked again.
  rig.restart();
  const std::size_t asked = rig.line.asked.size();
  EXPECT_EQ(rig.send(printed_job(rig, "3EB0C0FFEE0000000000AB")).kind, Kind::sent);
  EXPECT_EQ(rig.line.asked.size(), asked);
}

TEST(MessagesSend, LearnsFromACheckWhereANumberLeads) {
  Rig rig;
  rig.leads_to[kPrinted] = rig.customer_pn;
  rig.box->people().check_numbers({kPrinted}, [](auto) {});
  rig.turn();
  rig.line.asked.clear();
  EXPECT_EQ(rig.send(printed_job(rig, kId)).kind, Kind::sent);
  for (const Node& iq : rig.line.asked) {
    if (iq.text_attr("xmlns") != "usync") continue;
    for (const Node& user : iq.child("usync")->child("list")->children()) {
      EXPECT_EQ(user.child("contact"), nullptr) << "not asked again";
      EXPECT_NE(user.text_attr("jid"), kPrinted + "@s.whatsapp.net");
    }
  }
}

TEST(MessagesSend, WhatIsKnownOfAPersonGoesWithAChangeOfNumber) {
  Rig rig;
  using Joined = std::vector<std::pair<std::string, std::string>>;
  Joined joined;
  rig.box->identities().on_joined(
      [&](const std::string& from, const std::string& into) { joined.emplace_back(from, into); });
  const auto told = [&](const std::string& number, const std::string& lid) {
    joined.clear();
    rig.box->listener().on_notification(Node("notification",
                                             {{"id", "N1"},
                                              {"type", "devices"},
                                              {"from", wire::Jid{number, "s.whatsapp.net", 0}},
                                              {"lid", wire::Jid{lid, "lid", 0}}},
                                             {Node("add", {}, {Node("device", {{"id", "1"}})})}),
                                        [] {});
    rig.turn();
    return joined;
  };
  EXPECT_EQ(told("4915550001111", "31"), (Joined{{"31@lid", "4915550001111@c.us"}}));
  EXPECT_EQ(told("4915550001111", "31"), Joined{}) << "no news";
  // Another number for the same account: the person moves.
  EXPECT_EQ(told("4915550002222", "31"), (Joined{{"4915550001111@c.us", "4915550002222@c.us"},
                                                 {"31@lid", "4915550002222@c.us"}}));
  // Another account behind the number: what is known of it stays.
  EXPECT_EQ(told("4915550002222", "32"), (Joined{{"32@lid", "4915550002222@c.us"}}));
  EXPECT_EQ(rig.box->identities().account_of("31@lid"), "31@lid");
}

TEST(MessagesSend, ANumberThatLeadsNowhereHasNoAccount) {
  Rig rig;
  const auto outcome = rig.send(printed_job(rig, kId));
  EXPECT_EQ(outcome.kind, Kind::no_account);
  EXPECT_TRUE(rig.written_of("message").empty());
}

TEST(MessagesSend, AsksAnewWhenTheAccountBehindANumberIsGone) {
  Rig rig;
  rig.leads_to[kPrinted] = wire::Jid{"4915550009999", "s.whatsapp.net", 0};
  rig.box->people().check_numbers({kPrinted}, [](auto) {});
  rig.turn();
  EXPECT_EQ(rig.box->identities().account_of(kPrinted + "@c.us"), "4915550009999@c.us");
  rig.leads_to[kPrinted] = rig.customer_pn;
  EXPECT_EQ(rig.send(printed_job(rig, kId)).kind, Kind::sent);
  EXPECT_EQ(rig.written_of("message").at(0).jid_attr("to"), rig.customer_lid);
  EXPECT_EQ(rig.box->identities().account_of(kPrinted + "@c.us"), rig.customer_pn.user + "@c.us");
}

TEST(MessagesSend, ANumberWithAnAccountOfItsOwnLeadsNowhereElse) {
  Rig rig;
  rig.leads_to[kPrinted] = rig.customer_pn;
  rig.box->people().check_numbers({kPrinted}, [](auto) {});
  rig.turn();
  // Somebody has it now: WhatsApp names a LID of its own for it.
  const wire::Jid owner{kPrinted, "s.whatsapp.net", 0};
  rig.box->listener().on_notification(Node("notification",
                                           {{"id", "N1"},
                                            {"type", "devices"},
                                            {"from", owner},
                                            {"lid", wire::Jid{"300000000000003", "lid", 0}}},
                                           {Node("add", {}, {Node("device", {{"id", "1"}})})}),
                                      [] {});
  rig.turn();
  EXPECT_EQ(rig.box->identities().account_of(kPrinted + "@c.us"), kPrinted + "@c.us");
  EXPECT_EQ(rig.box->identities().account_of("300000000000003@lid"), kPrinted + "@c.us");
}

TEST(MessagesSend, TroubleOfTheServersWithKeysSaysNothingAboutTheRecipient) {
  for (const char* trouble :
       {"503 service-unavailable", "500 internal-server-error", "429 rate-overlimit"}) {
    Rig rig;
    const auto usual = rig.line.answer;
    rig.line.answer = [&](const Node& iq) -> Result<Node> {
      if (iq.text_attr("xmlns") == "encrypt") return fail(Errc::refused, trouble);
      return usual(iq);
    };
    rig.start_send(rig.job(kId, "hello"));
    ASSERT_TRUE(rig.outcome) << trouble;
    EXPECT_EQ(rig.outcome->kind, Kind::not_sent) << trouble;
    rig.line.answer = usual;
    EXPECT_EQ(rig.send(rig.job(kId, "hello")).kind, Kind::sent) << trouble;
  }
}

}  // namespace
}  // namespace posthorn::chat::chat_test
