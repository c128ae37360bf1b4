#include <algorithm>
#include <optional>

#include "chat/history/history_kit.h"
#include "chat/history/past_reader.h"
#include "posthorn/chat/phone_history.h"

namespace posthorn::chat::chat_test {
namespace {

using Answer = std::optional<Result<std::vector<PastMessage>>>;

constexpr const char* kIda = "4915550002222@c.us";
constexpr const char* kIdaLid = "200000000000002@lid";

/// One message as the phone keeps it.
struct Row {
  std::string id;
  std::int64_t at = 0;
  std::string text = "hello";
  bool from_us = false;
  std::string chat = kIdaLid;
  int status = 0;
};

wa::Message content_of(const std::string& text) {
  wa::Message content;
  content.set_conversation(text);
  return content;
}

FieldWriter item(const Row& row, const wa::Message& content) {
  FieldWriter key, web, out;
  key.text(1, row.chat).number(2, row.from_us ? 1 : 0).text(3, row.id);
  web.message(1, key).bytes(2, as_bytes(content.SerializeAsString()));
  web.number(3, static_cast<std::uint64_t>(row.at));
  if (row.status != 0) web.number(4, static_cast<std::uint64_t>(row.status));
  web.text(19, "Ida");
  out.message(1, web).number(2, 1);
  return out;
}

Bytes sync_of(const std::vector<Row>& rows) {
  FieldWriter chat, history;
  chat.text(1, kIdaLid);
  for (const Row& row : rows) chat.message(2, item(row, content_of(row.text)));
  history.number(1, 6).message(2, chat);
  return history.take();
}

wa::Message answer_to(const std::string& request, ByteView zlib) {
  wa::Message message = inline_history(zlib);
  auto& news = *message.mutable_protocolmessage()->mutable_historysyncnotification();
  news.set_synctype(6);
  news.set_peerdatarequestsessionid(request);
  return message;
}

/// A box whose till asks for what the phone knows of Ida.
class OnDemand : public testing::Test {
 protected:
  OnDemand() {
    // Who is who is known, as of somebody who has written.
    rig.introduce(rig.customer);
    rig.listener().on_message(rig.text_from(rig.customer, "3EB0000000000000NEW1", "good morning"));
    settle();
    rig.line.take_written();
    rig.line.events.clear();
  }

  void settle() {
    for (int i = 0; i < 60; ++i) {
      rig.scheduler.advance(milliseconds(1));
      rig.turn();
    }
  }
  Answer& ask(const std::string& chat = kIda, std::uint32_t count = 50) {
    answers.push_back(std::make_unique<Answer>());
    Answer& answer = *answers.back();
    rig.box->phone_history().older(
        chat, {"3EB0000000000000NEW1", false, Wall::from_unix(kNow)}, count,
        [&answer](Result<std::vector<PastMessage>> result) { answer = std::move(result); });
    settle();
    return answer;
  }
  /// The stanzas that ask, in order.
  std::vector<Node> questions() {
    std::vector<Node> out;
    for (const Node& stanza : rig.written_of("message")) {
      if (stanza.text_attr("category") == "peer") out.push_back(stanza);
    }
    return out;
  }
  std::string question_id() {
    return questions().empty() ? "" : questions().back().text_attr("id");
  }
  int receipts() {
    const auto all = rig.written_of("receipt");
    return static_cast<int>(std::count_if(all.begin(), all.end(), [](const Node& one) {
      return one.text_attr("type") == "hist_sync";
    }));
  }

