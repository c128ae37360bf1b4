#include "throttle/standing.h"

#include <gtest/gtest.h>

namespace posthorn::throttle {
namespace {

using Kind = Signal::Kind;

/// One account's standing with a clock beside it.
struct Account {
  Account() {
    standing.trust_days = 100;
    let_pass(0);
  }
  void let_pass(Tick time) {
    const Tick until = now + time;
    do {
      now = std::min(now + kHour, until);
      pass_time(standing, now, up ? 0 : kNever);
    } while (now < until);
  }
  bool signal(Kind kind, Tick lasts = 0) {
    Signal s;
    s.kind = kind;
    s.code = 102;
    if (lasts != 0) s.until = Wall{milliseconds(now + lasts), true};
    return apply(standing, s, moment());
  }
  void lock_is_over() {
    Signal s;
    s.kind = Kind::reachout_lock;
    s.active = false;
    apply(standing, s, moment());
  }
  [[nodiscard]] Moment moment() const {
    Moment m;
    m.now = now;
    m.wall_ms = now;
    return m;
  }
  [[nodiscard]] Level level() const { return level_of(standing, now); }

  Standing standing;
  Tick now = 20'000 * kDay;
  bool up = true;
};

TEST(Standing, KnowsWhenToLookWhetherALevelHasEnded) {
  const auto wakes_to_green = [](Account& a) {
    pass_time(a.standing, a.now, 0);
    for (int looks = 0; looks < 10 && a.level() != Level::green; ++looks) {
      const Tick end = next_end(a.standing, a.now, 0);
      if (end == kNever) return false;
      EXPECT_GT(end, a.now);
      a.now = end;
      pass_time(a.standing, a.now, 0);
    }
    return a.level() == Level::green;
  };
  for (const Kind kind : {Kind::rate_query, Kind::reachout_ack, Kind::reachout_lock}) {
    Account account;
    account.signal(kind, 5 * kHour);
    EXPECT_TRUE(wakes_to_green(account)) << static_cast<int>(kind);
  }
  for (const Kind kind : {Kind::temporary_ban, Kind::unlinked}) {
    Account account;
    account.signal(kind, 5 * kHour);
    EXPECT_EQ(next_end(account.standing, account.now, 0), kNever) << "only a person may end it";
    account.standing.acknowledged = true;
    EXPECT_EQ(next_end(account.standing, account.now, kNever), kNever) << "not while offline";
    // The stream has just come up: ten quiet minutes.
    EXPECT_GE(next_end(account.standing, account.now, account.now), account.now + 10 * kMinute);
    EXPECT_TRUE(wakes_to_green(account)) << static_cast<int>(kind);
  }
}

TEST(Standing, EachSignalLeadsToItsLevel) {
  const std::vector<std::pair<Kind, Level>> table{
      {Kind::rate_query, Level::amber},
      {Kind::rate_stream, Level::amber},
      {Kind::rate_message, Level::amber},
      {Kind::reachout_ack, Level::yellow},
      {Kind::new_chat_cap_ack, Level::yellow},
      {Kind::reachout_lock, Level::yellow},
      {Kind::temporary_ban, Level::red},
      {Kind::locked, Level::black},
      {Kind::banned, Level::black},
      {Kind::unlinked, Level::black},
      {Kind::replaced, Level::green},
      {Kind::client_refused, Level::green},
      {Kind::integrity_challenge, Level::red},
      {Kind::takeover_notice, Level::red},
      {Kind::abrupt_closes, Level::amber},
      {Kind::connection_lost, Level::green},
      {Kind::relinked, Level::green},
  };
  for (const auto& [kind, level] : table) {
    Account account;
    account.signal(kind);
    EXPECT_EQ(account.level(), level) << to_string(kind);
  }
}

TEST(Standing, AmberLastsADayFromTheLastSignal) {
  Account account;
  account.signal(Kind::rate_query);
  account.let_pass(20 * kHour);
  account.signal(Kind::rate_query);
  account.let_pass(23 * kHour);
  EXPECT_EQ(account.level(), Level::amber);
  account.let_pass(2 * kHour);
  EXPECT_EQ(account.level(), Level::green);
}

TEST(Standing, LostConnectionsAreNotChargedToTheAccount) {
  Account account;
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(account.signal(Kind::connection_lost)) << "a router that flaps all day";
    account.let_pass(10 * kMinute);
  }
  EXPECT_EQ(account.level(), Level::green);
  account.signal(Kind::abrupt_closes);
  EXPECT_EQ(account.level(), Level::amber);
  EXPECT_EQ(account.standing.pause_until, 0) << "regulars are still answered";
}

TEST(Standing, A463WithoutARestrictionEndsSoonerAndCostsTheSame) {
  Account account;
  account.signal(Kind::reachout_ack);
  EXPECT_EQ(account.level(), Level::yellow);
  const Tick alone = account.standing.reopen_at;
  account.let_pass(kMinute);
  account.lock_is_over();
  EXPECT_EQ(account.level(), Level::yellow);
  EXPECT_LT(account.standing.reopen_at, alone) << "nobody waits for a lock that is none";
  EXPECT_EQ(account.standing.factor, 500)
      << "given back, it let thirty openings in a row run into a restriction";
  EXPECT_EQ(account.standing.trust_days, 14);
}

TEST(Standing, AnActiveLockAfterA463KeepsItsPrice) {
  Account account;
  account.signal(Kind::reachout_ack);
  account.signal(Kind::reachout_lock, 6 * kHour);
  account.let_pass(10 * kMinute);
  account.lock_is_over();
  EXPECT_EQ(account.level(), Level::yellow);
  EXPECT_EQ(account.standing.factor, 500);
  EXPECT_EQ(account.standing.reopen_at, account.now + kHour)
      << "the account's own word ends the lock before its time";
}

TEST(Standing, OneWrongDateClosesNothingForYears) {
  Account account;
  account.signal(Kind::reachout_lock, 20 * 365 * kDay);
  EXPECT_LE(account.standing.lock_until, account.now + 60 * kDay);
  Account banned;
  banned.signal(Kind::temporary_ban, 20 * 365 * kDay);
  EXPECT_LE(banned.standing.red_until, banned.now + 61 * kDay);
}

TEST(Standing, TheAgeOfTheAccountCountsOnceAndLessThanUse) {
  Standing young;
  EXPECT_FALSE(credit_age(young, 0));
  Standing old;
  EXPECT_TRUE(credit_age(old, 900 * kDay));
  EXPECT_EQ(old.trust_days, 30);
  old.trust_days = 0;
  EXPECT_FALSE(credit_age(old, 901 * kDay)) << "each login tells it";
  EXPECT_EQ(old.trust_days, 0);
}

TEST(Standing, CappingClimbsFromAmberToClosedOpenings) {
  Account account;
  Signal s;
  s.kind = Kind::capping;
  s.status = "FIRST_WARNING";
  s.cycle_end = Wall{milliseconds(account.now + 9 * kDay), true};
  EXPECT_TRUE(apply(account.standing, s, account.moment()));
  EXPECT_EQ(account.level(), Level::amber);
  EXPECT_FALSE(apply(account.standing, s, account.moment())) << "the hourly query says it again";
  s.status = "SECOND_WARNING";
  EXPECT_TRUE(apply(account.standing, s, account.moment()));
  EXPECT_EQ(account.level(), Level::yellow);
  s.status = "CAPPED";
  EXPECT_TRUE(apply(account.standing, s, account.moment()));
  EXPECT_EQ(account.standing.openings_closed_until, account.now + 9 * kDay);
}

TEST(Standing, SignalsWithinSixHoursAreOneGroup) {
  Account account;
  account.signal(Kind::reachout_ack);
  account.let_pass(5 * kHour);
  account.signal(Kind::reachout_ack);
  EXPECT_EQ(account.standing.factor, 500);
  EXPECT_EQ(account.standing.rung, 1);
  account.let_pass(2 * kHour);
  account.signal(Kind::reachout_ack);
  EXPECT_EQ(account.standing.factor, 250);
  EXPECT_EQ(account.standing.rung, 2);
  account.let_pass(7 * kHour);
  account.signal(Kind::reachout_ack);
  EXPECT_EQ(account.standing.factor, 250) << "never below a quarter";
}

TEST(Standing, TheLadderKeepsOpeningsClosedLongerEachTime) {
  // lock, then the margin of the rung; trust falls by two stages, at the fourth to nothing.
  const std::vector<std::pair<Tick, std::int32_t>> rungs{
      {24 * kHour + 24 * kHour / 10, 14}, {48 * kHour, 3}, {48 * kHour + 5 * kDay, 0}};
  Account account;
  for (const auto& [closed, trust] : rungs) {
    account.signal(Kind::reachout_lock);
    EXPECT_EQ(account.standing.reopen_at - account.now, closed);
    EXPECT_LE(account.standing.trust_days, trust);
    account.let_pass(closed - kHour);
    account.lock_is_over();
    account.let_pass(2 * kHour);
    EXPECT_EQ(account.level(), Level::green);
    EXPECT_EQ(account.standing.recovery_until - account.standing.resumed_at, 72 * kHour);
  }
  account.signal(Kind::reachout_lock);
  EXPECT_EQ(account.standing.reopen_at - account.now, 6 * kDay + 30 * kDay);
  EXPECT_EQ(account.standing.trust_days, 0);
  EXPECT_TRUE(needs_acknowledgement(account.standing));
  account.let_pass(7 * kDay);
  account.lock_is_over();
  account.let_pass(33 * kDay);
  EXPECT_EQ(account.level(), Level::yellow) << "a fourth yellow waits for a person";
  account.standing.acknowledged = true;
  account.let_pass(kHour);
  EXPECT_EQ(account.level(), Level::green);
}

TEST(Standing, WithoutAnAnswerFromTheAccountItWaitsTwice) {
  Account account;
  account.signal(Kind::reachout_ack);
  const Tick closed = account.standing.reopen_at - account.now;
  account.let_pass(closed + kHour);
  EXPECT_EQ(account.level(), Level::yellow);
  account.let_pass(closed);
  EXPECT_EQ(account.level(), Level::green);
}

TEST(Standing, ALockThatTheServerNamesReplacesOurGuess) {
  Account account;
  account.signal(Kind::reachout_ack);
  account.signal(Kind::reachout_lock, 2 * kHour);
  EXPECT_EQ(account.standing.lock_until, account.now + 2 * kHour);
  EXPECT_EQ(account.standing.reopen_at, account.now + 3 * kHour);
  const std::int32_t factor = account.standing.factor;
  EXPECT_FALSE(account.signal(Kind::reachout_lock, 2 * kHour)) << "the six-hourly query";
  EXPECT_EQ(account.standing.factor, factor);
}

TEST(Standing, UnknownEnforcementStopsRegularsToo) {
  for (const auto& [type, stops] :
       std::vector<std::pair<std::string, bool>>{{"WEB_COMPANION_ONLY", false},
                                                 {"BIZ_QUALITY", false},
                                                 {"BIZ_COMMERCE_VIOLATION_ALCOHOL", false},
                                                 {"RESTRICT_ALL_COMPANIONS", true},
                                                 {"SOMETHING_NEW", true}}) {
    Account account;
    Signal s;
    s.kind = Kind::reachout_lock;
    s.enforcement = type;
    apply(account.standing, s, account.moment());
    EXPECT_EQ(account.standing.known_stopped, stops) << type;
  }
  Account account;
  Signal none;
  none.kind = Kind::reachout_lock;
  none.enforcement = "DEFAULT";
  EXPECT_FALSE(apply(account.standing, none, account.moment()));
  EXPECT_EQ(account.level(), Level::green);
}

TEST(Standing, RedNeedsTimeALinkAndAPerson) {
  Account account;
  account.up = false;
  account.signal(Kind::temporary_ban, 10 * kHour);
  EXPECT_EQ(account.standing.red_until, account.now + 11 * kHour);
  account.let_pass(12 * kHour);
  EXPECT_EQ(account.level(), Level::red);
  account.up = true;
  account.let_pass(kHour);
  EXPECT_EQ(account.level(), Level::red);
  account.standing.acknowledged = true;
  account.let_pass(kHour);
  EXPECT_EQ(account.level(), Level::green);
  EXPECT_EQ(account.standing.trust_days, 0);
  EXPECT_EQ(account.standing.factor, 250);
  EXPECT_GT(account.standing.openings_closed_until, account.now + 6 * kDay);
}

TEST(Standing, EachBanWithinThirtyDaysIsFollowedByALongerRest) {
  Account account;
  const Tick rests[]{kHour, 5 * kDay, 7 * kDay, 14 * kDay};
  for (const Tick rest : rests) {
    account.up = false;
    account.signal(Kind::temporary_ban, 10 * kHour);
    EXPECT_EQ(account.standing.red_until, account.now + 10 * kHour + rest);
    EXPECT_EQ(reconnect_at(account.standing), account.now + 11 * kHour)
        << "what customers write must still come in";
    account.let_pass(11 * kHour);
    account.up = true;
    account.standing.acknowledged = true;
    if (rest > kHour) {
      account.let_pass(rest - 2 * kHour);
      EXPECT_EQ(account.level(), Level::red);
    }
    account.let_pass(4 * kHour);
    EXPECT_EQ(account.level(), Level::green);
  }
  account.let_pass(31 * kDay);
  account.signal(Kind::temporary_ban, 10 * kHour);
  EXPECT_EQ(account.standing.red_until, account.now + 11 * kHour) << "thirty days are forgotten";
}

TEST(Standing, BlackNeedsANewLinkAndAPerson) {
  Account account;
  account.up = false;
  account.signal(Kind::unlinked);
  account.standing.acknowledged = true;
  account.let_pass(2 * kDay);
  EXPECT_EQ(account.level(), Level::black);
  account.up = true;
  account.let_pass(kHour);
  EXPECT_EQ(account.level(), Level::green);
}

TEST(Standing, TooFastPausesEverythingAndDoubles) {
  Account account;
  account.signal(Kind::rate_message);
  EXPECT_EQ(account.standing.pause_until, account.now + 30 * kMinute);
  EXPECT_FALSE(account.signal(Kind::rate_message)) << "the ack and its event are one";
  account.let_pass(2 * kHour);
  account.signal(Kind::rate_message);
  EXPECT_EQ(account.standing.pause_until, account.now + kHour);
  account.let_pass(25 * kHour);
  account.signal(Kind::rate_stream);
  EXPECT_EQ(account.standing.pause_until, account.now + kHour);
}

TEST(Standing, ThePaceFactorGrowsByATenthEachGreenWeek) {
  Account account;
  account.standing.factor = 500;
  account.let_pass(7 * kDay + kHour);
  EXPECT_EQ(account.standing.factor, 600);
  account.signal(Kind::rate_query);
  account.let_pass(6 * kDay);
  EXPECT_EQ(account.standing.factor, 600) << "the week begins anew after amber";
  account.let_pass(3 * kDay);
  EXPECT_EQ(account.standing.factor, 700);
  account.let_pass(70 * kDay);
  EXPECT_EQ(account.standing.factor, 1000);
}

TEST(Standing, TrustGrowsOnHealthyDaysOnly) {
  Account account;
  account.standing.trust_days = 0;
  account.standing.last_traffic = account.now + 30 * kDay;
  account.let_pass(5 * kDay);
  EXPECT_EQ(account.standing.trust_days, 5);
  account.up = false;
  account.let_pass(5 * kDay);
  EXPECT_LE(account.standing.trust_days, 6);
}

TEST(Standing, FourteenQuietDaysCostAStage) {
  Account account;
  account.standing.last_traffic = account.now;
  account.let_pass(15 * kDay);
  EXPECT_EQ(stage_of(account.standing.trust_days), 4U);
}

TEST(Standing, MonthsOfUseCountFifteenDaysEachUpToNinety) {
  Standing standing;
  credit_months(standing, 2);
  EXPECT_EQ(standing.trust_days, 30);
  Standing old;
  credit_months(old, 48);
  EXPECT_EQ(old.trust_days, 90);
  EXPECT_EQ(stage_of(0), 0U);
  EXPECT_EQ(stage_of(2), 0U);
  EXPECT_EQ(stage_of(3), 1U);
  EXPECT_EQ(stage_of(90), 5U);
}

}  // namespace
}  // namespace posthorn::throttle
