#include <algorithm>

#include "throttle/valve_fixture.h"

// What never left the box costs nothing and stands in nobody's way; what cannot be there is asked
// about before it takes a place.

namespace posthorn::throttle {
namespace {

using test::Box;
using test::person;
using test::window;
using test::with_consent;
using Kind = SendOutcome::Kind;

SendOutcome outcome(Kind kind, const std::string& detail = "") {
  SendOutcome out;
  out.kind = kind;
  out.detail = detail;
  return out;
}

/// What every window has counted, but for questions about numbers.
std::map<std::string_view, std::uint32_t> counted(const Box& box) {
  std::map<std::string_view, std::uint32_t> out;
  for (const WindowUse& each : box.valve->status().windows) {
    if (each.name.find("check") == std::string_view::npos) out[each.name] = each.used;
  }
  return out;
}

TEST(NotSent, WhatNeverLeftTheBoxIsNotCounted) {
  Box box;
  const auto before = counted(box);
  for (int i = 0; i < 60; ++i) box.sender.outcomes.push_back(outcome(Kind::not_sent, "malformed"));
  box.post(with_consent(box.make_job(person(1), "Hello")));
  box.scheduler.advance(hours(6));
  EXPECT_GT(box.sender.sent.size(), 10U);
  EXPECT_EQ(counted(box), before);
  EXPECT_EQ(box.valve->status().waiting, 1U);
}

TEST(NotSent, TakesNoTurnFromOthers) {
  Box box;
  for (int i = 0; i < 40; ++i) box.sender.outcomes.push_back(outcome(Kind::not_sent, "malformed"));
  box.post(with_consent(box.make_job(person(1), "Hello")));
  box.scheduler.advance(minutes(5));
  const std::size_t tries = box.sender.sent.size();
  box.sender.outcomes.clear();
  for (int i = 2; i < 6; ++i) box.post(with_consent(box.make_job(person(i), "Hi " + person(i))));
  box.scheduler.advance(hours(2));
  EXPECT_GE(tries, 5U);
  EXPECT_EQ(box.listener.ids(Fate::Kind::sent).size(), 5U) << "all of today's openings";
}

TEST(NotSent, LeavesTheGapBehindATypedMessageOfSomebodyElse) {
  Box box;
  box.known(person(1));
  box.known(person(3));
  box.wrote(person(2));
  Job typed = box.make_job(person(1), "typed");
  typed.typing = seconds(20);
  box.post(typed);
  box.scheduler.advance(seconds(22));
  ASSERT_EQ(box.sender.sent.size(), 1U);
  // The answer's own gap is short, so that it is handed over in the other one's.
  box.sender.outcomes = {outcome(Kind::not_sent)};
  box.post(person(2));
  box.post(person(3));
  box.scheduler.advance(minutes(1));
  ASSERT_GE(box.sender.sent.size(), 3U);
  EXPECT_EQ(box.sender.sent[1].chat, person(2));
  for (std::size_t i = 2; i < box.sender.sent.size(); ++i) {
    if (box.sender.sent[i].chat != person(3)) continue;
    EXPECT_GE(box.sender.times[i] - box.sender.times[0], milliseconds(6000));
  }
}

TEST(NotSent, IsTriedEverMoreRarelyAndSaysWhy) {
  Box box;
  for (int i = 0; i < 40; ++i)
    box.sender.outcomes.push_back(outcome(Kind::not_sent, "asking for devices: 500"));
  box.known(person(1));
  const std::uint64_t sequence = box.post(person(1));
  box.scheduler.advance(minutes(4));
  ASSERT_GE(box.sender.times.size(), 5U);
  for (std::size_t i = 1; i + 1 < box.sender.times.size(); ++i) {
    EXPECT_GE(box.sender.times[i + 1] - box.sender.times[i],
              (box.sender.times[i] - box.sender.times[i - 1]) * 19 / 10);
  }
  const auto view = box.valve->view(sequence);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->hold, Hold::not_sent);
  EXPECT_EQ(to_string(view->hold), "not_sent");
  EXPECT_EQ(view->cause, "asking for devices: 500");
  EXPECT_FALSE(view->handed_over) << "nothing of it can have been sent";
}

TEST(NotSent, IsStillNotCountedAfterAPowerCut) {
  Box box;
  const auto before = counted(box);
  box.sender.outcomes = {outcome(Kind::not_sent), outcome(Kind::not_sent), outcome(Kind::not_sent)};
  box.post(with_consent(box.make_job(person(1), "Hello")));
  box.scheduler.advance(seconds(20));
  ASSERT_EQ(box.sender.sent.size(), 3U);
  box.cut_power();
  EXPECT_EQ(counted(box), before);
}

TEST(NotSent, TheConfirmationOfAnOptOutIsStillOwed) {
  Box box;
  box.wrote(person(1), milliseconds(0), "Stop");
  ASSERT_EQ(box.listener.confirmations.size(), 1U);
  box.sender.outcomes = {outcome(Kind::not_sent)};
  box.post(box.make_job(person(1), box.listener.confirmations[0].second));
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.listener.ids(Fate::Kind::sent).size(), 1U);
  EXPECT_EQ(box.sender.sent.size(), 2U);
}

TEST(NotSent, AnAnswerThatCameMeanwhileCounts) {
  Box box;
  const auto before = counted(box);
  box.sender.keep = true;
  box.post(with_consent(box.make_job(person(1), "Hello")));
  box.scheduler.advance(seconds(1));
  ASSERT_EQ(box.sender.sent.size(), 1U);
  box.wrote(person(1));
  box.sender.keep = false;
  box.sender.answer(outcome(Kind::not_sent));
  EXPECT_EQ(counted(box), before) << "it was given back once by the answer, and not again";
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.listener.ids(Fate::Kind::sent).size(), 1U);
  EXPECT_EQ(window(box.valve->status(), "openings_day").used, 0U) << "the customer wrote first";
}

