#include "posthorn/journal/journal.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "posthorn/base/log.h"
#include "posthorn/store/store.h"
#include "powercut_store/power_disk.h"
#include "support/fakes.h"

namespace posthorn::journal {
namespace {

constexpr std::int64_t kStart = 1'790'000'000;
const std::string kIda = "4915550007777@c.us";
const std::string kOtto = "4915550008888@c.us";

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    clock_.on_server_time(kStart);
    disk_.start({}, 0);
    open();
  }

  void open(Journal::Options options = {}) {
    journal_.reset();
    store_.reset();
    store::Store::Options where;
    where.database.vfs = disk_.name();
    auto opened = store::Store::open("posthorn.db", worker_, where);
    ASSERT_TRUE(opened) << to_string(opened.error());
    store_ = std::move(opened->store);
    auto journal = Journal::open(store_->database(), scheduler_, clock_, options);
    ASSERT_TRUE(journal) << to_string(journal.error());
    journal_ = std::move(*journal);
  }

  static Entry incoming(const std::string& id, std::int64_t at, std::string body = "{}",
                        const std::string& chat = kIda) {
    Entry entry;
    entry.id = id;
    entry.chat = chat;
    entry.at = Wall::from_unix(at);
    entry.body = std::move(body);
    return entry;
  }
  static Entry outgoing(const std::string& id, std::int64_t at, const std::string& chat = kIda) {
    Entry entry = incoming(id, at, "{}", chat);
    entry.direction = Direction::outgoing;
    entry.by_api = true;
    entry.status = Status::pending;
    return entry;
  }

  std::vector<std::string> ids(const Query& query, std::size_t count = 1000) {
    std::vector<std::string> out;
    Position position;
    const auto entries = journal_->next(query, position, count);
    EXPECT_TRUE(entries) << to_string(entries.error());
    for (const Entry& entry : *entries) out.push_back(entry.id);
    return out;
  }
  static Query of(const std::string& chat) {
    Query query;
    query.chat = chat;
    return query;
  }
  Status status_of(const std::string& id) {
    const auto found = journal_->find(kIda, id);
    EXPECT_TRUE(found && *found) << id;
    return found && *found ? (*found)->status : Status::none;
  }

