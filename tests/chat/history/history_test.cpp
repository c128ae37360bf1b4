#include <gtest/gtest.h>

#include "chat/history/history_kit.h"
#include "chat/history/reader.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/people_store.h"
#include "posthorn/wire/fields.h"
#include "support/vectors.h"

namespace posthorn::chat::chat_test {
namespace {

std::vector<PastChat> told(const Rig& rig) {
  std::vector<PastChat> all;
  for (const Event& event : rig.line.events) {
    if (const auto* past = std::get_if<PastChats>(&event))
      all.insert(all.end(), past->chats.begin(), past->chats.end());
  }
  return all;
}

TEST(History, TheVectorGivesWhatItSays) {
  const auto vectors = posthorn::test::load_vectors("history-sync.json");
  const auto zlib = hex_decode(json::string_at(vectors, "zlib").value_or(""));
  ASSERT_TRUE(zlib);
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, zlib->size()}) {
    HistoryReader reader;
    for (std::size_t at = 0; at < zlib->size(); at += size) {
      ASSERT_TRUE(reader.add(ByteView(*zlib).subspan(at, std::min(size, zlib->size() - at))));
    }
    const auto digest = reader.finish();
    ASSERT_TRUE(digest);
    const auto& expect = vectors["expect"];
    ASSERT_EQ(digest->conversations.size(), 1U);
    const auto& chat = digest->conversations[0];
    const auto& token = expect["trustedToken"];
    EXPECT_EQ(chat.id, token["jid"].asString());
    EXPECT_EQ(hex_encode(chat.token), token["token"].asString());
    EXPECT_EQ(chat.token_at, token["timestamp"].asInt64());
    EXPECT_EQ(chat.token_issued_at, token["senderTimestamp"].asInt64());
    ASSERT_EQ(digest->same.size(), 1U);
    EXPECT_EQ(digest->same[0].first, expect["lidMappings"][0][0].asString());
    EXPECT_EQ(digest->same[0].second, expect["lidMappings"][0][1].asString());
    ASSERT_EQ(digest->names.size(), 1U) << "\"-\" is no name";
    EXPECT_EQ(digest->names[0].name, "Maria");
    EXPECT_EQ(hex_encode(digest->salt), expect["nctSalt"].asString());
    EXPECT_EQ(digest->messages, 1U);
  }
}

