#include "posthorn/store/message_store.h"

#include <gtest/gtest.h>

#include "store/temporary_folder.h"

namespace posthorn::store {
namespace {

const Wall kNow = Wall::from_unix(1'790'000'000);

class MessageStoreTest : public ::testing::Test {
 protected:
  void open(Wall now = kNow) {
    messages_.reset();
    database_.reset();
    auto database = Database::open(folder_ / "messages.db", {});
    ASSERT_TRUE(database);
    database_ = std::move(*database);
    auto messages = MessageStore::open(*database_, now);
    ASSERT_TRUE(messages);
    messages_ = std::move(*messages);
  }
  void SetUp() override { open(); }

  MessageStore::Sent sent(const std::string& id, Wall at = kNow, std::size_t bytes = 10) {
    MessageStore::Sent message;
    message.id = id;
    message.chat = "2@lid";
    message.message = Bytes(bytes, std::byte{1});
    message.at = at;
    return message;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<MessageStore> messages_;
};

TEST_F(MessageStoreTest, NamesAreOneToOneAndTheNewestWins) {
  EXPECT_TRUE(*messages_->save_name("111", "901"));
  EXPECT_FALSE(*messages_->save_name("111", "901"));
  EXPECT_EQ(*messages_->lid_of("111"), "901");
  EXPECT_EQ(*messages_->pn_of("901"), "111");
  EXPECT_TRUE(*messages_->save_name("222", "901"));  // the LID goes to another number
  EXPECT_EQ(*messages_->pn_of("901"), "222");
  EXPECT_FALSE(messages_->lid_of("111")->has_value());
}

TEST_F(MessageStoreTest, SeenMessagesSurviveARestartForTwoWeeks) {
  const auto old_key = MessageStore::seen_key("2@lid", "A", "2@lid");
  const auto new_key = MessageStore::seen_key("2@lid", "B", "2@lid");
  EXPECT_NE(old_key, new_key);
  EXPECT_NE(old_key, MessageStore::seen_key("2@lid", "A", "3@lid"));
  ASSERT_TRUE(messages_->save_seen(old_key, kNow));
  ASSERT_TRUE(messages_->save_seen(new_key, kNow + hours(14 * 24)));
  open(kNow + hours(13 * 24));
  EXPECT_TRUE(messages_->was_seen(old_key));
  open(kNow + hours(14 * 24 + 1));
  EXPECT_FALSE(messages_->was_seen(old_key));
  EXPECT_TRUE(messages_->was_seen(new_key));
}

TEST_F(MessageStoreTest, KnowsEveryOneOfManyMessages) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15U;  // spreads them, wrapping around
  for (std::uint64_t i = 1; i <= 1500; ++i) {
    ASSERT_FALSE(messages_->was_seen(i * kOdd)) << i;
    ASSERT_TRUE(messages_->save_seen(i * kOdd, kNow));
  }
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t i = 1; i <= 1500; ++i) {
      ASSERT_TRUE(messages_->was_seen(i * kOdd)) << i;
      ASSERT_FALSE(messages_->was_seen(i * kOdd + 1)) << i;
    }
    open();
  }
  ASSERT_TRUE(messages_->clear());
  EXPECT_FALSE(messages_->was_seen(kOdd));
}

TEST_F(MessageStoreTest, AClockThatOnlyGuessesMakesNothingOld) {
  const auto key = MessageStore::seen_key("2@lid", "A", "2@lid");
  ASSERT_TRUE(messages_->save_seen(key, kNow));
  ASSERT_TRUE(messages_->save_sent(sent("S")));
  open(Wall::from_unix(4'000'000'000, false));
  EXPECT_TRUE(messages_->was_seen(key));
  EXPECT_TRUE(messages_->sent("S")->has_value());
}

TEST_F(MessageStoreTest, WhatARolledBackTransactionSawIsForgottenOnReload) {
  const auto key = MessageStore::seen_key("2@lid", "A", "2@lid");
  {
    auto transaction = database_->begin();
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(messages_->save_seen(key, kNow));
    EXPECT_TRUE(messages_->was_seen(key));
  }
  ASSERT_TRUE(messages_->reload_seen());
  EXPECT_FALSE(messages_->was_seen(key));
}

TEST_F(MessageStoreTest, SeenMessagesAreBounded) {
  auto transaction = database_->begin();
  ASSERT_TRUE(transaction);
  for (int i = 0; i < 25'000; ++i) {
    ASSERT_TRUE(messages_->save_seen(static_cast<std::uint64_t>(i), kNow));
  }
  ASSERT_TRUE(messages_->prune(kNow));
  ASSERT_TRUE(transaction->commit());
  EXPECT_FALSE(messages_->was_seen(4'999));
  EXPECT_TRUE(messages_->was_seen(5'000));
  EXPECT_TRUE(messages_->was_seen(24'999));
}

TEST_F(MessageStoreTest, SentMessagesAreKeptForADayAndInFourMebibytes) {
  ASSERT_TRUE(messages_->save_sent(sent("OLD", kNow - hours(25))));
  ASSERT_TRUE(messages_->save_sent(sent("NEW", kNow)));
  ASSERT_TRUE(messages_->prune(kNow));
  EXPECT_FALSE(messages_->sent("OLD")->has_value());
  EXPECT_TRUE(messages_->sent("NEW")->has_value());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(messages_->save_sent(sent("BIG" + std::to_string(i), kNow, 80'000)));
  }
  ASSERT_TRUE(messages_->prune(kNow));
  EXPECT_FALSE(messages_->sent("NEW")->has_value());
  EXPECT_FALSE(messages_->sent("BIG47")->has_value());
  EXPECT_TRUE(messages_->sent("BIG48")->has_value());  // 52 * 80,000 bytes are below 4 MiB
}

TEST_F(MessageStoreTest, AStatusOnlyRises) {
  using Status = MessageStore::Sent::Status;
  ASSERT_TRUE(messages_->save_sent(sent("S")));
  ASSERT_TRUE(messages_->raise_status("S", Status::read));
  ASSERT_TRUE(messages_->raise_status("S", Status::delivered));
  EXPECT_EQ((*messages_->sent("S"))->status, Status::read);
  EXPECT_FALSE(messages_->sent_outline("UNKNOWN")->has_value());
}

TEST_F(MessageStoreTest, WhereAMessageWentIsKnownForAMonth) {
  MessageStore::Sent holiday = sent("HOLIDAY", kNow - hours(24 * 29));
  holiday.posted = "4915550007777@c.us";
  ASSERT_TRUE(messages_->save_sent(sent("LONGAGO", kNow - hours(24 * 31))));
  ASSERT_TRUE(messages_->save_sent(holiday));
  ASSERT_TRUE(messages_->prune(kNow));
  EXPECT_FALSE(messages_->sent("HOLIDAY")->has_value()) << "its content is gone";
  const auto outline = *messages_->sent_outline("HOLIDAY");
  ASSERT_TRUE(outline);
  EXPECT_EQ(outline->chat, "2@lid");
  EXPECT_EQ(outline->posted, "4915550007777@c.us");
  EXPECT_TRUE(outline->message.empty());
  EXPECT_FALSE(messages_->sent_outline("LONGAGO")->has_value());
}

TEST_F(MessageStoreTest, KnowsWhoWroteWhat) {
  ASSERT_TRUE(messages_->save_received({"A", "2@lid", "1@lid", {}, false}));
  ASSERT_TRUE(messages_->save_received({"B", "2@lid", "2@lid", {}, true}));
  ASSERT_TRUE(messages_->save_received({"C", "3@lid", "1@lid", {}, false}));
  const std::vector<std::string> ids{"A", "B", "C", "D"};
  EXPECT_EQ(*messages_->written_by("2@lid", "1@lid", ids), std::vector<std::string>{"A"});
}

TEST_F(MessageStoreTest, AStatusIsWrittenWithTheNextMessageWhenManyWaitAndAtTheEnd) {
  using Status = MessageStore::Sent::Status;
  const auto stored = [this](const char* id) {
    Statement find(*database_, "SELECT status FROM sent WHERE id = ?1");
    Query query = find.query(id);
    EXPECT_TRUE(*query.next());
    return static_cast<Status>(query.integer(0));
  };
  ASSERT_TRUE(messages_->save_sent(sent("FIRST")));
  ASSERT_TRUE(messages_->raise_status("FIRST", Status::delivered));
  EXPECT_EQ(stored("FIRST"), Status::made);
  EXPECT_EQ((*messages_->sent("FIRST"))->status, Status::delivered);
  ASSERT_TRUE(messages_->save_sent(sent("SECOND")));
  EXPECT_EQ(stored("FIRST"), Status::delivered);
  ASSERT_TRUE(messages_->raise_status("SECOND", Status::acked));
  EXPECT_EQ(stored("SECOND"), Status::acked) << "at once";
  ASSERT_TRUE(messages_->raise_status("SECOND", Status::delivered));
  EXPECT_EQ(stored("SECOND"), Status::acked);
  for (int i = 0; i < 63; ++i) {
    ASSERT_TRUE(messages_->raise_status("GONE" + std::to_string(i), Status::read));
  }
  EXPECT_EQ(stored("SECOND"), Status::delivered);
  ASSERT_TRUE(messages_->raise_status("SECOND", Status::read));
  open();
  EXPECT_EQ(stored("SECOND"), Status::read);
}

TEST_F(MessageStoreTest, UnreadMessagesOfAChat) {
  for (const char* id : {"A", "B", "C"}) {
    ASSERT_TRUE(messages_->save_received({id, "2@lid", "2@lid", {}, true}));
  }
  ASSERT_TRUE(messages_->save_received({"D", "3@lid", "3@lid", {}, true}));
  ASSERT_TRUE(messages_->save_received({"E", "2@lid", "1@lid", {}, false}));
  const std::vector<std::string> read{"A"};
  ASSERT_TRUE(messages_->mark_read("2@lid", read));
  const auto unread = messages_->unread("2@lid");
  ASSERT_TRUE(unread);
  ASSERT_EQ(unread->size(), 2U);
  EXPECT_EQ((*unread)[0].id, "B");
  EXPECT_EQ((*unread)[1].id, "C");
}

TEST_F(MessageStoreTest, AUsersRowsMoveToItsLid) {
  const std::string pn = "111@s.whatsapp.net";
  ASSERT_TRUE(messages_->save_push_name(pn, "Ann"));
  ASSERT_TRUE(messages_->save_device_list(pn, {"0;5", 1, 2, kNow}));
  ASSERT_TRUE(messages_->save_received({"A", pn, pn, {}, true}));
  ASSERT_TRUE(messages_->save_token(pn, as_bytes("newer"), 200));
  ASSERT_TRUE(messages_->save_token("901@lid", as_bytes("older"), 100));
  ASSERT_TRUE(messages_->save_token_issued("901@lid", 50));
  ASSERT_TRUE(messages_->move_user(pn, "901@lid"));
  ASSERT_TRUE(messages_->move_user(pn, "901@lid"));  // again changes nothing
  EXPECT_EQ(*messages_->push_name("901@lid"), "Ann");
  EXPECT_FALSE(messages_->push_name(pn)->has_value());
  EXPECT_EQ((*messages_->device_list("901@lid"))->devices, "0;5");
  EXPECT_EQ(messages_->unread("901@lid")->size(), 1U);
  const auto token = messages_->token("901@lid");
  EXPECT_EQ(token->token, to_bytes("newer"));
  EXPECT_EQ(token->issued_at, 50);
}

TEST_F(MessageStoreTest, AnOlderTokenDoesNotReplaceANewerOne) {
  ASSERT_TRUE(messages_->save_token("901@lid", as_bytes("new"), 200));
  ASSERT_TRUE(messages_->save_token("901@lid", as_bytes("old"), 100));
  EXPECT_EQ(messages_->token("901@lid")->token, to_bytes("new"));
}

TEST_F(MessageStoreTest, StrangersByTheThousandPushOutTheOldest) {
  auto transaction = database_->begin();
  ASSERT_TRUE(transaction);
  for (int i = 0; i < 20'100; ++i) {
    const std::string user = std::to_string(i) + "@lid";
    ASSERT_TRUE(messages_->save_device_list(user, {"0", i, 1, Wall::from_unix(1'000'000 + i)}));
    ASSERT_TRUE(messages_->save_token(user, to_bytes("t"), 1'000'000 + i));
    ASSERT_TRUE(messages_->save_push_name(user, "n"));
  }
  for (int i = 0; i < 50'100; ++i) {
    ASSERT_TRUE(messages_->save_name("49" + std::to_string(i), std::to_string(i)));
  }
  ASSERT_TRUE(transaction->commit());
  ASSERT_TRUE(messages_->prune(kNow));
  EXPECT_FALSE(messages_->device_list("99@lid")->has_value());
  EXPECT_TRUE(messages_->device_list("100@lid")->has_value());
  EXPECT_TRUE(messages_->token("99@lid")->token.empty());
  EXPECT_FALSE(messages_->token("100@lid")->token.empty());
  EXPECT_TRUE(messages_->lid_of("49100")->has_value()) << "a person we write to keeps his name";
  const auto count = [this](const char* sql) {
    Statement statement(*database_, sql);
    Query query = statement.query();
    EXPECT_TRUE(query.next());
    return query.integer(0);
  };
  EXPECT_EQ(count("SELECT count(*) FROM push_names"), 20'000);
  EXPECT_EQ(count("SELECT count(*) FROM names"), 50'000);
}

TEST_F(MessageStoreTest, ClearForgetsAll) {
  ASSERT_TRUE(messages_->save_name("111", "901"));
  ASSERT_TRUE(messages_->save_seen(7, kNow));
  ASSERT_TRUE(messages_->save_sent(sent("S")));
  ASSERT_TRUE(messages_->clear());
  EXPECT_FALSE(messages_->was_seen(7));
  EXPECT_FALSE(messages_->sent("S")->has_value());
  open();
  EXPECT_FALSE(messages_->lid_of("111")->has_value());
}

}  // namespace
}  // namespace posthorn::store