  std::vector<std::unique_ptr<Answer>> answers;  ///< the box answers at its end, too
  Rig rig;
};

TEST_F(OnDemand, ThePhoneIsAskedAsWhatsAppWebAsksIt) {
  ask(kIda, 20);
  ASSERT_EQ(questions().size(), 1U);
  const Node question = questions().front();
  EXPECT_EQ(question.jid_attr("to"), rig.phone.jid.bare());
  const auto message = rig.phone.decrypt(*question.child("enc"), rig.box_jid);
  ASSERT_TRUE(message);
  const auto& protocol = message->protocolmessage();
  EXPECT_EQ(protocol.type(), wa::Message::ProtocolMessage::PEER_DATA_OPERATION_REQUEST_MESSAGE);
  const auto& request = protocol.peerdataoperationrequestmessage();
  EXPECT_EQ(request.peerdataoperationrequesttype(), wa::Message::HISTORY_SYNC_ON_DEMAND);
  const auto& wanted = request.historysyncondemandrequest();
  EXPECT_EQ(wanted.chatjid(), kIdaLid) << "as the phone keeps it";
  EXPECT_EQ(wanted.oldestmsgid(), "3EB0000000000000NEW1");
  EXPECT_FALSE(wanted.oldestmsgfromme());
  EXPECT_EQ(wanted.ondemandmsgcount(), 20);
  EXPECT_EQ(wanted.oldestmsgtimestampms(), kNow) << "seconds, in spite of its name";
  EXPECT_TRUE(wanted.supportinlineresponse());
}

TEST_F(OnDemand, WhatItAnswersIsHandedOnNewestFirstAndNotKept) {
  const Answer& answer = ask();
  tell(rig,
       answer_to(
           question_id(),
           deflate(sync_of({{"3EB0000000000000OLD1", kNow - 300, "first"},
                            {"3EB0000000000000OLD3", kNow - 100, "third"},
                            {"3EB0000000000000OLD2", kNow - 200, "second", true, kIdaLid, 4}}))),
       "H1");
  ASSERT_TRUE(answer && *answer) << to_string(answer->error());
  const auto& messages = **answer;
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(readable_text(messages[0].message.content), "third");
  EXPECT_EQ(messages[0].message.chat, kIda);
  EXPECT_EQ(messages[0].message.sender, kIda);
  EXPECT_EQ(messages[0].message.sender_name, "Ann") << "as the box knows her";
  EXPECT_EQ(messages[0].message.timestamp.unix_seconds(), kNow - 100);
  EXPECT_EQ(messages[0].fate, PastMessage::Fate::none);
  EXPECT_EQ(messages[1].message.id, "3EB0000000000000OLD2");
  EXPECT_TRUE(messages[1].message.from_me);
  EXPECT_EQ(messages[1].fate, PastMessage::Fate::read);
  EXPECT_EQ(receipts(), 1);
  EXPECT_TRUE(rig.line.events.empty()) << "no news, and nothing of the history";
  const auto kept = rig.box->earlier().find(kIda, "3EB0000000000000OLD1");
  ASSERT_TRUE(kept);
  EXPECT_FALSE(*kept) << "nothing of it is kept";
}

TEST_F(OnDemand, OnlyWhatIsOlderAndOfThatChatIsHandedOn) {
  const Answer& answer = ask();
  tell(rig,
       answer_to(question_id(),
                 deflate(sync_of({{"3EB0000000000000NEW1", kNow, "that one itself"},
                                  {"3EB0000000000000NEW2", kNow + 60, "newer"},
                                  {"3EB0000000000000OLD1", kNow - 60, "older"},
                                  {"3EB0000000000000OLD2", kNow - 60, "somebody else's", false,
                                   "4915550003333@s.whatsapp.net"},
                                  {"", kNow - 60, "without a name"}}))),
       "H1");
  ASSERT_TRUE(answer && *answer);
  ASSERT_EQ((**answer).size(), 1U);
  EXPECT_EQ((**answer)[0].message.id, "3EB0000000000000OLD1");
}

TEST_F(OnDemand, ThePhoneHasNoOlderOnes) {
  const Answer& none = ask();
  FieldWriter empty;
  empty.number(1, 6);
  tell(rig, answer_to(question_id(), deflate(empty.out())), "H1");
  ASSERT_TRUE(none && *none);
  EXPECT_TRUE((**none).empty());

  const Answer& never = ask();
  wa::Message nothing = answer_to(question_id(), {});
  auto& news = *nothing.mutable_protocolmessage()->mutable_historysyncnotification();
  news.set_synctype(7);
  news.clear_initialhistbootstrapinlinepayload();
  tell(rig, nothing, "H2");
  ASSERT_TRUE(never && *never);
  EXPECT_TRUE((**never).empty());
}

TEST_F(OnDemand, APhoneThatIsOffCostsAMinuteAndItsLateAnswerNothing) {
  const Answer& answer = ask();
  const std::string id = question_id();
  rig.scheduler.advance(seconds(59));
  EXPECT_FALSE(answer);
  rig.scheduler.advance(seconds(1));
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().code, Errc::timeout);
  EXPECT_NE(answer->error().detail.find("is it on and online?"), std::string::npos);
  tell(rig, answer_to(id, deflate(sync_of({{"3EB0000000000000OLD1", kNow - 60}}))), "H1");
  EXPECT_EQ(receipts(), 1) << "it would be offered for ever";
  EXPECT_TRUE(rig.line.events.empty());
}

TEST_F(OnDemand, AStrangersAnswerIsNone) {
  const Answer& answer = ask();
  const std::string id = question_id();
  const wa::Message forged = answer_to(
      id, deflate(sync_of({{"3EB0000000000000OLD1", kNow - 60, "pay to another account"}})));
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "H1", rig.customer.encrypt(forged, rig.box_jid)));
  settle();
  EXPECT_FALSE(answer) << "the question is still open";
  EXPECT_EQ(receipts(), 0);
  tell(rig, answer_to(id, deflate(sync_of({{"3EB0000000000000OLD2", kNow - 60, "true"}}))), "H2");
  ASSERT_TRUE(answer && *answer);
  ASSERT_EQ((**answer).size(), 1U);
  EXPECT_EQ(readable_text((**answer)[0].message.content), "true");
}