TEST(NotSent, AnOpeningThatIsHandedOverAgainStaysOne) {
  Box box;
  box.sender.outcomes = {outcome(Kind::uncertain), outcome(Kind::uncertain),
                         outcome(Kind::uncertain)};
  box.post(with_consent(box.make_job(person(1), "Hello")));
  box.scheduler.advance(minutes(10));
  EXPECT_EQ(box.listener.ids(Fate::Kind::sent).size(), 1U);
  EXPECT_EQ(box.sender.sent.size(), 4U);
  EXPECT_EQ(window(box.valve->status(), "openings_day").used, 1U);
}

// Groups ------------------------------------------------------------------------------------------

constexpr const char* kGroup = "120363000000000001@g.us";

TEST(UnknownGroup, IsAskedAboutOnceAndWrittenToWhenTheAccountIsInIt) {
  Box box;
  box.post(kGroup);
  box.post(kGroup);
  box.scheduler.advance(minutes(2));
  EXPECT_EQ(box.checker.asked, std::vector<std::string>{kGroup});
  EXPECT_EQ(box.sender.sent.size(), 2U);
}

TEST(UnknownGroup, EndsAtOnceWhenTheAccountIsNotInIt) {
  Box box;
  box.checker.missing[kGroup] = true;
  box.post(kGroup);
  box.scheduler.advance(seconds(1));
  ASSERT_EQ(box.listener.fates.size(), 1U);
  EXPECT_EQ(box.listener.fates[0].refusal, Refusal::not_in_group);
  EXPECT_EQ(box.listener.fates[0].kind, Fate::Kind::failed);
  EXPECT_TRUE(box.sender.sent.empty());
  // Twenty answers are enough to say how many numbers are wrong: a group is none.
  for (int i = 10; i < 30; ++i) {
    const std::string group = "1203630000000001" + std::to_string(i) + "@g.us";
    box.checker.missing[group] = true;
    box.post(group);
  }
  box.scheduler.advance(hours(1));
  EXPECT_EQ(box.listener.fates.size(), 21U);
  EXPECT_FALSE(box.valve->status().bad_numbers);
  // Whoever reads that puts the account into the group.
  box.checker.missing.clear();
  box.scheduler.advance(minutes(2));
  box.post(kGroup);
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

TEST(UnknownGroup, WaitsTwelveHoursFromTheDayOnWhichItIsFound) {
  Box box;
  box.checker.member = box.clock.now();
  const std::uint64_t sequence = box.post(kGroup);
  box.scheduler.advance(hours(1));
  EXPECT_TRUE(box.sender.sent.empty());
  ASSERT_TRUE(box.valve->view(sequence));
  EXPECT_EQ(box.valve->view(sequence)->hold, Hold::opening_cap);
  box.scheduler.advance(hours(23));
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

TEST(UnknownGroup, IsAskedAgainWhenNobodyAnswered) {
  Box box;
  box.checker.offline = true;
  box.post(kGroup);
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.checker.asked.size(), 1U);
  box.checker.offline = false;
  box.scheduler.advance(minutes(10));
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

// LIDs --------------------------------------------------------------------------------------------

TEST(UnknownLid, IsAskedAboutBeforeItTakesAnOpening) {
  Box box;
  const std::string lid = "123450000000001@lid";
  box.checker.missing[lid] = true;
  box.post(with_consent(box.make_job(lid, "Hello")));
  box.scheduler.advance(seconds(5));
  EXPECT_EQ(box.listener.ids(Fate::Kind::no_account).size(), 1U);
  EXPECT_EQ(window(box.valve->status(), "openings_day").used, 0U);
  EXPECT_TRUE(box.sender.sent.empty());
  box.post(with_consent(box.make_job(lid, "Hello again")));
  box.scheduler.advance(seconds(5));
  EXPECT_EQ(box.listener.ids(Fate::Kind::no_account).size(), 2U);
  EXPECT_EQ(box.checker.asked.size(), 1U) << "it was answered a moment ago";
}

TEST(UnknownLid, OfSomebodyWhoHasWrittenIsAskedByNobody) {
  Box box;
  const std::string lid = "123450000000001@lid";
  box.known(lid);
  box.post(lid);
  box.scheduler.advance(minutes(1));
  EXPECT_TRUE(box.checker.asked.empty());
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

// Budgets -----------------------------------------------------------------------------------------

TEST(Budgets, OfSeveralAreChargedTogetherOrNotAtAll) {
  Box box;
  box.known(person(1));
  box.known(person(2));
  const auto join = [](int n) { return Cost{Action::add_group_member, person(n)}; };
  const std::vector<Cost> with_stranger{{Action::create_group, {}}, join(1), join(2), join(3)};
  const auto refused = box.valve->take(with_stranger);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail.find(person(3)), std::string::npos) << refused.error().detail;
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(box.valve->take(std::vector{join(1), join(2)})) << i << ": all ten are left";
  const auto full = box.valve->take(std::vector{Cost{Action::create_group, {}}, join(1)});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::busy);
  EXPECT_TRUE(box.valve->take(Action::create_group));
  EXPECT_TRUE(box.valve->take(Action::create_group)) << "two of two: the refused one cost none";
  EXPECT_FALSE(box.valve->take(Action::create_group));
  box.valve->give_back(Action::create_group);
  EXPECT_TRUE(box.valve->take(Action::create_group));
  EXPECT_FALSE(box.valve->take(std::vector<Cost>(61))) << "61 of 60 look-ups at once";
  EXPECT_TRUE(box.valve->take(std::vector<Cost>(60)));
}

}  // namespace
}  // namespace posthorn::throttle
