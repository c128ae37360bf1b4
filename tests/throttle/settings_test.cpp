#include "posthorn/throttle/settings.h"

#include <algorithm>
#include <functional>
#include <set>

#include "throttle/valve_fixture.h"

namespace posthorn::throttle {
namespace {

using test::Box;
using test::person;

Settings with(std::initializer_list<std::pair<std::string_view, std::int64_t>> changes) {
  Settings settings;
  for (const auto& [name, value] : changes) {
    for (const SettingInfo& info : setting_table()) {
      if (info.name == name) settings.*info.member = value;
    }
  }
  return settings;
}

enum class To : std::uint8_t { reply, known, first };

/// A box with `count` messages to as many people.
std::unique_ptr<Box> busy_box(const Settings& settings, To lane, int count) {
  auto box = std::make_unique<Box>(settings);
  EXPECT_TRUE(box->valve->declare_in_use(6, "test"));
  box->scheduler.advance(minutes(11));
  for (int i = 0; i < count; ++i) {
    if (lane == To::reply) box->wrote(person(i));
    if (lane == To::known) box->known(person(i));
  }
  for (int i = 0; i < count; ++i) {
    Job job = box->make_job(person(i), "Order " + std::to_string(i));
    job.consent = "order";
    box->post(std::move(job));
  }
  return box;
}

std::vector<std::int64_t> gaps(const Settings& settings, To lane, int count) {
  const auto box = busy_box(settings, lane, count);
  box->scheduler.advance(hours(4));
  std::vector<std::int64_t> out;
  for (std::size_t i = 1; i < box->sender.times.size(); ++i)
    out.push_back((box->sender.times[i] - box->sender.times[i - 1]).count());
  EXPECT_FALSE(out.empty());
  return out;
}
std::int64_t shortest(const Settings& settings, To lane, int count) {
  const auto all = gaps(settings, lane, count);
  return *std::min_element(all.begin(), all.end());
}
std::int64_t longest(const Settings& settings, To lane, int count) {
  const auto all = gaps(settings, lane, count);
  return *std::max_element(all.begin(), all.end());
}
std::size_t sent_within(const Settings& settings, To lane, int count, milliseconds time) {
  const auto box = busy_box(settings, lane, count);
  box->scheduler.advance(time);
  return box->sender.sent.size();
}
std::size_t asked_within(const Settings& settings, milliseconds time) {
  const auto box = busy_box(settings, To::first, 20);
  box->scheduler.advance(time);
  return box->checker.asked.size();
}
bool posts_twice_after(const Settings& settings, milliseconds pause) {
  Box box(settings);
  const Job job = box.make_job(person(1), "Your order is ready");
  EXPECT_EQ(box.valve->on_accept(job), std::nullopt);
  box.scheduler.advance(pause);
  return box.valve->on_accept(job).has_value();
}
std::optional<Wall> morning(const Settings& settings) {
  Box box(settings);
  box.known(person(1));
  const std::uint64_t sequence = box.post(person(1));
  box.scheduler.advance(seconds(30));
  const auto view = box.valve->view(sequence);
  return view ? view->not_before : std::nullopt;
}

const std::map<std::string_view, std::function<void()>>& scenarios() {
  static const std::map<std::string_view, std::function<void()>> all{
      {"gap_reply_min_ms",
       [] {
         EXPECT_LT(shortest({}, To::reply, 20), 2'000);
         EXPECT_GE(shortest(with({{"gap_reply_min_ms", 3'000}}), To::reply, 20), 3'000);
       }},
      {"gap_reply_max_ms",
       [] {
         const Settings slow = with({{"gap_reply_max_ms", 10'000}});
         EXPECT_GT(longest(slow, To::reply, 12), 4'000);
       }},
      {"gap_known_min_ms",
       [] {
         EXPECT_GE(shortest(with({{"gap_known_min_ms", 14'000}}), To::known, 8), 14'000);
         EXPECT_LT(shortest({}, To::known, 8), 14'000);
       }},
      {"gap_known_max_ms",
       [] {
         const Settings slow = with({{"gap_known_max_ms", 120'000}, {"minute_limit", 20}});
         EXPECT_GT(longest(slow, To::known, 8), 14'000);
         EXPECT_LE(longest(with({{"minute_limit", 20}}), To::known, 8), 14'000);
       }},
      {"gap_first_min_ms",
       [] {
         EXPECT_GE(shortest(with({{"gap_first_min_ms", 90'000}}), To::first, 8), 90'000);
         EXPECT_LT(shortest({}, To::first, 8), 90'000);
       }},
      {"gap_first_max_ms",
       [] {
         EXPECT_GT(longest(with({{"gap_first_max_ms", 600'000}}), To::first, 8), 90'000);
         EXPECT_LE(longest({}, To::first, 8), 90'000);
       }},
      {"gap_any_ms",
       [] {
         EXPECT_GE(shortest(with({{"gap_any_ms", 60'000}}), To::reply, 5), 60'000);
       }},
      {"delay_ms",
       [] {
         EXPECT_GE(shortest(with({{"delay_ms", 20'000}}), To::reply, 5), 20'000);
       }},
      {"gap_chat_ms",
       [] {
         const auto last_gap = [](const Settings& settings) {
           Box box(settings);
           box.wrote(person(1));
           for (int i = 0; i < 4; ++i) box.post(person(1));
           box.scheduler.advance(minutes(5));
           EXPECT_EQ(box.sender.times.size(), 4U);
           return (box.sender.times[3] - box.sender.times[2]).count();
         };
         EXPECT_GE(last_gap({}), 6'000) << "three at once, then six seconds";
         EXPECT_LT(last_gap({}), 10'000);
         EXPECT_GE(last_gap(with({{"gap_chat_ms", 40'000}})), 40'000);
       }},
      {"minute_limit",
       [] {
         EXPECT_EQ(sent_within(with({{"minute_limit", 1}}), To::known, 9, seconds(60)), 1U);
         EXPECT_GE(sent_within({}, To::known, 9, seconds(60)), 4U);
       }},
      {"minute_reply_limit",
       [] {
         EXPECT_EQ(sent_within(with({{"minute_reply_limit", 5}}), To::reply, 30, seconds(59)), 5U);
         EXPECT_EQ(sent_within({}, To::reply, 30, seconds(59)), 20U);
       }},
      {"hour_limit",
       [] {
         EXPECT_EQ(sent_within(with({{"hour_limit", 10}}), To::known, 50, minutes(59)), 10U);
         EXPECT_EQ(sent_within({}, To::known, 50, minutes(59)), 50U);
       }},
      {"day_limit",
       [] {
         EXPECT_EQ(sent_within(with({{"day_limit", 10}}), To::first, 18, hours(8)), 10U);
         EXPECT_EQ(sent_within({}, To::first, 18, hours(8)), 18U);
       }},
      {"day_total_limit",
       [] {
         EXPECT_EQ(sent_within(with({{"day_total_limit", 100}}), To::reply, 120, hours(4)), 100U);
         EXPECT_EQ(sent_within({}, To::reply, 120, hours(4)), 120U);
       }},
      {"checks_hour_limit",
       [] {
         EXPECT_EQ(asked_within(with({{"checks_hour_limit", 3}}), minutes(50)), 3U);
         EXPECT_EQ(asked_within({}, minutes(50)), 20U);
       }},
      {"checks_day_limit",
       [] {
         EXPECT_EQ(asked_within(with({{"checks_day_limit", 4}}), hours(7)), 4U);
         EXPECT_EQ(asked_within({}, hours(7)), 20U);
       }},
      {"double_post_s",
       [] {
         EXPECT_TRUE(posts_twice_after({}, seconds(9)));
         EXPECT_FALSE(posts_twice_after({}, seconds(11)));
         EXPECT_TRUE(posts_twice_after(with({{"double_post_s", 600}}), minutes(9)));
         EXPECT_FALSE(posts_twice_after(with({{"double_post_s", 0}}), seconds(0)));
       }},
      {"quiet_from_min",
       [] {
         EXPECT_EQ(morning({}), std::nullopt) << "noon is no night";
         EXPECT_NE(morning(with({{"quiet_from_min", 11 * 60}})), std::nullopt);
       }},
      {"quiet_to_min",
       [] {
         const auto early = morning(with({{"quiet_from_min", 660}, {"quiet_to_min", 13 * 60}}));
         const auto late = morning(with({{"quiet_from_min", 660}, {"quiet_to_min", 18 * 60}}));
         ASSERT_TRUE(early && late);
         EXPECT_EQ(*late - *early, hours(5)) << "the same place in the first hour";
         EXPECT_EQ(morning(with({{"quiet_from_min", 660}, {"quiet_to_min", 660}})), std::nullopt);
       }},
  };
  return all;
}

TEST(Settings, EachOneChangesBehaviour) {
  for (const SettingInfo& info : setting_table()) {
    const auto found = scenarios().find(info.name);
    ASSERT_NE(found, scenarios().end()) << "no test shows what " << info.name << " does";
    SCOPED_TRACE(std::string(info.name));
    found->second();
  }
}

TEST(Settings, OutOfRangeIsRefusedWithTheRange) {
  for (const SettingInfo& info : setting_table()) {
    for (const std::int64_t value : {info.low - 1, info.high + 1}) {
      Settings settings;
      const Result<void> changed = change_setting(settings, info.name, value);
      ASSERT_FALSE(changed) << info.name;
      EXPECT_EQ(changed.error().code, Errc::refused);
      EXPECT_NE(changed.error().detail.find(std::to_string(info.low)), std::string::npos);
      EXPECT_NE(changed.error().detail.find(std::to_string(info.high)), std::string::npos);
      EXPECT_EQ(settings, Settings{});
    }
  }
}

TEST(Settings, EveryRangeHoldsTheDefaultAndUnknownNamesListTheKnown) {
  EXPECT_TRUE(check_settings(Settings{}));
  Settings settings;
  const Result<void> changed = change_setting(settings, "speed", 1);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Errc::not_found);
  EXPECT_NE(changed.error().detail.find("gap_reply_min_ms"), std::string::npos);
}

TEST(Settings, AMinimumAboveItsMaximumIsRefused) {
  Settings settings;
  ASSERT_TRUE(change_setting(settings, "gap_reply_min_ms", 5'000));
  EXPECT_FALSE(check_settings(settings)) << "above the default maximum of 3 s";
  ASSERT_TRUE(change_setting(settings, "gap_reply_max_ms", 6'000));
  EXPECT_TRUE(check_settings(settings)) << "both were moved, in either order";
  ASSERT_TRUE(change_setting(settings, "day_limit", 9));
  EXPECT_FALSE(check_settings(settings)) << "0, or 10 and more";
}

TEST(Settings, QuietHoursComeFromTheConfiguration) {
  ThrottleConfig config;
  config.quiet_from = "22:30";
  config.quiet_to = "07:05";
  const Result<Settings> settings = settings_from(config);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->quiet_from_min, 22 * 60 + 30);
  EXPECT_EQ(settings->quiet_to_min, 7 * 60 + 5);
  for (const char* wrong : {"", "24:00", "9", "12:60", "a:b", "-1:30", "9:5x"}) {
    config.quiet_from = wrong;
    EXPECT_FALSE(settings_from(config)) << wrong;
  }
}

TEST(Settings, SetDelayIsALowerBoundAndNeverAWayToGoFaster) {
  Box box;
  EXPECT_FALSE(box.valve->set_delay(milliseconds(499)));
  EXPECT_FALSE(box.valve->set_delay(milliseconds(600'001)));
  ASSERT_TRUE(box.valve->set_delay(milliseconds(500)));
  for (int i = 0; i < 5; ++i) box.wrote(person(i));
  for (int i = 0; i < 5; ++i) box.post(person(i));
  box.scheduler.advance(minutes(1));
  for (std::size_t i = 1; i < box.sender.times.size(); ++i)
    EXPECT_GE(box.sender.times[i] - box.sender.times[i - 1], seconds(1));
}

TEST(Settings, TheBenchmarkLimitsRemoveThePaceButNotTheRed) {
  Settings settings;
  settings.unpaced_for_benchmarks = true;
  Box box(settings);
  for (int i = 0; i < 500; ++i) box.post(person(i));
  box.scheduler.advance(seconds(1));
  EXPECT_EQ(box.sender.sent.size(), 500U);
  box.signal(Signal::Kind::temporary_ban);
  box.post(person(1));
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.sender.sent.size(), 500U);
}

}  // namespace
}  // namespace posthorn::throttle
