#include <gtest/gtest.h>

#include <chrono>

#include "posthorn/throttle/regulars.h"
#include "throttle/regulars.h"
#include "throttle/regulars_csv.h"
#include "throttle/state.h"
#include "valve_fixture.h"

// Who wrote to the shop before the box came: from the phone's history, from a list, from years ago.

namespace posthorn::throttle {
namespace {

using test::Box;
using test::person;
using test::window;
using test::with_consent;

ChatKey chat_of(std::uint64_t n) { return {491'500'000'000ULL + n, 0, ChatKey::Kind::phone}; }

Regular wrote_on(std::uint16_t day) {
  Regular out;
  out.in_day = day;
  out.flags = Regular::wrote;
  return out;
}

void tell(Box& box, const std::vector<PastChat>& chats) {
  bool kept = false;
  box.valve->on_history(chats, [&kept](Result<void> done) { kept = done.has_value(); });
  box.scheduler.run_posted();
  EXPECT_TRUE(kept);
}

PastChat wrote(const Box& box, const std::string& chat, milliseconds ago) {
  PastChat past;
  past.chat = chat;
  past.wrote = box.clock.now() - ago;
  return past;
}

TEST(Regulars, AHundredThousandFitInFourMegabytes) {
  Regulars regulars;
  for (std::uint64_t i = 0; i < kMaxRegulars; ++i)
    ASSERT_TRUE(regulars.learn(chat_of(i), wrote_on(static_cast<std::uint16_t>(1'000 + i % 900))));
  EXPECT_EQ(regulars.size(), kMaxRegulars);
  EXPECT_LE(regulars.memory_bytes(), 4'000'000U);
  for (std::uint64_t i = 0; i < kMaxRegulars; i += 999)
    EXPECT_NE(regulars.find(chat_of(i)), nullptr);
  EXPECT_FALSE(regulars.learn(chat_of(kMaxRegulars), wrote_on(1))) << "older than all of them";
  EXPECT_TRUE(regulars.learn(chat_of(kMaxRegulars), wrote_on(3'000)));
  EXPECT_NE(regulars.find(chat_of(kMaxRegulars)), nullptr);
  EXPECT_EQ(regulars.size(), kMaxRegulars);
}

TEST(Regulars, PiecesOfAHistoryAddUpInAnyOrder) {
  Regulars regulars;
  Regular late = wrote_on(2'000);
  late.run = 1;
  Regular early = wrote_on(1'500);
  early.run = 7;
  early.out_day = 2'001;
  regulars.learn(chat_of(1), late);
  regulars.learn(chat_of(1), early);
  EXPECT_EQ(regulars.find(chat_of(1))->in_day, 2'000);
  EXPECT_EQ(regulars.find(chat_of(1))->out_day, 2'001);
  EXPECT_EQ(regulars.find(chat_of(1))->run, 1) << "counted from the later message of theirs";
  Regular listed;
  listed.flags = Regular::wrote | Regular::listed;
  regulars.learn(chat_of(1), listed);
  EXPECT_EQ(regulars.find(chat_of(1))->flags, Regular::wrote) << "what was seen beats a list";
  regulars.learn(chat_of(2), listed);
  regulars.learn(chat_of(2), wrote_on(1'800));
  EXPECT_EQ(regulars.find(chat_of(2))->flags, Regular::wrote);
  regulars.forget(chat_of(1));
  EXPECT_EQ(regulars.find(chat_of(1)), nullptr);
  EXPECT_EQ(regulars.find(chat_of(2))->in_day, 1'800);
}

TEST(Regulars, OfThePhonesHistoryAreNoStrangers) {
  Box box;
  PastChat silent;
  silent.chat = person(2);
  silent.written = box.clock.now() - hours(24 * 50);
  silent.unanswered = 4;
  PastChat group;
  group.chat = "120363041234567890@g.us";
  group.member_since = box.clock.now() - hours(24 * 90);
  tell(box, {wrote(box, person(1), hours(24 * 700)),
             silent,
             group,
             wrote(box, person(3), hours(5)),
             {.chat = "nonsense", .wrote = {}, .written = {}, .member_since = {}}});
  EXPECT_EQ(box.valve->can_send(person(1), false, false, hours(24)).lane, Lane::known);
  EXPECT_EQ(box.valve->can_send(person(2), false, false, hours(24)).refusal,
            Refusal::unanswered_limit);
  EXPECT_EQ(box.valve->can_send(person(3), false, false, hours(24)).lane, Lane::reply);
  EXPECT_EQ(box.valve->can_send(person(4), false, false, hours(24)).lane, Lane::first);
  box.post(person(1));
  box.post(group.chat);
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.sender.sent.size(), 2U);
  EXPECT_TRUE(box.checker.asked.empty()) << "who wrote has a number";
}

TEST(Regulars, SurviveAPowerCutOnceTheyAreTold) {
  Box box;
  std::vector<PastChat> chats;
  for (int i = 0; i < 1'000; ++i) chats.push_back(wrote(box, person(i), hours(24 * 30)));
  tell(box, chats);
  box.cut_power();
  box.clock.on_server_time(Box::kNoon + 60);
  box.valve->on_connected();
  EXPECT_EQ(box.valve->status().regulars, 1'000U);
  EXPECT_EQ(box.valve->can_send(person(999), false, false, hours(24)).lane, Lane::known);
}

TEST(Regulars, AHistoryThatComesLaterFreesWhatWaits) {
  Box box;
  for (int i = 0; i < 5; ++i) {
    Job job = box.make_job(person(100 + i), "Receipt " + std::to_string(i));
    job.consent = "order";
    box.post(std::move(job));
  }
  box.scheduler.advance(hours(1));
  const std::uint64_t sequence = box.post(person(1), "Receipt");
  box.scheduler.advance(minutes(1));
  tell(box, {wrote(box, person(1), hours(24 * 20))});
  box.scheduler.advance(minutes(1));
  EXPECT_FALSE(box.valve->view(sequence)) << "it went as a regular's";
}

TEST(Regulars, ADeclaredNumberThatNobodyTellsOfMeetsMoreOfThemForAFortnight) {
  const auto allowed = [](Box& box) {
    for (const WindowUse& window : box.valve->status().windows) {
      if (window.name == "openings_day") return window.allowed;
    }
    return 0U;
  };
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(6, "Ida"));
  Box told;
  ASSERT_TRUE(told.valve->declare_in_use(6, "Ida"));
  tell(told, {wrote(told, person(1), hours(24 * 20))});
  EXPECT_EQ(allowed(box), 40U);
  EXPECT_EQ(allowed(told), 30U);
  EXPECT_EQ(window(box.valve->status(), "budget_30d").allowed, 1350U);
  EXPECT_EQ(window(told.valve->status(), "budget_30d").allowed, 900U);
  Box fresh;
  EXPECT_EQ(window(fresh.valve->status(), "budget_30d").allowed, 60U) << "no old number";
  // Later both have the same: what their stage gives after a fortnight of silence.
  box.scheduler.advance(hours(24 * 15));
  told.scheduler.advance(hours(24 * 15));
  EXPECT_EQ(allowed(box), allowed(told));
}

TEST(Import, TakesTheListsThatShopsHave) {
  const auto chat = [](std::string_view line) {
    const auto parsed = parse_regular(line);
    EXPECT_TRUE(parsed) << line;
    return parsed && *parsed ? (*parsed)->chat : std::string("nothing");
  };
  EXPECT_EQ(chat("4915550001234"), "4915550001234@c.us");
  EXPECT_EQ(chat("\"+49 1555 000-1234\";2026-03-31;Ida"), "4915550001234@c.us");
  EXPECT_EQ(chat("4915550001234\t2026-03-31\r"), "4915550001234@c.us");
  EXPECT_EQ(chat("\xef\xbb\xbfnumber,last"), "nothing");
  EXPECT_EQ(chat("   "), "nothing");
  EXPECT_FALSE(parse_regular("0155 5000 1234")) << "whose country?";
  EXPECT_FALSE(parse_regular("4915550001234,31.03.2026"));
  EXPECT_EQ((*parse_regular("4915550001234,2026-03-31"))->wrote->unix_seconds(), 1'774'915'200);
}

TEST(Import, MakesRegularsWhoseNumberIsCheckedOnce) {
  Box box;
  const auto report =
      box.valve->import_regulars("number,last contact\n" + person(1).substr(0, 12) +
                                     ",2026-01-05\n" + person(2).substr(0, 12) + "\n0155\n\n",
                                 "Ida");
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->added, 2U);
  EXPECT_EQ(report->refused, 1U);
  EXPECT_EQ(report->examples[0].line, 4U);
  EXPECT_FALSE(box.valve->import_regulars("4915550001234", "")) << "who answers for it?";
  box.checker.missing[person(2)] = true;
  for (int i = 1; i <= 2; ++i) box.post(person(i), "Receipt");
  box.scheduler.advance(minutes(2));
  ASSERT_EQ(box.sender.sent.size(), 1U);
  EXPECT_EQ(box.listener.ids(Fate::Kind::no_account).size(), 1U);
  box.post(person(1), "Receipt");
  box.scheduler.advance(minutes(2));
  EXPECT_EQ(box.checker.asked.size(), 2U) << "each number once";
  const auto audit = box.valve->audit(10);
  ASSERT_TRUE(audit);
  EXPECT_EQ(audit->back().what, "regulars");
  EXPECT_EQ(audit->back().who, "Ida");
}

TEST(Import, ABoughtListGetsNoFurtherThanTheDaysTotal) {
  Box box;
  std::string csv;
  for (int i = 0; i < 500; ++i) csv += person(i).substr(0, 12) + "\n";
  ASSERT_TRUE(box.valve->import_regulars(csv, "Ida"));
  for (int i = 0; i < 500; ++i) box.post(person(i), "Sale");
  box.scheduler.advance(hours(8));
  EXPECT_LE(box.sender.sent.size(), 50U);
}

TEST(Regulars, WhatHistoryTellsOfTheUnansweredIsNotTakenBackFromTheBudget) {
  Box box;
  PastChat silent;
  silent.chat = person(1);
  silent.written = box.clock.now() - hours(24 * 20);
  silent.unanswered = 40;
  tell(box, {silent});
  for (int i = 10; i < 13; ++i)
    box.post(with_consent(box.make_job(person(i), "Receipt " + std::to_string(i))));
  box.scheduler.advance(hours(1));
  ASSERT_EQ(window(box.valve->status(), "budget_30d").used, 3U);
  box.wrote(person(1));
  EXPECT_EQ(window(box.valve->status(), "budget_30d").used, 3U) << "theirs was never counted";
  box.wrote(person(10));
  EXPECT_EQ(window(box.valve->status(), "budget_30d").used, 2U);
}

TEST(Regulars, AnAnswerGivesBackWhatWentBehindTheHistorysUnanswered) {
  Box box;
  PastChat silent;
  silent.chat = person(1);
  silent.written = box.clock.now() - hours(24 * 20);
  silent.unanswered = 1;
  tell(box, {silent});
  box.post(person(1), "Receipt");
  box.scheduler.advance(hours(1));
  ASSERT_EQ(window(box.valve->status(), "budget_30d").used, 1U);
  box.wrote(person(1));
  EXPECT_EQ(window(box.valve->status(), "budget_30d").used, 0U);
}

TEST(Regulars, AnAnswerGivesBackWhatItWasSentHoweverManyWereOpenedSince) {
  const auto state = std::make_unique<State>();
  const Tick start = 1'790'000'000 * kSecond;
  Tick now = start;
  for (std::uint64_t i = 0; i < 200; ++i, now += kMinute)
    charge(*state, {.chat = chat_of(i), .opening = true, .consent = true}, now);
  ASSERT_EQ(state->month_unanswered.used(now), 200U);
  note_inbound(*state, chat_of(0), now, now);
  EXPECT_EQ(state->month_unanswered.used(now), 199U);
  note_inbound(*state, chat_of(0), now, now);
  EXPECT_EQ(state->month_unanswered.used(now), 199U) << "once";
  now += 31 * kDay;
  charge(*state, {.chat = chat_of(500), .opening = true}, now);
  note_inbound(*state, chat_of(1), now, now);
  EXPECT_EQ(state->month_unanswered.used(now), 1U) << "that one has left the month by itself";
}

TEST(CanSend, CountsThoseWhoWaitAndHowLongTheMessageMay) {
  Box box;
  box.valve->pause();
  for (int i = 0; i < 90; ++i) {
    box.known(person(i));
    box.post(person(i));
  }
  box.known(person(200));
  box.valve->resume();
  const Outlook regular = box.valve->can_send(person(200), false, false, hours(24));
  EXPECT_EQ(regular.why, Hold::pace);
  ASSERT_TRUE(regular.earliest);
  EXPECT_GE(*regular.earliest - box.clock.now(), minutes(15)) << "90 of them, ten seconds each";
  EXPECT_LE(*regular.earliest - box.clock.now(), hours(2));
  for (int i = 0; i < 5; ++i)
    box.post(with_consent(box.make_job(person(300 + i), "Receipt " + std::to_string(i))));
  EXPECT_EQ(box.valve->can_send(person(400), true, false, hours(1)).refusal, Refusal::no_capacity);
  EXPECT_FALSE(box.valve->can_send(person(400), true, false, hours(48)).refusal);
}

TEST(CanSend, ARegularsTurnThatFallsIntoTheNightIsTheMorning) {
  Box box;
  box.scheduler.advance(hours(8));  // 20:00
  box.valve->pause();
  for (int i = 0; i < 300; ++i) {
    box.known(person(i));
    box.post(person(i));
  }
  box.known(person(400));
  box.valve->resume();
  const Outlook regular = box.valve->can_send(person(400), false, false, hours(24));
  EXPECT_EQ(regular.why, Hold::pace);
  ASSERT_TRUE(regular.earliest);
  EXPECT_EQ(*regular.earliest - box.clock.now(), hours(12)) << "08:00";
  const Outlook urgent = box.valve->can_send(person(400), false, true, hours(24));
  ASSERT_TRUE(urgent.earliest);
  EXPECT_LT(*urgent.earliest, *regular.earliest);
}

TEST(CanSend, SaysWhatWouldHappenAndChangesNothing) {
  Box box;
  box.known(person(1));
  const Outlook regular = box.valve->can_send(person(1), false, false, hours(24));
  EXPECT_EQ(regular.lane, Lane::known);
  EXPECT_EQ(regular.why, Hold::none);
  const Outlook stranger = box.valve->can_send(person(2), true, false, hours(24));
  EXPECT_TRUE(stranger.new_customer);
  EXPECT_FALSE(stranger.refusal);
  for (int i = 0; i < 5; ++i) {
    Job job = box.make_job(person(100 + i), "Receipt " + std::to_string(i));
    job.consent = "order";
    box.post(std::move(job));
  }
  box.scheduler.advance(hours(1));
  ASSERT_EQ(box.sender.sent.size(), 5U);
  const Outlook sixth = box.valve->can_send(person(2), true, false, hours(24));
  EXPECT_EQ(sixth.why, Hold::opening_cap);
  ASSERT_TRUE(sixth.earliest);
  EXPECT_GT(*sixth.earliest - box.clock.now(), hours(20));
  ASSERT_TRUE(box.valve->add_opt_out(person(1), "Ida", "asked at the counter"));
  EXPECT_EQ(box.valve->can_send(person(1), false, false, hours(24)).refusal, Refusal::opted_out);
  EXPECT_EQ(box.checker.asked.size(), 5U) << "nobody was asked about";
  box.scheduler.advance(hours(10));  // 23:00
  EXPECT_EQ(box.valve->can_send(person(100), false, false, hours(24)).lane, Lane::first);
  box.known(person(3));
  EXPECT_EQ(box.valve->can_send(person(3), false, false, hours(24)).why, Hold::quiet_hours);
  EXPECT_EQ(box.valve->can_send(person(3), false, true, hours(24)).why, Hold::none) << "urgent";
}

}  // namespace
}  // namespace posthorn::throttle
