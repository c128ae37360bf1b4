#include <gtest/gtest.h>

#include "api/box.h"

namespace posthorn::api::test {
namespace {

constexpr std::int64_t kNow = 1'790'000'000;
const std::string kIda = "4915550007777@c.us";
const std::string kAsk = R"({"chatId":"4915550007777@c.us"})";

chat::Message incoming(const std::string& id, std::int64_t at, Content::What what,
                       const std::string& chat = kIda) {
  chat::Message message;
  message.id = id;
  message.chat = chat;
  message.sender = kIda;
  message.sender_name = "Ida";
  message.timestamp = Wall::from_unix(at);
  message.content.what = std::move(what);
  return message;
}

Job job(const std::string& id, Content::What what) {
  Job one;
  one.id = id;
  one.chat = kIda;
  one.content.what = std::move(what);
  one.accepted_at = Wall::from_unix(kNow - 20);
  return one;
}

class JournalsTest : public ::testing::Test {
 protected:
  JournalsTest() : box(0) { box.keep_journal(); }

  json::Value history() { return box.post("getChatHistory", kAsk)->json(); }
  std::shared_ptr<Answer> get(const std::string& method, const char* name, const char* value) {
    Request request = box.request(Verb::get, Box::path(method));
    request.query = {{name, value}};
    return box.send(std::move(request));
  }
  void hear(const chat::Event& event) { box.recorder->on_event(event); }

  Box box;
};

TEST_F(JournalsTest, TheContractsExampleItemForItem) {
  hear(incoming("3EB0AA11BB22CC33DD44", kNow - 60, content::Text{"Is the cake ready?", true, {}}));
  Job answer = job("3EB0C0FFEE0123456789", content::Text{"Yes, come any time", true, {}});
  box.recorder->on_job(answer);
  box.recorder->on_fate(answer, MessageStatus::sent, Wall::from_unix(kNow - 10));
  chat::Receipt read;
  read.kind = chat::Receipt::Kind::read;
  read.message_id = answer.id;
  read.chat = kIda;
  hear(read);
  const json::Value items = history();
  ASSERT_EQ(items.size(), 2U) << json::write(items);
  EXPECT_EQ(json::write(items[1]),
            R"({"chatId":"4915550007777@c.us","deletedMessageId":"","editedMessageId":"",)"
            R"("idMessage":"3EB0AA11BB22CC33DD44","isDeleted":false,"isEdited":false,)"
            R"("senderContactName":"","senderId":"4915550007777@c.us","senderName":"Ida",)"
            R"("textMessage":"Is the cake ready?","timestamp":1789999940,"type":"incoming",)"
            R"("typeMessage":"textMessage"})");
  EXPECT_EQ(items[0]["type"], "outgoing");
  EXPECT_EQ(items[0]["textMessage"], "Yes, come any time");
  EXPECT_EQ(items[0]["extendedTextMessage"]["text"], "Yes, come any time");
  EXPECT_EQ(items[0]["statusMessage"], "read");
  EXPECT_EQ(items[0]["sendByApi"], true);
  EXPECT_EQ(items[0]["timestamp"], kNow - 10);
}

TEST_F(JournalsTest, AnEmptyListIsAnEmptyListWhateverIsAsked) {
  EXPECT_EQ(box.post("getChatHistory", kAsk)->text(), "[]");
  for (const char* method : {"lastIncomingMessages", "lastOutgoingMessages", "lastIncomingCalls",
                             "lastOutgoingCalls", "getIncomingStatuses", "getOutgoingStatuses"}) {
    EXPECT_EQ(box.get(method)->text(), "[]") << method;
    EXPECT_EQ(get(method, "minutes", "")->text(), "[]") << method;
    EXPECT_EQ(get(method, "minutes", "nonsense")->status(), 200) << method;
  }
  EXPECT_EQ(box.post("getChatHistory", "{}")->status(), 400);
  EXPECT_EQ(box.post("getChatHistory", R"({"chatId":"4915550007777@c.us","count":0})")->text(),
            "[]");
}

TEST_F(JournalsTest, CountIsKeptToAndAHundredIsUsual) {
  for (int i = 0; i < 150; ++i) {
    hear(incoming("3EB000000000000000" + std::to_string(1000 + i), kNow - 200 + i,
                  content::Text{std::to_string(i), true, {}}));
  }
  EXPECT_EQ(history().size(), 100U);
  const auto three = box.post("getChatHistory", R"({"chatId":"4915550007777@c.us","count":3})");
  ASSERT_EQ(three->json().size(), 3U);
  EXPECT_EQ(three->json()[0]["textMessage"], "149");
  EXPECT_EQ(
      box.post("getChatHistory", R"({"chatId":"4915550007777@c.us","count":1000})")->json().size(),
      150U);
}

TEST_F(JournalsTest, MinutesBoundTheLists) {
  hear(incoming("3EB0000000000000OLD1", kNow - 3600, content::Text{"old", true, {}}));
  hear(incoming("3EB0000000000000NEW1", kNow - 60, content::Text{"new", true, {}}));
  EXPECT_EQ(box.get("lastIncomingMessages")->json().size(), 2U);
  EXPECT_EQ(get("lastIncomingMessages", "minutes", "10")->json().size(), 1U);
  // Python's asynchronous client and go-v2 say it in a body.
  EXPECT_EQ(box.call(Verb::get, "lastIncomingMessages", R"({"minutes":10})")->json().size(), 1U);
  EXPECT_EQ(box.get("lastOutgoingMessages")->text(), "[]");
}

TEST_F(JournalsTest, OneMessageById) {
  hear(incoming("3EB0AA11BB22CC33DD44", kNow, content::Text{"Hello", true, {}}));
  const std::string asked = R"({"chatId":"4915550007777@c.us","idMessage":")";
  EXPECT_EQ(box.post("getMessage", asked + R"(3EB0AA11BB22CC33DD44"})")->json()["textMessage"],
            "Hello");
  auto none = box.post("getMessage", asked + R"(3EB0AA11BB22CC33DD45"})");
  EXPECT_EQ(none->status(), 400);
  EXPECT_EQ(none->message(), "ID message notfound");
  none = box.post("getMessage",
                  R"({"chatId":"4915550000000@c.us","idMessage":"3EB0AA11BB22CC33DD44"})");
  EXPECT_EQ(none->message(), "chatId not found");
  EXPECT_EQ(box.post("getMessage", kAsk)->status(), 400);
}

