#include "throttle/valve_fixture.h"

#include <set>

namespace posthorn::throttle {
namespace {

using test::Box;
using test::person;

/// Fourteen days of a shop with a scripted WhatsApp: customers who answer, a 463 on the ninth
/// opening with a lock that ends after 30 hours, a cap warning, a temporary ban with an expiry.
class Fortnight {
 public:
  Fortnight() {
    EXPECT_TRUE(box.valve->declare_in_use(6, "installer"));
    for (int i = 0; i < 100; ++i) box.known(person(i));
  }

  void run() {
    for (int day = 0; day < 14; ++day) {
      if (day == 5) warn();
      if (day == 8) ban();
      if (day == 11) {
        EXPECT_TRUE(box.valve->acknowledge("owner", "read it and cleaned the list"));
      }
      for (int hour = 0; hour < 24; ++hour) an_hour(day);
    }
    box.scheduler.advance(hours(26));
  }

  Box box;
  std::set<std::string> posted;
  std::size_t openings = 0;
  std::size_t lock_begun_after = 0;

 private:
  void an_hour(int day) {
    for (int i = 0; i < 2; ++i) post(person(made_++ % 100));
    if (made_ % 6 == 0) post(person(1'000 + made_));
    box.scheduler.advance(minutes(20));
    look_at_openings();
    if (made_ % 10 == 0) box.wrote(person(made_ % 100));
    if (day == 3 && made_ % 16 == 0) box.wrote(person(made_ % 100), milliseconds(0), "stop");
    box.scheduler.advance(minutes(40));
    if (lock_until_ != Wall{} && box.clock.now() > lock_until_) lift();
  }

  void post(const std::string& chat) {
    Job job = box.make_job(chat, "Receipt " + std::to_string(made_));
    job.consent = "order";
    posted.insert(job.id);
    box.post(job);
  }

  /// Scripts the ninth opening, and lets every third customer answer.
  void look_at_openings() {
    for (; seen_ < box.sender.sent.size(); ++seen_) {
      const std::string& chat = box.sender.sent[seen_].chat;
      box.valve->on_delivered(box.sender.sent[seen_].id);
      if (chat < person(1'000)) continue;
      ++openings;
      if (openings % 2 == 0) box.wrote(chat);
    }
    if (openings == 8 && lock_begun_after == 0) {
      lock_begun_after = openings;
      Signal notice;
      notice.kind = Signal::Kind::reachout_lock;
      notice.enforcement = "WEB_COMPANION_ONLY";
      lock_until_ = box.clock.now() + hours(30);
      notice.until = lock_until_;
      box.signal(Signal::Kind::reachout_ack);
      box.valve->on_signal(notice);
    }
  }
  void lift() {
    lock_until_ = Wall{};
    Signal over;
    over.kind = Signal::Kind::reachout_lock;
    over.active = false;
    box.valve->on_signal(over);
  }
  void warn() {
    Signal cap;
    cap.kind = Signal::Kind::capping;
    cap.status = "FIRST_WARNING";
    cap.cycle_end = box.clock.now() + hours(24 * 20);
    box.valve->on_signal(cap);
  }
  void ban() {
    Signal ban;
    ban.kind = Signal::Kind::temporary_ban;
    ban.code = 101;
    ban.until = box.clock.now() + hours(36);
    box.valve->on_signal(ban);
  }

  int made_ = 0;
  std::size_t seen_ = 0;
  Wall lock_until_;
};

TEST(Scenario, AFortnightWithEveryRestrictionLosesNothing) {
  Fortnight fortnight;
  fortnight.run();
  Box& box = fortnight.box;
  std::map<std::string, int> ends;
  for (const Fate& fate : box.listener.fates) {
    if (fate.kind == Fate::Kind::held) continue;
    ++ends[fate.job.id];
    if (fate.kind == Fate::Kind::failed) {
      EXPECT_TRUE(fate.refusal || fate.code != 0) << "failed without a reason";
    }
  }
  for (const auto& [sequence, job] : box.outbox.jobs) ++ends[job.id];
  for (const std::string& id : fortnight.posted) EXPECT_EQ(ends[id], 1) << id;
  EXPECT_GT(fortnight.posted.size(), 700U);

  std::vector<Level> levels;
  for (const LevelChange& change : box.listener.levels) levels.push_back(change.to);
  const std::vector<Level> expected{Level::yellow, Level::green, Level::amber,
                                    Level::green,  Level::red,   Level::green};
  EXPECT_EQ(levels, expected);
  EXPECT_EQ(fortnight.lock_begun_after, 8U);
}

TEST(Scenario, ARestartInTheMiddleOfALockRemembersIt) {
  Box box;
  box.signal(Signal::Kind::reachout_ack);
  const auto until = box.valve->status().until;
  box.cut_power();
  EXPECT_EQ(box.valve->level(), Level::yellow);
  EXPECT_EQ(box.valve->status().until, until);
  EXPECT_EQ(box.valve->status().signal, "reachout_ack");
  EXPECT_EQ(box.listener.levels.size(), 1U) << "told once, not again after the restart";
  box.valve->on_connected();
  box.post(person(1));
  box.scheduler.advance(hours(20));
  EXPECT_TRUE(box.sender.sent.empty());
}

}  // namespace
}  // namespace posthorn::throttle