TEST_F(OnDemand, WhatNobodyAskedForIsNotRead) {
  tell(rig,
       answer_to("3EB0FFFFFFFFFFFFFFFF", deflate(sync_of({{"3EB0000000000000OLD1", kNow - 60}}))),
       "H1");
  EXPECT_EQ(receipts(), 1);
  EXPECT_TRUE(rig.line.events.empty());
  // Nor after a restart: it was not noted.
  rig.restart();
  settle();
  rig.scheduler.advance(seconds(10));
  settle();
  EXPECT_TRUE(rig.line.events.empty());
}

TEST_F(OnDemand, OneQuestionForEachChatAndFourInAll) {
  ask();
  const Answer& again = ask();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->error().code, Errc::busy);
  EXPECT_EQ(questions().size(), 1U);
  for (const char* chat : {"4915550003331@c.us", "4915550003332@c.us", "4915550003333@c.us"}) {
    EXPECT_FALSE(ask(chat)) << chat;
  }
  const Answer& fifth = ask("4915550003334@c.us");
  ASSERT_TRUE(fifth);
  EXPECT_EQ(fifth->error().code, Errc::busy);
  rig.scheduler.advance(seconds(61));
  EXPECT_FALSE(ask()) << "there is room again";
}

TEST_F(OnDemand, WithoutAConnectionNobodyIsAsked) {
  const Answer& open = ask();
  rig.line.is_online = false;
  rig.listener().on_offline({Errc::disconnected, "the line broke"});
  ASSERT_TRUE(open);
  EXPECT_EQ(open->error().code, Errc::disconnected);
  const Answer& offline = ask();
  ASSERT_TRUE(offline);
  EXPECT_EQ(offline->error().code, Errc::disconnected);
  const Answer& nonsense = ask("nobody");
  ASSERT_TRUE(nonsense);
  EXPECT_EQ(nonsense->error().code, Errc::malformed);
}

TEST_F(OnDemand, AnAnswerThatCannotBeReadIsToldInWords) {
  const Answer& answer = ask();
  tell(rig, answer_to(question_id(), to_bytes("no zlib at all")), "H1");
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().code, Errc::refused);
  EXPECT_NE(answer->error().detail.find("cannot be read"), std::string::npos);
  EXPECT_EQ(receipts(), 1);
}

TEST_F(OnDemand, WhatMayBeSeenOnceAndFilesThatNobodyKeepsHaveNoPlace) {
  const Answer& answer = ask();
  wa::Message picture;
  picture.mutable_imagemessage()->set_mimetype("image/jpeg");
  picture.mutable_imagemessage()->set_caption("the cake");
  picture.mutable_imagemessage()->set_filesha256(std::string(32, 'h'));
  wa::Message once;
  once.mutable_viewoncemessage()->mutable_message()->CopyFrom(picture);
  FieldWriter chat, history;
  chat.text(1, kIdaLid);
  chat.message(2, item({"3EB0000000000000OLD1", kNow - 60}, picture));
  chat.message(2, item({"3EB0000000000000OLD2", kNow - 70}, once));
  history.message(2, chat);
  tell(rig, answer_to(question_id(), deflate(history.out())), "H1");
  ASSERT_TRUE(answer && *answer);
  ASSERT_EQ((**answer).size(), 2U);
  const auto& seen = std::get<content::File>((**answer)[0].message.content.what);
  EXPECT_EQ(seen.caption, "the cake");
  EXPECT_TRUE(seen.ref.empty()) << "its link would lead nowhere";
  const auto& hidden = std::get<content::File>((**answer)[1].message.content.what);
  EXPECT_TRUE(hidden.view_once);
  EXPECT_FALSE(hidden.place);
}

TEST(PastReader, TakesNoMoreThanWasAskedForAndNoMoreThanAMegabyte) {
  std::vector<Row> rows;
  for (int i = 0; i < 60; ++i) rows.push_back({"3EB0" + std::to_string(i), kNow - i});
  const Bytes many = deflate(sync_of(rows));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, many.size()}) {
    PastReader reader(50);
    for (std::size_t at = 0; at < many.size(); at += piece) {
      ASSERT_TRUE(reader.add(ByteView(many).subspan(at, std::min(piece, many.size() - at))));
    }
    const auto taken = reader.finish();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->size(), 50U);
  }
  for (Row& row : rows) row.text = std::string(100'000, 'x');
  rows.push_back({"3EB0LONG", kNow, std::string(PastReader::kMostMessage + 1, 'y')});
  PastReader reader(50);
  ASSERT_TRUE(reader.add(deflate(sync_of(rows))));
  const auto taken = reader.finish();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->size(), PastReader::kMostKept / 100'100);
  PastReader short_one(50);
  ASSERT_TRUE(short_one.add(ByteView(many).first(many.size() / 2)));
  EXPECT_FALSE(short_one.finish()) << "it ends too early";
}

}  // namespace
}  // namespace posthorn::chat::chat_test