TEST_F(JournalsTest, EditsAndDeletionsAreApplied) {
  hear(incoming("3EB0AA11BB22CC33DD44", kNow - 9, content::Text{"Two cakes", true, {}}));
  hear(incoming("3EB0AA11BB22CC33DD45", kNow - 8,
                content::Edit{"3EB0AA11BB22CC33DD44", "Three cakes"}));
  json::Value items = history();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[1]["textMessage"], "Three cakes");
  EXPECT_EQ(items[1]["isEdited"], true);
  EXPECT_EQ(items[0]["typeMessage"], "editedMessage");
  EXPECT_EQ(items[0]["editedMessageId"], "3EB0AA11BB22CC33DD44");
  hear(incoming("3EB0AA11BB22CC33DD46", kNow - 7, content::Deletion{"3EB0AA11BB22CC33DD44"}));
  items = history();
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[2]["isDeleted"], true);
  EXPECT_EQ(items[2]["typeMessage"], "textMessage");
  EXPECT_FALSE(items[2].isMember("textMessage")) << json::write(items[2]);
  EXPECT_EQ(items[2]["senderId"], kIda);
  EXPECT_EQ(items[0]["deletedMessageId"], "3EB0AA11BB22CC33DD44");
}

TEST_F(JournalsTest, AnEditOfOursCountsOnceItWasSent) {
  const Job first = job("3EB0C0FFEE0123456789", content::Text{"At six", true, {}});
  box.recorder->on_job(first);
  box.recorder->on_fate(first, MessageStatus::sent, Wall::from_unix(kNow - 10));
  const Job edit = job("3EB0C0FFEE0123456790", content::Edit{first.id, "At seven"});
  box.recorder->on_job(edit);
  const std::string ask = R"({"chatId":"4915550007777@c.us","idMessage":"3EB0C0FFEE0123456789"})";
  EXPECT_EQ(box.post("getMessage", ask)->json()["textMessage"], "At six");
  box.recorder->on_fate(edit, MessageStatus::sent, Wall::from_unix(kNow - 5));
  EXPECT_EQ(box.post("getMessage", ask)->json()["textMessage"], "At seven");
}