  test::FakeScheduler scheduler_;
  Clock clock_{scheduler_, Wall::from_unix(kStart - 100'000)};
  test::InlineWorker worker_{scheduler_};
  store::PowerDisk disk_{"journal"};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Journal> journal_;
};

using Names = std::vector<std::string>;

/// Steps of SQLite's machine, in hundreds, while `work` runs.
template <class F>
std::int64_t steps_of(store::Database& database, F work) {
  std::int64_t hundreds = 0;
  sqlite3_progress_handler(
      database.handle(), 100,
      [](void* count) {
        ++*static_cast<std::int64_t*>(count);
        return 0;
      },
      &hundreds);
  work();
  sqlite3_progress_handler(database.handle(), 0, nullptr, nullptr);
  return hundreds;
}

/// A till that writes to one number all day: no entry walks over those before it.
TEST_F(JournalTest, AnEntryCostsTheSameHoweverMuchItsChatHas) {
  const auto hundred = [&](int from) {
    return steps_of(store_->database(), [&] {
      for (int n = from; n < from + 100; ++n) {
        const std::string id = "A" + std::to_string(n);
        journal_->add(outgoing(id, kStart + n));
        journal_->set_status(kIda, id, Status::sent);
      }
      ASSERT_TRUE(journal_->flush());
      EXPECT_EQ(status_of("A" + std::to_string(from)), Status::sent);
    });
  };
  hundred(0);
  const std::int64_t few = hundred(100);
  for (int from = 200; from < 4000; from += 100) hundred(from);
  EXPECT_LT(hundred(4000), 2 * few);
}

TEST_F(JournalTest, GivesTheNewestOfAChatFirst) {
  journal_->add(incoming("A", kStart + 1));
  journal_->add(incoming("B", kStart + 3));
  journal_->add(incoming("C", kStart + 2));
  journal_->add(incoming("D", kStart + 9, "{}", kOtto));
  EXPECT_EQ(ids(of(kIda)), (Names{"B", "C", "A"}));
  EXPECT_EQ(ids(of(kOtto)), (Names{"D"}));
  EXPECT_EQ(ids(of("4915550000000@c.us")), Names{});
}

TEST_F(JournalTest, KnowsTheOldestMessagesThatWhatsAppHasToo) {
  journal_->add(outgoing("failed", kStart));
  journal_->set_status(kIda, "failed", Status::failed);
  journal_->add(outgoing("waits", kStart + 1));
  Entry call = incoming("call", kStart + 2);
  call.what = What::call;
  journal_->add(call);
  journal_->add(incoming("other", kStart + 3, "{}", kOtto));
  journal_->add(incoming("second", kStart + 5));
  journal_->add(outgoing("first", kStart + 4));
  journal_->set_status(kIda, "first", Status::sent);
  journal_->add(incoming("third", kStart + 6));
  const auto oldest = journal_->oldest(kIda, 2);
  ASSERT_TRUE(oldest);
  ASSERT_EQ(oldest->size(), 2U);
  EXPECT_EQ((*oldest)[0].id, "first");
  EXPECT_EQ((*oldest)[1].id, "second");
  const auto none = journal_->oldest("4915550009999@c.us", 2);
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST_F(JournalTest, OfOneSecondTheLatestArrivalIsFirst) {
  for (const char* id : {"A", "B", "C"}) journal_->add(incoming(id, kStart));
  EXPECT_EQ(ids(of(kIda)), (Names{"C", "B", "A"}));
}

TEST_F(JournalTest, IsWalkedInPiecesWithoutGapOrRepeat) {
  for (int i = 0; i < 25; ++i) {
    journal_->add(incoming("M" + std::to_string(i), kStart + i / 7));
  }
  Position position;
  Names seen;
  for (;;) {
    const auto piece = journal_->next(of(kIda), position, 4);
    ASSERT_TRUE(piece);
    for (const Entry& entry : *piece) seen.push_back(entry.id);
    if (piece->size() < 4) break;
  }
  EXPECT_EQ(seen, ids(of(kIda)));
  EXPECT_EQ(seen.size(), 25U);
}

TEST_F(JournalTest, FindsByDirectionAndTimeOverAllChats) {
  journal_->add(incoming("OLD", kStart - 7200));
  journal_->add(incoming("IN", kStart - 60));
  journal_->add(incoming("STORY", kStart - 50, "{}", "status@broadcast"));
  journal_->add(outgoing("OUT", kStart - 40, kOtto));
  Entry call = incoming("CALL", kStart - 30);
  call.what = What::call;
  journal_->add(call);
  Query query;
  query.direction = Direction::incoming;
  query.since = Wall::from_unix(kStart - 3600);
  query.not_chat = "status@broadcast";
  EXPECT_EQ(ids(query), (Names{"IN"}));
  query.direction = Direction::outgoing;
  EXPECT_EQ(ids(query), (Names{"OUT"}));
  query.direction = Direction::incoming;
  query.what = What::call;
  EXPECT_EQ(ids(query), (Names{"CALL"}));
}

TEST_F(JournalTest, KeepsAnEntryOnceHoweverOftenItIsTold) {
  journal_->add(incoming("A", kStart, "first"));
  journal_->add(incoming("A", kStart + 5, "again"));
  ASSERT_TRUE(journal_->flush());
  journal_->add(incoming("A", kStart + 6, "and again"));
  const auto found = journal_->find(kIda, "A");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->body, "first");
  EXPECT_EQ(ids(of(kIda)).size(), 1U);
}

TEST_F(JournalTest, StatusesGoForwardOnly) {
  journal_->add(outgoing("A", kStart));
  EXPECT_EQ(status_of("A"), Status::pending);
  journal_->set_status(kIda, "A", Status::read);
  journal_->set_status(kIda, "A", Status::sent);
  journal_->set_status(kIda, "A", Status::failed);
  EXPECT_EQ(status_of("A"), Status::read);
  journal_->add(outgoing("B", kStart));
  journal_->set_status(kIda, "B", Status::yellow_card);
  EXPECT_EQ(status_of("B"), Status::yellow_card);
  journal_->set_status(kIda, "B", Status::sent);
  EXPECT_EQ(status_of("B"), Status::sent);
  journal_->set_status(kOtto, "B", Status::read);  // somebody else's
  EXPECT_EQ(status_of("B"), Status::sent);
}

TEST_F(JournalTest, AppliesEditsAndDeletions) {
  journal_->add(incoming("A", kStart, "two cakes"));
  journal_->edit(kIda, "A", "three cakes", {});
  auto found = journal_->find(kIda, "A");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->edited, "three cakes");
  journal_->mark_deleted(kIda, "A", [](const std::string& body) { return "less than " + body; },
                         {});
  journal_->edit(kIda, "A", "four cakes", {});
  found = journal_->find(kIda, "A");
  ASSERT_TRUE(found && *found);
  EXPECT_TRUE((*found)->deleted);
  EXPECT_EQ((*found)->body, "less than two cakes");
  EXPECT_EQ((*found)->edited, std::nullopt);
}

TEST_F(JournalTest, TwoNamesOfOnePersonBecomeOneChat) {
  journal_->add(incoming("A", kStart, "{}", "182000000000001@lid"));
  journal_->add(incoming("B", kStart + 1));
  journal_->join("182000000000001@lid", kIda);
  EXPECT_EQ(ids(of(kIda)), (Names{"B", "A"}));
  EXPECT_EQ(ids(of("182000000000001@lid")), Names{});
}

TEST_F(JournalTest, FindsTheTillsOwnNumber) {
  Entry order = outgoing("A", kStart);
  order.external_id = "order-118";
  journal_->add(order);
  journal_->add(outgoing("B", kStart));
  Query query;
  query.external_id = "order-118";
  EXPECT_EQ(ids(query), (Names{"A"}));
  query.chat = kOtto;
  EXPECT_EQ(ids(query), Names{});
}

TEST_F(JournalTest, IsBoundedByBytes) {
  open({hours(24 * 30), 256 << 10});
  for (int i = 0; i < 4000; ++i) {
    journal_->add(incoming("M" + std::to_string(i), kStart + i, std::string(200, 'x'),
                           std::to_string(i % 100) + "@c.us"));
  }
  ASSERT_TRUE(journal_->flush());
  scheduler_.advance(minutes(2));
  EXPECT_LE(journal_->bytes(), 256U << 10);
  EXPECT_GT(journal_->bytes(), 200U << 10);
  // The newest are there, the oldest are not.
  EXPECT_TRUE(*journal_->find("99@c.us", "M3999"));
  EXPECT_FALSE(*journal_->find("0@c.us", "M0"));
}

TEST_F(JournalTest, OneChatCannotWriteTheOthersOut) {
  open({hours(24 * 30), 256 << 10});
  journal_->add(incoming("A", kStart, "from Ida"));
  for (int i = 0; i < 5000; ++i) {
    journal_->add(incoming("M" + std::to_string(i), kStart + i, std::string(300, 'x'), kOtto));
  }
  ASSERT_TRUE(journal_->flush());
  scheduler_.advance(minutes(2));
  EXPECT_LE(journal_->bytes(), (64U << 10) + 1000);
  EXPECT_TRUE(*journal_->find(kIda, "A"));
  EXPECT_TRUE(*journal_->find(kOtto, "M4999"));
}

TEST_F(JournalTest, IsBoundedByDays) {
  open({hours(24), 64 << 20});
  journal_->add(incoming("A", kStart));
  ASSERT_TRUE(journal_->flush());
  scheduler_.advance(hours(23));
  EXPECT_EQ(ids(of(kIda)), (Names{"A"}));
  scheduler_.advance(hours(3));
  EXPECT_EQ(ids(of(kIda)), Names{});
  EXPECT_EQ(journal_->bytes(), 0U);
}

TEST_F(JournalTest, AnotherAccountsJournalIsNotItsToRead) {
  journal_->belong_to("4915550001234");
  journal_->add(incoming("A", kStart));
  journal_->belong_to("4915550001234");
  EXPECT_EQ(ids(of(kIda)), (Names{"A"}));
  journal_->belong_to("4915550005555");
  EXPECT_EQ(ids(of(kIda)), Names{});
  EXPECT_EQ(journal_->bytes(), 0U);
}

TEST_F(JournalTest, WritesByItselfSomeSecondsLater) {
  journal_->add(incoming("A", kStart));
  scheduler_.advance(seconds(6));
  const auto before = store_->database().commits();
  EXPECT_EQ(ids(of(kIda)), (Names{"A"}));
  EXPECT_EQ(store_->database().commits(), before);  // nothing was left to write
}

TEST_F(JournalTest, ADiskThatTakesNothingCostsNoMemoryWithoutBound) {
  log::set_sink([](log::Level, std::string_view) {});
  disk_.fail(disk_.operations(), 1'000'000, SQLITE_FULL);
  for (int i = 0; i < 5000; ++i) journal_->add(incoming("M" + std::to_string(i), kStart + i));
  EXPECT_FALSE(journal_->flush());
  EXPECT_GT(journal_->lost(), 0U);
  disk_.fail(0, 0, SQLITE_OK);
  EXPECT_TRUE(journal_->flush());
  log::set_sink(nullptr);
  EXPECT_TRUE(*journal_->find(kIda, "M4999"));
  EXPECT_EQ(ids(of(kIda), 100'000).size(), 5000 - journal_->lost());
}

TEST_F(JournalTest, WhatTheDatabaseLosesBeforeItsCommitIsWrittenAgain) {
  ASSERT_TRUE(store_->write_waiting());
  log::set_sink([](log::Level, std::string_view) {});
  journal_->add(outgoing("A", kStart));
  ASSERT_TRUE(journal_->flush());
  journal_->set_status(kIda, "A", Status::delivered);
  ASSERT_TRUE(journal_->flush());
  disk_.fail(disk_.operations(), 1'000'000, SQLITE_FULL);
  EXPECT_FALSE(store_->write_waiting());
  disk_.fail(0, 0, SQLITE_OK);
  log::set_sink(nullptr);
  journal_->add(outgoing("B", kStart + 1));
  EXPECT_EQ(ids(of(kIda)), (Names{"B", "A"}));
  EXPECT_EQ(status_of("A"), Status::delivered);
  const auto bytes = journal_->bytes();
  ASSERT_TRUE(store_->write_waiting());
  open();
  EXPECT_EQ(ids(of(kIda)), (Names{"B", "A"}));
  EXPECT_EQ(journal_->bytes(), bytes);
}

TEST_F(JournalTest, StatusesGoWithTheirRowAndNotPastAnotherChange) {
  journal_->add(outgoing("A", kStart));
  journal_->set_status(kIda, "A", Status::sent, Wall::from_unix(kStart + 7));
  journal_->set_status(kIda, "A", Status::read);
  journal_->set_status(kIda, "A", Status::delivered);
  journal_->add(outgoing("B", kStart));
  journal_->forget(kIda, "B");
  journal_->set_status(kIda, "B", Status::sent);
  journal_->add(outgoing("C", kStart));
  journal_->forget_pending();
  journal_->set_status(kIda, "C", Status::sent);
  EXPECT_EQ(ids(of(kIda)), (Names{"A"}));
  EXPECT_EQ(status_of("A"), Status::read);
  EXPECT_EQ((*journal_->find(kIda, "A"))->at, Wall::from_unix(kStart + 7));
  // A row that was there takes the statuses that came with its second telling.
  journal_->add(outgoing("D", kStart));
  ASSERT_TRUE(journal_->flush());
  journal_->add(outgoing("D", kStart));
  journal_->set_status(kIda, "D", Status::sent);
  EXPECT_EQ(status_of("D"), Status::sent);
}

TEST_F(JournalTest, WhatIsTakenBackBeforeItWasSentNeverWas) {
  journal_->add(outgoing("A", kStart));
  journal_->add(outgoing("B", kStart));
  journal_->add(outgoing("C", kStart));
  journal_->set_status(kIda, "C", Status::sent);
  journal_->forget(kIda, "A");
  EXPECT_EQ(ids(of(kIda)), (Names{"C", "B"}));
  EXPECT_EQ(journal_->pending(10)->size(), 1U);
  journal_->forget_pending();
  EXPECT_EQ(ids(of(kIda)), (Names{"C"}));
}

/// What the store has said is on disk is in the journal after a cut, once, and its sum is right.
class JournalPowerCut : public JournalTest {
 protected:
  static constexpr int kMessages = 6;

  /// Works until power goes. durable: how many messages the disk has promised.
  bool work(int& durable) {
    for (int i = 0; i < kMessages; ++i) {
      const std::string id = "M" + std::to_string(i);
      journal_->add(outgoing(id, kStart + i));
      if (!journal_->flush()) return false;
      journal_->set_status(kIda, id, Status::sent);
      if (i % 3 == 2) journal_->mark_deleted(kIda, "M" + std::to_string(i - 1), nullptr, {});
      if (!journal_->flush()) return false;
      bool synced = false;
      store_->durable([&](Result<void> result) { synced = result.has_value(); });
      scheduler_.run_posted();
      if (!synced) return false;
      durable = i + 1;
    }
    return disk_.powered();
  }

  void look(int durable, const std::string& what) {
    const Names found = ids(of(kIda));
    ASSERT_GE(found.size(), static_cast<std::size_t>(durable)) << what;
    for (int i = 0; i < durable; ++i) {
      const std::string id = "M" + std::to_string(i);
      EXPECT_EQ(std::count(found.begin(), found.end(), id), 1) << what << " " << id;
      EXPECT_EQ(status_of(id), Status::sent) << what << " " << id;
    }
    std::int64_t sum = 0;
    store::Statement sizes(store_->database(), "SELECT total(size) FROM journal");
    store::Query query = sizes.query();
    ASSERT_TRUE(query.next());
    sum = query.integer(0);
    EXPECT_EQ(journal_->bytes(), static_cast<std::uint64_t>(sum)) << what;
  }
};

TEST_F(JournalPowerCut, KeepsWhatWasPromisedAtEveryCut) {
  log::set_sink([](log::Level, std::string_view) {});
  ASSERT_TRUE(journal_->flush());
  journal_.reset();
  store_.reset();
  const store::DiskImage begin = disk_.content();
  test::SeededRandom random;
  int cuts = 0;
  for (std::uint64_t cut = 1;; ++cut, ++cuts) {
    disk_.start(begin, cut);
    int durable = 0;
    bool whole = false;
    {
      store::Store::Options where;
      where.database.vfs = disk_.name();
      where.checkpoint_pages = 12;
      auto opened = store::Store::open("posthorn.db", worker_, where);
      if (opened) {
        store_ = std::move(opened->store);
        auto journal = Journal::open(store_->database(), scheduler_, clock_, {});
        if (journal) {
          journal_ = std::move(*journal);
          whole = work(durable);
        }
      }
      journal_.reset();
      store_.reset();
      scheduler_.run_posted();
    }
    if (whole && disk_.powered()) break;
    using Survives = store::PowerDisk::Survives;
    std::vector<store::DiskImage> images;
    for (const Survives survives :
         {Survives::nothing, Survives::everything, Survives::in_order, Survives::any_sector}) {
      images.push_back(disk_.image(survives, random));
    }
    for (const store::DiskImage& image : images) {
      disk_.start(image, 0);
      open();
      look(durable, "cut at " + std::to_string(cut));
      journal_.reset();
      store_.reset();
      scheduler_.run_posted();
    }
  }
  log::set_sink(nullptr);
  EXPECT_GT(cuts, 20);
}

}  // namespace
}  // namespace posthorn::journal
