#include <gtest/gtest.h>

#include "chat/content/polls.h"
#include "chat/rig.h"
#include "posthorn/base/crypto.h"

// Kinds on their way through the box: what is kept for later, and what is built from it.
namespace posthorn::chat {
namespace {

using chat_test::Rig;
using Kind = throttle::SendOutcome::Kind;
using wire::Node;

constexpr const char* kId = "3EB0C0FFEE0000000000AA";
constexpr const char* kNext = "3EB0C0FFEE0000000000AB";
const std::string kChat = "4915550002222@c.us";

/// The message and its stanza, as the customer's phone gets them.
struct Sent {
  wa::Message message;
  std::string type, edit, mediatype;
  bool hidden = false;
};

Sent send(Rig& rig, const std::string& id, Content content) {
  Job job = rig.job(id, "");
  job.content = std::move(content);
  rig.line.written.clear();
  EXPECT_EQ(rig.send(job).kind, Kind::sent) << rig.outcome->detail;
  Sent sent;
  const auto stanzas = rig.written_of("message");
  EXPECT_EQ(stanzas.size(), 1U);
  const Node* enc = Rig::enc_for(stanzas.at(0), rig.customer.jid);
  EXPECT_NE(enc, nullptr);
  if (enc == nullptr) return sent;
  sent.type = stanzas[0].text_attr("type");
  sent.edit = stanzas[0].text_attr("edit");
  sent.mediatype = enc->text_attr("mediatype");
  sent.hidden = enc->text_attr("decrypt-fail") == "hide";
  sent.message = rig.customer.decrypt(*enc, rig.box_jid).value_or(wa::Message());
  return sent;
}

void receive(Rig& rig, const std::string& id, const wa::Message& message) {
  rig.listener().on_message(
      rig.stanza_from(rig.customer, id, rig.customer.encrypt(message, rig.box_jid)));
  rig.turn();
}

TEST(KindsFlow, APlaceIsMedia) {
  Rig rig;
  const Sent sent = send(rig, kId, {content::Location{52.5, 13.4, "Shop", "", {}, false}, {}});
  EXPECT_EQ(sent.type, "media");
  EXPECT_EQ(sent.mediatype, "location");
  EXPECT_EQ(sent.message.locationmessage().degreeslatitude(), 52.5);
  EXPECT_EQ(sent.message.messagecontextinfo().messagesecret().size(), 32U);
}

TEST(KindsFlow, AnEditAndADeletionNameWhatWasSentInThatChat) {
  Rig rig;
  (void)rig.send(rig.job(kId, "Two cakes"));
  const Sent edit = send(rig, kNext, {content::Edit{kId, "Three cakes"}, {}});
  const auto& protocol = edit.message.protocolmessage();
  EXPECT_EQ(protocol.key().id(), kId);
  EXPECT_TRUE(protocol.key().fromme());
  EXPECT_EQ(protocol.key().remotejid(), "200000000000002@lid");
  EXPECT_EQ(protocol.editedmessage().conversation(), "Three cakes");
  EXPECT_EQ(edit.edit, "1");
  EXPECT_TRUE(edit.hidden);
  const Sent deletion = send(rig, "3EB0C0FFEE0000000000AC", {content::Deletion{kId}, {}});
  EXPECT_EQ(deletion.message.protocolmessage().type(), wa::Message::ProtocolMessage::REVOKE);
  EXPECT_EQ(deletion.edit, "7");
}

TEST(KindsFlow, AnEditThatWaitedTooLongFailsInsteadOfBeingDroppedByThePhone) {
  Rig rig;
  rig.clock.on_server_time(rig.clock.now().unix_seconds());
  (void)rig.send(rig.job(kId, "Two cakes"));
  rig.scheduler.advance(minutes(21));
  Job job = rig.job(kNext, "");
  job.content.what = content::Edit{kId, "Three cakes"};
  rig.start_send(job);
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, Kind::rejected);
  EXPECT_NE(rig.outcome->detail.find("20 minutes"), std::string::npos) << rig.outcome->detail;
}

TEST(KindsFlow, WhatALinkedDeviceCannotSendFailsAtOnce) {
  Rig rig;
  Job job = rig.job(kId, "");
  job.content.what = content::Buttons{};
  rig.start_send(job);
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, Kind::rejected);
}