TEST_F(JournalsTest, EveryKindHasItsMembers) {
  content::File file;
  file.kind = content::File::Kind::image;
  file.caption = "Like this one";
  file.mime = "image/jpeg";
  hear(incoming("3EB0000000000000000A", kNow - 9, file));
  hear(incoming("3EB0000000000000000B", kNow - 8,
                content::Location{52.5, 13.4, "Shop", "Alexanderplatz 1", {}, false}));
  hear(incoming("3EB0000000000000000C", kNow - 7,
                content::Contacts{{{"Vera", "BEGIN:VCARD"}}, false}));
  hear(incoming("3EB0000000000000000D", kNow - 6,
                content::Contacts{{{"Vera", "V"}, {"Otto", "O"}}, true}));
  hear(incoming("3EB0000000000000000E", kNow - 5, content::Poll{"Pick a day", {"Mon", "Tue"}}));
  chat::Message reaction =
      incoming("3EB0000000000000000F", kNow - 4, content::Reaction{"\xF0\x9F\x91\x8D"});
  reaction.content.quote =
      Quote{"3EB0C0FFEE0123456789", "4915550001234@c.us", "", "textMessage", {}, {}};
  hear(reaction);
  chat::Message reply =
      incoming("3EB00000000000000010", kNow - 3, content::Text{"Yes please", true, {}});
  reply.content.quote = reaction.content.quote;
  reply.content.quote->text = "Shall I?";
  hear(reply);
  const json::Value items = history();
  ASSERT_EQ(items.size(), 7U);
  EXPECT_EQ(items[6]["typeMessage"], "imageMessage");
  EXPECT_EQ(items[6]["caption"], "Like this one");
  EXPECT_EQ(items[6]["mimeType"], "image/jpeg");
  EXPECT_EQ(items[6]["isForwarded"], false);
  EXPECT_TRUE(items[6].isMember("downloadUrl"));
  EXPECT_EQ(items[5]["location"]["nameLocation"], "Shop");
  EXPECT_EQ(items[4]["contact"]["displayName"], "Vera");
  EXPECT_EQ(items[3]["contacts"][1]["displayName"], "Otto");
  EXPECT_EQ(items[2]["pollMessageData"]["options"][1]["optionName"], "Tue");
  EXPECT_EQ(items[1]["quotedMessage"]["stanzaId"], "3EB0C0FFEE0123456789");
  EXPECT_EQ(items[0]["typeMessage"], "quotedMessage");
  EXPECT_EQ(items[0]["textMessage"], "Yes please");
  EXPECT_EQ(items[0]["extendedTextMessage"]["stanzaId"], "3EB0C0FFEE0123456789");
  EXPECT_EQ(items[0]["quotedMessage"]["textMessage"], "Shall I?");
}

TEST_F(JournalsTest, CallsStandApartAndEndOnce) {
  chat::Call call;
  call.id = "4A1F00AA22BB44CC66DD";
  call.chat = kIda;
  call.timestamp = Wall::from_unix(kNow - 60);
  hear(call);
  call.status = chat::Call::Status::declined;
  hear(call);
  call.status = chat::Call::Status::hung_up;
  hear(call);
  const json::Value calls = box.get("lastIncomingCalls")->json();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(json::write(calls[0]),
            R"({"chatId":"4915550007777@c.us","idMessage":"4A1F00AA22BB44CC66DD",)"
            R"("isGroup":false,"isVideo":false,"status":"declined","timestamp":1789999940,)"
            R"("type":"incoming","typeMessage":"incomingCall"})");
  EXPECT_EQ(history().size(), 0U);
  EXPECT_EQ(box.get("lastIncomingMessages")->text(), "[]");
}

TEST_F(JournalsTest, StoriesHaveListsOfTheirOwn) {
  hear(incoming("3EB0000000000000000A", kNow - 9, content::Text{"Fresh bread", true, {}},
                "status@broadcast"));
  EXPECT_EQ(box.get("getIncomingStatuses")->json()[0]["textMessage"], "Fresh bread");
  EXPECT_EQ(box.get("getIncomingStatuses")->json()[0]["chatId"], "status@broadcast");
  EXPECT_EQ(box.get("getOutgoingStatuses")->text(), "[]");
  EXPECT_EQ(box.get("lastIncomingMessages")->text(), "[]");
}

