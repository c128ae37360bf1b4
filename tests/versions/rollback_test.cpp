// A box that goes back to the release before finds files of the release after it. Each test writes
// today's state, adds what a later minor release may add, and opens it again as today's release;
// then it does the same with a break, which must be refused in words that say what to do.
// The ring file's own: tests/queue/ring_life_test.cpp. The backup's:
// tests/daemon/backup_file_test.cpp.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "daemon/access.h"
#include "daemon/throttle_config.h"
#include "posthorn/api/settings.h"
#include "posthorn/base/job.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/store.h"
#include "support/fakes.h"
#include "support/folder.h"
#include "throttle/persist.h"

namespace posthorn {
namespace {

class Rollback : public testing::Test {
 protected:
  void SetUp() override {
    log::set_sink([](log::Level, std::string_view line) { said() += std::string(line) + "\n"; });
    said().clear();
  }
  void TearDown() override { log::set_sink(nullptr); }
  static std::string& said() {
    static std::string text;
    return text;
  }
  /// A JSON blob with a key more.
  void add_key(std::string_view blob, const char* key) {
    auto value = json::parse(as_text(blobs.values.find(blob)->second));
    ASSERT_TRUE(value.has_value());
    (*value)[key]["nested"] = "of a later release";
    blobs.values[std::string(blob)] = to_bytes(json::write(*value));
  }

  test::Folder folder;
  test::FakeScheduler scheduler;
  test::InlineWorker worker{scheduler};
  test::MemoryBlobStore blobs{scheduler};
  test::SeededRandom random;
};

TEST_F(Rollback, TheDatabaseKeepsWhatALaterReleaseAdded) {
  const std::string path = folder.at("posthorn.db");
  {
    auto opened = store::Store::open(path, worker);
    ASSERT_TRUE(opened.has_value());
    ASSERT_TRUE(opened->store->save("settings", as_bytes("today")).has_value());
    store::Database& db = opened->store->database();
    ASSERT_TRUE(db.execute("CREATE TABLE later (a TEXT); INSERT INTO later VALUES ('kept');"
                           "CREATE INDEX later_index ON blobs (name, value);"
                           "UPDATE schema_versions SET version = version + 1")
                    .has_value());
  }
  {
    auto opened = store::Store::open(path, worker);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    EXPECT_TRUE(opened->set_aside.empty());
    EXPECT_NE(said().find("additions of a newer release"), std::string::npos);
    EXPECT_EQ(as_text(**opened->store->load("settings")), "today");
    ASSERT_TRUE(opened->store->save("settings", as_bytes("changed")).has_value());
  }
  // The later release finds its own again, at its own version.
  ::sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  std::string found;
  const auto collect = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += values[0];
    return 0;
  };
  sqlite3_exec(handle,
               "SELECT a FROM later UNION ALL "
               "SELECT version FROM schema_versions WHERE part = 'store'",
               collect, &found, nullptr);
  sqlite3_close(handle);
  EXPECT_EQ(found, "kept2");
}

TEST_F(Rollback, ADatabaseThatBrokeWithUsIsRefusedAndLeftAsItIs) {
  const std::string path = folder.at("posthorn.db");
  {
    auto opened = store::Store::open(path, worker);
    ASSERT_TRUE(opened.has_value());
    ASSERT_TRUE(opened->store->database()
                    .execute("UPDATE schema_versions SET version = 1000 WHERE part = 'store'")
                    .has_value());
  }
  const auto refused = store::Store::open(path, worker);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_NE(refused.error().detail.find("install that release again"), std::string::npos);
  EXPECT_TRUE(folder.has("posthorn.db"));
  EXPECT_FALSE(folder.has("posthorn.db.damaged-1"));
}

TEST_F(Rollback, TheThrottleReadsStateWithFieldsBehindItsOwn) {
  using namespace throttle;
  const Tick now = 20'000 * kDay;
  const ChatKey chat{491'500'000'001ULL, 0, ChatKey::Kind::phone};
  {
    Engine engine;
    note_inbound(engine.state, chat, now, now);
    engine.state.standing.trust_days = 17;
    Persist persist(blobs);
    ASSERT_TRUE(persist.checkpoint(engine, {now, now, now}).has_value());
  }
  ASSERT_GE(blobs.values.size(), 2U);
  for (auto& [name, value] : blobs.values) append(value, as_bytes("fields of a later release"));
  Engine engine;
  PolicyClock::Saved clock;
  Persist persist(blobs);
  EXPECT_EQ(*persist.load(engine, clock), true);
  EXPECT_EQ(clock.newest, now);
  EXPECT_EQ(engine.state.standing.trust_days, 17);
  EXPECT_NE(engine.state.chats.find(chat), nullptr);
  EXPECT_EQ(said(), "");
}

TEST_F(Rollback, AThrottleStateThatBrokeWithUsIsToldAndTheOptOutsStay) {
  using namespace throttle;
  const Tick now = 20'000 * kDay;
  const ChatKey chat{491'500'000'001ULL, 0, ChatKey::Kind::phone};
  {
    Engine engine;
    note_inbound(engine.state, chat, now, now);
    Persist persist(blobs);
    ASSERT_TRUE(persist.checkpoint(engine, {now, now, now}).has_value());
  }
  blobs.values["throttle/hot"].front() = std::byte{2};
  Engine engine;
  PolicyClock::Saved clock;
  Persist persist(blobs);
  EXPECT_EQ(*persist.load(engine, clock), true);
  EXPECT_NE(said().find("unreadable; only the chats are kept"), std::string::npos);
  EXPECT_NE(engine.state.chats.find(chat), nullptr);
}

TEST_F(Rollback, SettingsOfALaterReleaseAreSteppedOver) {
  {
    api::SettingsStore store(blobs);
    api::Settings settings = store.current();
    settings.webhook_url = "http://10.0.0.5/hook";
    store.replace(settings, [](Result<void>) {});
    scheduler.run_posted();
  }
  add_key("settings", "laterSetting");
  api::SettingsStore store(blobs);
  EXPECT_EQ(store.current().webhook_url, "http://10.0.0.5/hook");
  EXPECT_EQ(said(), "");
}

TEST_F(Rollback, ASettingOfTheThrottleThatWeDoNotKnowCostsItselfAlone) {
  using daemon::SettingChanges;
  blobs.values[std::string(SettingChanges::kBlobName)] =
      to_bytes(R"({"gap_any_ms":9000,"later_ms":5})");
  SettingChanges changes(blobs);
  const auto loaded = changes.load({});
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->gap_any_ms, 9000);
  EXPECT_NE(said().find("later_ms"), std::string::npos);
}

TEST_F(Rollback, TheTokenStaysTheSame) {
  const auto first = daemon::load_access(blobs, {}, random);
  ASSERT_TRUE(first.has_value());
  add_key("api/access", "laterScopes");
  const auto second = daemon::load_access(blobs, {}, random);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->token, first->token);
  EXPECT_EQ(second->id_instance, first->id_instance);
}

TEST_F(Rollback, AJobWithMoreInItIsSentAndOneOfALaterKindIsToldFromDamage) {
  Job job;
  job.id = "3EB0F4442883A0E61BA8D2";
  job.chat = "4915550001234@c.us";
  job.content.what = content::Text{"Your order is ready", true, std::nullopt};
  auto value = json::parse(as_text(encode_job(job)));
  ASSERT_TRUE(value.has_value());
  (*value)["later"] = 7;
  const auto decoded = decode_job(as_bytes(json::write(*value)));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->content, job.content);
  (*value)["kind"] = 99;
  const auto unknown = decode_job(as_bytes(json::write(*value)));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace posthorn