TEST(KindsFlow, AReactionIsToTheirMessageOrToOurs) {
  Rig rig;
  rig.introduce(rig.customer);
  receive(rig, "THEIRS", chat_test::text_message("Is it ready?"));
  Content content{content::Reaction{"\xF0\x9F\x91\x8D"},
                  Quote{"THEIRS", "", "", "textMessage", {}, {}}};
  const Sent theirs = send(rig, kId, content);
  EXPECT_EQ(theirs.type, "reaction");
  EXPECT_FALSE(theirs.message.reactionmessage().key().fromme());
  EXPECT_EQ(theirs.message.reactionmessage().key().id(), "THEIRS");
  (void)rig.send(rig.job(kNext, "Yes"));
  content.quote->id = kNext;
  EXPECT_TRUE(
      send(rig, "3EB0C0FFEE0000000000AC", content).message.reactionmessage().key().fromme());
}

/// The customer's vote, as their phone seals it.
wa::Message vote(const wa::Message& poll, const std::vector<std::string>& options,
                 std::int64_t at_ms, bool by_number) {
  wa::Message::PollVoteMessage chosen;
  for (const std::string& option : options) {
    chosen.add_selectedoptions(std::string(as_text(crypto::sha256(as_bytes(option)))));
  }
  const std::string author = by_number ? "4915550001111@s.whatsapp.net" : "100000000000001@lid";
  const std::string voter = by_number ? "4915550002222@s.whatsapp.net" : "200000000000002@lid";
  const Bytes key = crypto::hkdf_sha256(as_bytes(poll.messagecontextinfo().messagesecret()), {},
                                        as_bytes(kId + author + voter + "Poll Vote"), 32);
  const Bytes iv(12, std::byte{7});
  const std::string associated = kId + std::string(1, '\0') + voter;
  wa::Message message;
  auto& update = *message.mutable_pollupdatemessage();
  update.mutable_pollcreationmessagekey()->set_id(kId);
  update.mutable_pollcreationmessagekey()->set_fromme(false);
  update.mutable_vote()->set_enciv(to_string(iv));
  update.mutable_vote()->set_encpayload(to_string(crypto::aes_gcm_encrypt(
      key, iv, as_bytes(associated), as_bytes(chosen.SerializeAsString()))));
  update.set_sendertimestampms(at_ms);
  return message;
}