TEST_F(JournalsTest, ATextStatusShowsHowItLooks) {
  content::Text bread{"Fresh bread", false, {}};
  bread.style = content::TextStyle{0xFF22'8B22, 1};
  Job ours = job("3EB0C0FFEE0123456789", bread);
  ours.chat = "status@broadcast";
  ours.audience = {kIda};
  box.recorder->on_job(ours);
  json::Value item = box.get("getOutgoingStatuses")->json()[0];
  EXPECT_EQ(item["typeMessage"], "extendedTextMessage");
  EXPECT_EQ(item["textMessage"], "Fresh bread");
  EXPECT_EQ(item["extendedTextMessage"]["text"], "Fresh bread");
  EXPECT_EQ(item["extendedTextMessage"]["backgroundColor"], "#228B22");
  EXPECT_EQ(item["extendedTextMessage"]["font"], "SERIF");
  EXPECT_EQ(item["extendedTextMessage"]["participants"][0], kIda);
  // One that came in; WhatsApp's newer fonts have no word here.
  content::Text theirs{"Closed today", true, content::Preview{}};
  theirs.style = content::TextStyle{0xFF00'0000, 9};
  hear(incoming("3EB0000000000000000B", kNow - 9, theirs, "status@broadcast"));
  item = box.get("getIncomingStatuses")->json()[0];
  EXPECT_EQ(item["extendedTextMessage"]["backgroundColor"], "#000000");
  EXPECT_EQ(item["extendedTextMessage"]["font"], "SANS_SERIF");
  EXPECT_TRUE(item["extendedTextMessage"]["participants"].empty());
  // Elsewhere such members would be a surprise.
  hear(incoming("3EB0000000000000000C", kNow - 8, theirs));
  EXPECT_FALSE(history()[0]["extendedTextMessage"].isMember("font"));
}

TEST_F(JournalsTest, StatusesAreAChatToRead) {
  hear(incoming("3EB0000000000000000A", kNow - 9, content::Text{"Fresh bread", true, {}},
                "status@broadcast"));
  const std::string chat = R"({"chatId":"status@broadcast")";
  EXPECT_EQ(box.post("getChatHistory", chat + "}")->json()[0]["textMessage"], "Fresh bread");
  EXPECT_EQ(
      box.post("getMessage", chat + R"(,"idMessage":"3EB0000000000000000A"})")->json()["chatId"],
      "status@broadcast");
  EXPECT_EQ(box.post("sendMessage", chat + R"(,"message":"x"})")->status(), 400);
}

TEST_F(JournalsTest, AReplyOfOursShowsWhatItAnswers) {
  box.recorder = std::make_unique<Recorder>(Recorder::Outside{
      *box.journal_file->journal, {}, [](const Job& asking) -> std::optional<Quote> {
        return Quote{asking.content.quote->id, kIda, "Shall I come?", "textMessage", {}, {}};
      }});
  Job reply = job("3EB0C0FFEE0123456789", content::Text{"Yes", true, {}});
  reply.content.quote.emplace().id = "3EB0AA11BB22CC33DD44";
  box.recorder->on_job(reply);
  EXPECT_EQ(history()[0]["quotedMessage"]["textMessage"], "Shall I come?");
  EXPECT_EQ(history()[0]["quotedMessage"]["participant"], kIda);
  reply.content.what = content::Text{"No", true, {}};
  box.recorder->on_replaced(reply);
  EXPECT_EQ(history()[0]["textMessage"], "No");
  EXPECT_EQ(history()[0]["quotedMessage"]["textMessage"], "Shall I come?");
}

TEST_F(JournalsTest, TheTillsOwnNumberFindsItsMessage) {
  Job order = job("3EB0C0FFEE0123456789", content::Text{"Order 118 is ready", true, {}});
  order.external_id = "order-118";
  box.recorder->on_job(order);
  hear(incoming("3EB0AA11BB22CC33DD44", kNow, content::Text{"Hello", true, {}}));
  EXPECT_EQ(box.post("getMessage", R"({"externalId":"order-118"})")->json()["idMessage"], order.id);
  EXPECT_EQ(box.post("getChatHistory", R"({"externalId":"order-118"})")->json().size(), 1U);
  EXPECT_EQ(get("lastOutgoingMessages", "externalId", "order-118")->json()[0]["externalId"],
            "order-118");
  EXPECT_EQ(box.post("getMessage", R"({"externalId":"order-119"})")->status(), 400);
  EXPECT_EQ(box.recorder->external_id_of(kIda, order.id), "order-118");
  EXPECT_EQ(box.recorder->external_id_of(kIda, "3EB0AA11BB22CC33DD44"), "");
}

TEST_F(JournalsTest, WhatIsTakenBackIsNotShown) {
  const Job first = job("3EB0C0FFEE0123456789", content::Text{"At six", true, {}});
  box.recorder->on_job(first);
  EXPECT_EQ(history()[0]["statusMessage"], "pending");
  Job other = first;
  other.content.what = content::Text{"At seven", true, {}};
  box.recorder->on_replaced(other);
  EXPECT_EQ(history()[0]["textMessage"], "At seven");
  box.recorder->on_dropped(first);
  EXPECT_EQ(history().size(), 0U);
}

/// It waits for the next commit, and what follows shares its write; what a cut takes, the rings
/// have.
TEST_F(JournalsTest, AMessageAndWhatBecameOfItAreOneWriteThatWaitsForTheNextCommit) {
  const auto commits = [this] { return box.journal_file->database->commits(); };
  const auto before = commits();
  const Job one = job("3EB0C0FFEE0123456789", content::Text{"At six", true, {}});
  box.recorder->on_job(one);
  box.recorder->on_fate(one, MessageStatus::sent, Wall::from_unix(kNow));
  chat::Receipt receipt;
  receipt.message_id = one.id;
  receipt.chat = kIda;
  for (const auto kind : {chat::Receipt::Kind::delivered, chat::Receipt::Kind::read}) {
    receipt.kind = kind;
    hear(receipt);
  }
  store::Database& database = *box.journal_file->database;
  const auto changes = [&database] {
    store::Statement total(database, "SELECT total_changes()");
    store::Query query = total.query();
    return query.next() ? query.integer(0) : -1;
  };
  const std::int64_t unchanged = changes();
  box.scheduler.advance(seconds(6));
  // The row, its chat's row and what the chat has.
  EXPECT_LE(changes() - unchanged, 3);
  EXPECT_EQ(commits(), before);
  EXPECT_EQ(history()[0]["statusMessage"], "read");
  ASSERT_TRUE(database.write_group());
  EXPECT_EQ(commits(), before + 1);
}

/// The rings have what the journal lost; told again it changes nothing that is there.
TEST_F(JournalsTest, APowerCutsGapIsFilledFromTheRings) {
  const chat::Message message =
      incoming("3EB0AA11BB22CC33DD44", kNow, content::Text{"Hello", true, {}});
  const Settings settings;
  const Instance instance{kId, "4915550001234@c.us", "Shop"};
  const auto told = to_notification(chat::Event(message), settings, instance);
  ASSERT_TRUE(told);
  box.recorder->catch_up(json::write(*told));
  ASSERT_EQ(history().size(), 1U);
  const json::Value caught = history()[0];
  hear(message);
  box.recorder->catch_up(json::write(*told));
  ASSERT_EQ(history().size(), 1U);
  EXPECT_EQ(history()[0], caught);
  EXPECT_EQ(caught["textMessage"], "Hello");
  EXPECT_EQ(caught["senderName"], "Ida");

  const Job sent = job("3EB0C0FFEE0123456789", content::Text{"One", true, {}});
  const Job gone = job("3EB0C0FFEE0123456790", content::Text{"Two", true, {}});
  const Job waits = job("3EB0C0FFEE0123456791", content::Text{"Three", true, {}});
  for (const Job& one : {sent, gone, waits}) box.recorder->on_job(one);
  box.recorder->flush();
  Recorder next({*box.journal_file->journal, {}});
  next.on_job(waits);
  next.settle([&](const std::string&, const std::string& id) { return id == sent.id; });
  std::map<std::string, std::string> statuses;
  for (const json::Value& item : history()) {
    statuses[item["idMessage"].asString()] = item["statusMessage"].asString();
  }
  EXPECT_EQ(statuses[sent.id], "sent");
  EXPECT_EQ(statuses[gone.id], "failed");
  EXPECT_EQ(statuses[waits.id], "pending");
}

TEST_F(JournalsTest, AChangeOfAMessageIsItsAuthors) {
  const std::string group = "120363000000000001@g.us";
  Job ours = job("3EB0C0FFEE0123456789", content::Text{"Ten euros", true, {}});
  box.recorder->on_job(ours);
  box.recorder->on_fate(ours, MessageStatus::sent, Wall::from_unix(kNow - 10));
  hear(incoming("3EB0AA11BB22CC33DD01", kNow - 9, content::Edit{ours.id, "One euro"}));
  hear(incoming("3EB0AA11BB22CC33DD02", kNow - 8, content::Deletion{ours.id}));
  hear(incoming("3EB0AA11BB22CC33DD03", kNow - 7, content::Text{"Two cakes", true, {}}, group));
  chat::Message otto = incoming("3EB0AA11BB22CC33DD04", kNow - 6,
                                content::Edit{"3EB0AA11BB22CC33DD03", "Ninety cakes"}, group);
  otto.sender = "4915550008888@c.us";
  hear(otto);
  const auto text_of = [&](const std::string& chat, const std::string& id) {
    return box.post("getMessage", R"({"chatId":")" + chat + R"(","idMessage":")" + id + "\"}")
        ->json();
  };
  EXPECT_EQ(text_of(kIda, ours.id)["textMessage"], "Ten euros");
  EXPECT_EQ(text_of(kIda, ours.id)["isDeleted"], false);
  EXPECT_EQ(text_of(group, "3EB0AA11BB22CC33DD03")["textMessage"], "Two cakes");
  otto.sender = kIda;
  otto.id = "3EB0AA11BB22CC33DD05";
  hear(otto);
  EXPECT_EQ(text_of(group, "3EB0AA11BB22CC33DD03")["textMessage"], "Ninety cakes");
  chat::Message deletion =
      incoming("3EB0AA11BB22CC33DD06", kNow - 5, content::Deletion{"3EB0AA11BB22CC33DD03"}, group);
  deletion.sender = "4915550008888@c.us";
  hear(deletion);
  EXPECT_EQ(text_of(group, "3EB0AA11BB22CC33DD03")["isDeleted"], false);
  deletion.id = "3EB0AA11BB22CC33DD07";
  deletion.by_admin = true;
  hear(deletion);
  EXPECT_EQ(text_of(group, "3EB0AA11BB22CC33DD03")["isDeleted"], true);
}

/// What was sent in the moments that a cut took from the database too.
TEST_F(JournalsTest, AJobThatIsDoneIsWrittenAgainAsItWasTold) {
  const Job sent = job("3EB0C0FFEE0123456789", content::Text{"One", true, {}});
  const Job failed = job("3EB0C0FFEE0123456790", content::Text{"Two", true, {}});
  const Job known = job("3EB0C0FFEE0123456791", content::Text{"Three", true, {}});
  box.recorder->on_job(known);
  box.recorder->on_fate(known, MessageStatus::no_account, Wall::from_unix(kNow));
  box.recorder->flush();
  Recorder next({*box.journal_file->journal, {}});
  for (const Job& one : {sent, failed, known}) next.catch_up(one);
  next.catch_up(R"({"typeWebhook":"outgoingMessageStatus","idMessage":")" + failed.id +
                R"(","chatId":")" + failed.chat + R"(","status":"failed"})");
  next.settle([](const std::string&, const std::string&) { return false; });
  std::map<std::string, std::string> statuses;
  for (const json::Value& item : history()) {
    statuses[item["idMessage"].asString()] = item["statusMessage"].asString();
  }
  EXPECT_EQ(statuses[sent.id], "sent");
  EXPECT_EQ(statuses[failed.id], "failed");
  EXPECT_EQ(statuses[known.id], "noAccount");
}

TEST(NoJournal, IsSaidInWords) {
  Box box(0);
  const auto answer = box.post("getChatHistory", kAsk);
  EXPECT_EQ(answer->status(), 400);
  EXPECT_NE(answer->message().find("keeps no journal"), std::string::npos);
}

TEST(ExternalId, GoesWithTheJobAndIsBounded) {
  Box box(0);
  EXPECT_EQ(box.post("sendMessage",
                     R"({"chatId":"4915550007777@c.us","message":"Hi","externalId":"A-1"})")
                ->status(),
            200);
  ASSERT_EQ(box.outbox.views.size(), 1U);
  EXPECT_EQ(box.outbox.views[0].job.external_id, "A-1");
  EXPECT_EQ(decode_job(encode_job(box.outbox.views[0].job))->external_id, "A-1");
  const std::string longer(129, 'x');
  EXPECT_EQ(
      box.post("sendMessage",
               R"({"chatId":"4915550007777@c.us","message":"Hi","externalId":")" + longer + "\"}")
          ->status(),
      400);
}

}  // namespace
}  // namespace posthorn::api::test
