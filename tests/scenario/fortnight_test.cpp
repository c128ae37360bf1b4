// Fourteen days of a shop in seconds: a scripted customer base, every kind of restriction, restarts
// of the box, and at the end the books: whatever a till was told is accepted has been sent, has
// failed with a reason, or is still there.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

constexpr int kDays = 14;
constexpr std::size_t kNinth = 8;  // the first eight openings pass
constexpr hours kLock{30};
constexpr hours kBan{20};
constexpr hours kRest{5 * 24};  // the second signal within thirty days

class Fortnight {
 public:
  explicit Fortnight(Shop& shop) : shop_(shop) {
    for (int i = 0; i < 180; ++i) add_customer(i);
  }

  void run() {
    for (int day = 0; day < kDays; ++day) {
      for (int hour = 0; hour < 24; ++hour) an_hour(day, hour);
    }
    shop_.pass(hours(25));  // whatever could not go has expired by now
    shop_.take_notifications();
  }

  /// Messages of ours that customers have decrypted, by id; with the moment.
  struct Arrival {
    int times = 0;
    Wall at;
    std::string phone;
  };
  std::map<std::string, Arrival> arrivals() {
    std::map<std::string, Arrival> out;
    for (const std::string& customer : phones_) {
      for (const simulator::Received& got : shop_.world.inbox(customer)) {
        if (got.from_me || got.kind != "text") continue;
        Arrival& arrival = out[got.id];
        ++arrival.times;
        arrival.at = got.at;
        arrival.phone = customer;
      }
    }
    return out;
  }

  std::optional<Wall> locked_at, lock_ends, banned_at, ban_ends, warned_at, stopped_at;
  std::vector<std::string> levels;
  [[nodiscard]] const std::string& who_stopped() const { return phones_.at(2); }

 private:
  void add_customer(int i) {
    simulator::NewAccount wish;
    wish.name = "Customer " + std::to_string(i);
    const auto account = shop_.world.add_account(wish);
    simulator::PeerScript script;
    script.read_after = seconds(20);
    if (i % 3 != 2) script.reply_after = minutes(3);  // two of three answer
    EXPECT_TRUE(shop_.world.peer_script(account.pn.user, script).has_value());
    phones_.push_back(account.pn.user);
  }
  [[nodiscard]] std::string chat(std::size_t i) const { return phones_.at(i) + "@c.us"; }

  void an_hour(int day, int hour) {
    events(day, hour);
    if (hour >= 8 && hour < 20) the_till_posts(day, hour);
    for (int part = 0; part < 4; ++part) {
      shop_.pass(minutes(15));
      watch();
    }
    shop_.take_notifications();
  }

  /// One new customer an hour, and two that have bought before.
  void the_till_posts(int day, int hour) {
    const std::string number = std::to_string(day * 100 + hour);
    if (next_new_ < phones_.size()) shop_.send(chat(next_new_++), "Order " + number + " is ready");
    for (std::size_t step : {5U, 11U}) {
      if (next_new_ < 6) continue;
      shop_.send(chat((next_new_ * step) % next_new_),
                 "Receipt " + number + " of " + std::to_string(step));
    }
  }

  void events(int day, int hour) {
    if (day == 2 && hour == 12) {
      stopped_at = shop_.world.now();
      simulator::PeerText stop;
      stop.to = shop_.phone;
      stop.text = "STOP";
      EXPECT_TRUE(shop_.world.peer_send(who_stopped(), stop).has_value());
    }
    if (day == 3 && hour == 10) ban();
    if (day == 10 && hour == 9) warn("FIRST_WARNING");
    if (day == 11 && hour == 12) warn("SECOND_WARNING");
    if ((day == 1 || day == 6 || day == 10) && hour == 11) {
      shop_.pass(seconds(5));  // a deleted notification is on disk after 2 s (DECISIONS 7)
      shop_.restart();
    }
  }

  void warn(const char* status) {
    simulator::Simulator::Cap cap;
    cap.status = status;
    cap.total = 100;
    cap.used = 60;
    cap.cycle_end = shop_.world.now().unix_seconds() + 3 * 86'400;
    warned_at = shop_.world.now();
    EXPECT_TRUE(shop_.world.set_cap(shop_.phone, cap).has_value());
  }

  void ban() {
    banned_at = shop_.world.now();
    ban_ends = *banned_at + kBan;
    EXPECT_TRUE(shop_.world.set_failure(shop_.phone, 402, 101, seconds(kBan).count()).has_value());
  }