TEST(KindsFlow, VotesInAPollOfOursAreReadAlsoAfterARestartAndTheLatestCounts) {
  Rig rig;
  rig.introduce(rig.customer);
  const content::Poll poll{"Pick a day", {"Mon", "Tue"}, false};
  const Sent sent = send(rig, kId, {poll, {}});
  EXPECT_EQ(sent.type, "poll");
  EXPECT_EQ(sent.message.pollcreationmessagev3().name(), "Pick a day");
  rig.scheduler.advance(hours(72));
  rig.restart();
  receive(rig, "V1", vote(sent.message, {"Tue"}, 2'000, false));
  receive(rig, "V2", vote(sent.message, {"Mon"}, 1'000, false));
  receive(rig, "V3", vote(sent.message, {}, 3'000, true));
  const auto told = rig.messages();
  ASSERT_EQ(told.size(), 2U) << "the one in between is older than what is known";
  const auto& first = std::get<content::PollVote>(told[0].content.what);
  EXPECT_EQ(first.poll_id, kId);
  EXPECT_EQ(first.poll, poll);
  EXPECT_EQ(first.chosen, std::vector<std::string>{"Tue"});
  EXPECT_EQ(first.voter, kChat);
  EXPECT_TRUE(std::get<content::PollVote>(told[1].content.what).chosen.empty()) << "withdrawn";
}

TEST(KindsFlow, AVoteThatCannotBeReadIsToldAsSuch) {
  Rig rig;
  rig.introduce(rig.customer);
  const Sent sent = send(rig, kId, {content::Poll{"?", {"Mon", "Tue"}, false}, {}});
  wa::Message forged = vote(sent.message, {"Tue"}, 1, false);
  forged.mutable_pollupdatemessage()->mutable_vote()->mutable_encpayload()->back() ^= 1;
  receive(rig, "V1", forged);
  wa::Message unknown = vote(sent.message, {"Tue"}, 1, false);
  unknown.mutable_pollupdatemessage()->mutable_pollcreationmessagekey()->set_id("ANOTHER");
  receive(rig, "V2", unknown);
  ASSERT_EQ(rig.messages().size(), 2U);
  for (const Message& message : rig.messages()) {
    EXPECT_EQ(std::get<content::Other>(message.content.what).type_name, "pollUpdateMessage");
  }
}

TEST(KindsFlow, TheChatsTimerIsCarriedByWhatWeSend) {
  Rig rig;
  rig.introduce(rig.customer);
  wa::Message setting;
  auto& protocol = *setting.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::EPHEMERAL_SETTING);
  protocol.set_ephemeralexpiration(604'800);
  protocol.set_ephemeralsettingtimestamp(1'790'000'000);
  receive(rig, "T1", setting);
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(std::get<content::Timer>(rig.messages()[0].content.what).seconds, 604'800U);
  const Sent sent = send(rig, kId, {content::Text{"hello", true, {}}, {}});
  EXPECT_EQ(sent.message.extendedtextmessage().text(), "hello");
  EXPECT_EQ(sent.message.extendedtextmessage().contextinfo().expiration(), 604'800U);
  // An older setting that comes late changes nothing; a later one does.
  protocol.set_ephemeralexpiration(86'400);
  protocol.set_ephemeralsettingtimestamp(1'789'999'999);
  receive(rig, "T2", setting);
  EXPECT_EQ(send(rig, kNext, {content::Text{"x", true, {}}, {}})
                .message.extendedtextmessage()
                .contextinfo()
                .expiration(),
            604'800U);
  protocol.set_ephemeralexpiration(0);
  protocol.set_ephemeralsettingtimestamp(1'790'000'001);
  receive(rig, "T3", setting);
  EXPECT_EQ(send(rig, "3EB0C0FFEE0000000000AC", {content::Text{"y", true, {}}, {}})
                .message.conversation(),
            "y");
}

TEST(KindsFlow, WhatCameIsFoundAgainToBePassedOn) {
  Rig rig;
  rig.introduce(rig.customer);
  wa::Message place;
  auto& where = *place.mutable_locationmessage();
  where.set_degreeslatitude(1.5);
  where.set_name("Here");
  where.set_jpegthumbnail(std::string(5'000, 'j'));
  where.mutable_contextinfo()->set_stanzaid("SOMETHING");
  receive(rig, "PLACE", place);
  const auto found = rig.box->earlier().find(kChat, "PLACE");
  ASSERT_TRUE(found && *found);
  EXPECT_FALSE((*found)->from_me);
  ASSERT_TRUE((*found)->content);
  Content content = *(*found)->content;
  EXPECT_LT(content.original.size(), 200U) << "thumbnails are not kept";
  content.forwarded = true;
  content.forwarding_score = 1;
  const Sent sent = send(rig, kId, content);
  EXPECT_EQ(sent.message.locationmessage().name(), "Here");
  EXPECT_TRUE(sent.message.locationmessage().contextinfo().isforwarded());
  EXPECT_FALSE(sent.message.locationmessage().contextinfo().has_stanzaid());

  const auto ours = rig.box->earlier().find(kChat, kId);
  ASSERT_TRUE(ours && *ours);
  EXPECT_TRUE((*ours)->from_me);
  EXPECT_TRUE((*ours)->sent_at);
  EXPECT_FALSE(*rig.box->earlier().find("4915550009999@c.us", kId)) << "another chat's";
  EXPECT_FALSE(*rig.box->earlier().find(kChat, "NEVER"));
}

TEST(KindsFlow, PeopleWhoAreNamedAreNamedByTheirNumbers) {
  Rig rig;
  rig.introduce(rig.customer);
  (void)rig.send(rig.job(kId, "hello"));  // their number and LID are one now
  wa::Message message;
  auto& text = *message.mutable_extendedtextmessage();
  text.set_text("@200000000000002 is me");
  text.mutable_contextinfo()->add_mentionedjid("200000000000002@lid");
  receive(rig, "M1", message);
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(std::get<content::Text>(rig.messages()[0].content.what).body, "@4915550002222 is me");
  EXPECT_EQ(rig.messages()[0].content.mentions, std::vector<std::string>{kChat});
}

TEST(KindsFlow, ATextThatNamesThePersonAsOftenAsItCanIsReadInOnePass) {
  Rig rig;
  rig.introduce(rig.customer);
  wa::Message message;
  auto& text = *message.mutable_extendedtextmessage();
  // A digit more is somebody else; an "@" alone is nobody.
  std::string said = "@2000000000000022 @ ";
  std::string told = said;
  for (int i = 0; i < 50'000; ++i) {
    said += "@200000000000002";
    told += "@4915550002222";
  }
  text.set_text(said);
  for (int i = 0; i < 500; ++i) text.mutable_contextinfo()->add_mentionedjid("200000000000002@lid");
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "IN1", rig.customer.encrypt(message, rig.box_jid)));
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(readable_text(rig.messages()[0].content), told);
}

}  // namespace
}  // namespace posthorn::chat