TEST(History, WhoWroteAndWhoGotHowMuchIsToldAndKept) {
  Rig rig;
  FieldWriter history, same, name, token_chat;
  token_chat =
      conversation("200000000000002@lid", {kNow - 500, kNow - 900}, {kNow - 400, kNow - 600});
  token_chat.bytes(21, to_bytes("their token"))
      .number(22, static_cast<std::uint64_t>(kNow - 86'400));
  history.number(1, 0).message(2, token_chat);
  history.message(2, conversation("4915550003333@s.whatsapp.net", {}, {kNow - 10, kNow - 20}));
  FieldWriter group = conversation("120363000000000001@g.us", {kNow - 50}, {});
  group.text(13, "Bakers").number(31, static_cast<std::uint64_t>(kNow - 9'000'000));
  history.message(2, group);
  same.text(1, "4915550002222@s.whatsapp.net").text(2, "200000000000002@lid");
  name.text(1, "4915550002222@s.whatsapp.net").text(2, "Ida");
  history.message(15, same).message(7, name);
  tell(rig, inline_history(deflate(history.out())), "H1");

  const auto chats = told(rig);
  ASSERT_EQ(chats.size(), 3U);
  EXPECT_EQ(chats[0].chat, "4915550002222@c.us") << "the number that the LID leads to";
  EXPECT_EQ(chats[0].wrote->unix_seconds(), kNow - 500);
  EXPECT_EQ(chats[0].written->unix_seconds(), kNow - 400);
  EXPECT_EQ(chats[0].unanswered, 1U);
  EXPECT_FALSE(chats[1].wrote);
  EXPECT_EQ(chats[1].unanswered, 2U);
  EXPECT_EQ(chats[2].member_since->unix_seconds(), kNow - 9'000'000);
  EXPECT_TRUE(was_receipted(rig));
  EXPECT_TRUE(rig.messages().empty()) << "what was said long ago is no news";

  auto people = store::PeopleStore::open(rig.store->database());
  ASSERT_TRUE(people);
  EXPECT_EQ((*(*people)->chat("120363000000000001@g.us"))->name, "Bakers");
  std::vector<std::string> listed;
  ASSERT_TRUE(rig.box->contacts().each_chat(10, [&](const ListedChat& chat) {
    listed.push_back(std::string(chat.chat) + " " + std::string(chat.name));
  }));
  EXPECT_EQ(listed,
            (std::vector<std::string>{"4915550003333@c.us ", "120363000000000001@g.us Bakers",
                                      "4915550002222@c.us Ida"}))
      << "the newest first, each under the name that the till knows";
  // The token goes with the first text.
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AA", "hello"));
  const auto sent = rig.written_of("message");
  ASSERT_FALSE(sent.empty());
  const Node* token = sent.back().child("tctoken");
  ASSERT_NE(token, nullptr);
  EXPECT_EQ(as_text(token->bytes()), "their token");
}

TEST(History, AnAnnouncedFileOutlivesARestartAndTheReceiptWaitsForIt) {
  Rig rig;
  FieldWriter history;
  history.message(2, conversation("4915550003333@s.whatsapp.net", {kNow - 30}, {}));
  rig.line.sink = FakeLine::Sink::fails;  // nowhere to keep what it says
  tell(rig, inline_history(deflate(history.out())), "H1");
  EXPECT_FALSE(was_receipted(rig));
  rig.line.sink = FakeLine::Sink::stores;
  rig.line.events.clear();
  rig.restart();
  rig.scheduler.advance(milliseconds(6'000));
  for (int i = 0; i < 20; ++i) {
    rig.scheduler.advance(milliseconds(1));
    rig.turn();
  }
  EXPECT_EQ(told(rig).size(), 1U);
  EXPECT_TRUE(was_receipted(rig));
}

TEST(History, OdditiesCostNothing) {
  Rig rig;
  tell(rig, inline_history(to_bytes("no zlib at all")), "H1");
  EXPECT_TRUE(was_receipted(rig)) << "it would be offered for ever";
  EXPECT_TRUE(told(rig).empty());
  // From anybody but our own devices it is no history.
  rig.introduce(rig.customer);
  FieldWriter history;
  history.message(2, conversation("4915550003333@s.whatsapp.net", {kNow}, {}));
  rig.line.take_written();
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "H2",
                      rig.customer.encrypt(inline_history(deflate(history.out())), rig.box_jid)));
  for (int i = 0; i < 20; ++i) rig.turn();
  EXPECT_TRUE(told(rig).empty());
  EXPECT_FALSE(was_receipted(rig));
}

TEST(History, NothingOfAHugeFileStaysInMemory) {
  // 40,000 chats and a message of 1 MB: more than is kept of one file, and far more than a field.
  FieldWriter history;
  history.message(2, [] {
    FieldWriter chat;
    chat.text(1, "4915550003333@s.whatsapp.net").message(2, message(kNow, false, 1 << 20));
    return chat;
  }());
  for (int i = 0; i < 40'000; ++i) {
    history.message(
        2, conversation(std::to_string(4915550100000 + i) + "@s.whatsapp.net", {kNow - i}, {}));
  }
  const Bytes zlib = deflate(history.out());
  HistoryReader reader;
  for (std::size_t at = 0; at < zlib.size(); at += 16'384) {
    ASSERT_TRUE(
        reader.add(ByteView(zlib).subspan(at, std::min<std::size_t>(16'384, zlib.size() - at))));
  }
  const auto digest = reader.finish();
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->messages, 40'001U);
  EXPECT_TRUE(digest->cut);
  EXPECT_LE(digest->bytes, HistoryReader::kMostKept);
  EXPECT_GT(digest->conversations.size(), 5'000U);
  EXPECT_EQ(digest->conversations[0].heard_at, kNow);
}

}  // namespace
}  // namespace posthorn::chat::chat_test