  /// WhatsApp's side of the script, and what a person at the shop would do.
  void watch() {
    if (const std::string level = shop_.level(); levels.empty() || levels.back() != level) {
      levels.push_back(level);
    }
    const std::size_t openings = arrivals_of_new();
    if (!locked_at && openings >= kNinth) {
      // From now on a message to somebody new is refused with 463.
      EXPECT_TRUE(shop_.world.set_restricted(shop_.phone, true).has_value());
      if (levels.back() == "yellow") {
        locked_at = shop_.world.now();
        lock_ends = *locked_at + kLock;
        simulator::Simulator::Timelock lock{true, "WEB_COMPANION_ONLY", lock_ends->unix_seconds()};
        EXPECT_TRUE(shop_.world.set_timelock(shop_.phone, lock).has_value());
      }
    }
    if (lock_ends && !lifted_ && shop_.world.now() >= *lock_ends) {
      lifted_ = true;
      EXPECT_TRUE(shop_.world.set_restricted(shop_.phone, false).has_value());
      EXPECT_TRUE(shop_.world.set_timelock(shop_.phone, {}).has_value());
    }
    if (ban_ends && !forgiven_ && shop_.world.now() >= *ban_ends) {
      forgiven_ = true;
      EXPECT_TRUE(shop_.world.set_failure(shop_.phone, 0).has_value());
    }
    if (forgiven_ && !agreed_ && shop_.world.now() >= *ban_ends + hours(6)) {
      agreed_ = true;
      const auto answer =
          shop_.care("acknowledgeThrottle",
                     R"({"who":"owner","reason":"read the notice, the list is clean"})");
      EXPECT_EQ(answer.status, 200);
    }
  }
  std::size_t arrivals_of_new() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < next_new_; ++i) {
      if (!shop_.world.inbox(phones_[i]).empty()) ++count;
    }
    return count;
  }

  Shop& shop_;
  std::vector<std::string> phones_;
  std::size_t next_new_ = 0;
  bool lifted_ = false, forgiven_ = false, agreed_ = false;
};

Config established() {
  Config config;
  config.throttle.number_in_use_months = 6;
  return config;
}

TEST(Fortnight, RestrictionsComeAndGoAndNothingIsLost) {
  const auto begin = std::chrono::steady_clock::now();
  Shop shop(established());
  shop.link();
  Fortnight fortnight(shop);
  fortnight.run();
  const auto arrivals = fortnight.arrivals();
  const auto present = shop.queue();

  std::map<std::string, int> ends;
  for (const std::string& id : shop.accepted) {
    const Story& story = shop.stories[id];
    const std::string end = story.end();
    EXPECT_NE(end.empty(), !present.contains(id)) << id << " is lost or told twice: " << end;
    ++ends[end.empty() ? "present" : end];
    if (end == "failed") {
      EXPECT_FALSE(story.description.empty()) << id;
      ++ends["failed: " + story.description.substr(0, story.description.find(':'))];
      EXPECT_FALSE(arrivals.contains(id)) << id << " was told as failed and arrived";
    }
    if (end == "sent") {
      ASSERT_TRUE(arrivals.contains(id)) << id;
    }
    EXPECT_EQ(std::ranges::count(story.statuses, end), end.empty() ? 0 : 1)
        << id << ": " << testing::PrintToString(story.statuses);
  }
  for (const auto& [id, arrival] : arrivals) EXPECT_EQ(arrival.times, 1) << id;

  // The script was played.
  ASSERT_TRUE(fortnight.locked_at && fortnight.banned_at && fortnight.warned_at);
  EXPECT_EQ(ends["failed: the account may not open new chats now"], 1) << "one 463, never retried";
  std::map<std::string, Wall> first_arrival;
  for (const auto& [id, arrival] : arrivals) {
    const auto [at, fresh] = first_arrival.emplace(arrival.phone, arrival.at);
    if (!fresh) at->second = std::min(at->second, arrival.at);
  }
  std::size_t openings_before_lock = 0;
  for (const auto& [who, at] : first_arrival) {
    if (at < *fortnight.locked_at) ++openings_before_lock;
    EXPECT_FALSE(at > *fortnight.locked_at && at < *fortnight.lock_ends + hours(3))
        << "an opening during the lock and its margin";
  }
  EXPECT_EQ(openings_before_lock, kNinth) << "the ninth was refused";
  std::size_t after_stop = 0;
  for (const auto& [id, arrival] : arrivals) {
    EXPECT_FALSE(arrival.at > *fortnight.banned_at && arrival.at < *fortnight.ban_ends + kRest)
        << "something was sent during the ban or the rest after it";
    if (arrival.phone == fortnight.who_stopped() && arrival.at > *fortnight.stopped_at)
      ++after_stop;
  }
  EXPECT_LE(after_stop, 1U) << "who said STOP gets one confirmation and nothing else";
  const std::vector<std::string> expected{"green", "yellow", "green", "red",
                                          "green", "amber",  "green", "yellow"};
  EXPECT_EQ(fortnight.levels, expected);
  EXPECT_GT(ends["sent"], 150);
  EXPECT_TRUE(shop.world.violations().empty());

  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin);
  std::printf("[fortnight] %zu accepted in %d days, %.1f s:", shop.accepted.size(), kDays,
              took.count());
  for (const auto& [what, count] : ends) std::printf("  %d %s", count, what.c_str());
  std::printf("\n");
}

}  // namespace
}  // namespace posthorn::scenario
