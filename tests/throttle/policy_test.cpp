#include "throttle/valve_fixture.h"

namespace posthorn::throttle {
namespace {

using test::Box;
using test::person;
using test::window;
using test::with_consent;

// First contact -----------------------------------------------------------------------------------

TEST(FirstContact, OnlyHalfOfTheOpeningsGoWithoutConsent) {
  Box box;
  for (int i = 0; i < 4; ++i) box.post(person(i));
  box.scheduler.advance(hours(4));
  EXPECT_EQ(box.sender.sent.size(), 2U) << "2 of 5 at stage 0";
  for (int i = 10; i < 14; ++i)
    box.post(with_consent(box.make_job(person(i), "Welcome " + std::to_string(i))));
  box.scheduler.advance(hours(4));
  EXPECT_EQ(box.sender.sent.size(), 5U);
}

TEST(FirstContact, WhatCannotBeReachedInTimeFailsAtOnceWithTheEarliestTime) {
  Box box;
  for (int i = 0; i < 5; ++i)
    box.post(with_consent(box.make_job(person(i), "Welcome " + std::to_string(i))));
  box.scheduler.advance(hours(1));
  ASSERT_EQ(box.sender.sent.size(), 5U);
  Job job = with_consent(box.make_job(person(9), "Welcome"));
  job.expires_at = box.clock.now() + hours(2);
  box.post(job);
  box.scheduler.run_posted();
  ASSERT_EQ(box.listener.fates.back().refusal, Refusal::no_capacity);
  ASSERT_TRUE(box.listener.fates.back().not_before);
  const Wall earliest = *box.listener.fates.back().not_before;
  EXPECT_GT(earliest - box.clock.now(), hours(22));
  EXPECT_LT(earliest - box.clock.now(), hours(25));
  EXPECT_NE(box.listener.fates.back().description.find("no_capacity: earliest 20"),
            std::string::npos);
}

TEST(FirstContact, TwoUnansweredMessagesThenOneADayThenNone) {
  Box box;
  for (int i = 0; i < 4; ++i) {
    Job job = box.make_job(person(1), "Reminder " + std::to_string(i));
    job.expires_at = box.clock.now() + hours(24 * 30);
    box.post(job);
  }
  box.scheduler.advance(hours(8));
  ASSERT_EQ(box.sender.sent.size(), 2U);
  EXPECT_EQ(box.valve->view(3)->hold, Hold::unanswered);
  box.scheduler.advance(hours(48));
  EXPECT_EQ(box.sender.sent.size(), 3U);
  ASSERT_FALSE(box.listener.fates.empty());
  EXPECT_EQ(box.listener.fates.back().refusal, Refusal::unanswered_limit);
  EXPECT_TRUE(box.outbox.jobs.empty());
}

TEST(FirstContact, ConsentStretchesTheRunToTen) {
  Box box;
  for (int i = 0; i < 12; ++i) {
    Job job = with_consent(box.make_job(person(1), "Reminder " + std::to_string(i)));
    job.expires_at = box.clock.now() + hours(24 * 30);
    box.post(job);
  }
  box.scheduler.advance(hours(24 * 14));
  EXPECT_EQ(box.sender.sent.size(), 10U);
}

TEST(FirstContact, AnAnswerTurnsAWaitingFirstJobIntoAReply) {
  Box box;
  for (int i = 0; i < 3; ++i) box.post(person(1), "Hello " + std::to_string(i));
  box.scheduler.advance(hours(2));
  ASSERT_EQ(box.sender.sent.size(), 2U);
  EXPECT_EQ(box.valve->view(3)->lane, Lane::first);
  box.wrote(person(1));
  box.scheduler.advance(seconds(3));
  EXPECT_EQ(box.sender.sent.size(), 3U);
}

TEST(FirstContact, APoorListClosesAllButTwoOpeningsAndTellsTheOperator) {
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(6, "test"));
  for (int i = 0; i < 30; i += 4) box.checker.missing[person(i)] = true;
  for (int i = 0; i < 30; ++i)
    box.post(with_consent(box.make_job(person(i), "Hi " + std::to_string(i))));
  box.scheduler.advance(hours(7));
  EXPECT_GT(*box.valve->status().bad_numbers, 0.10);
  EXPECT_EQ(window(box.valve->status(), "openings_day").allowed, 2U);
  ASSERT_EQ(box.listener.sentences.size(), 1U);
  EXPECT_NE(box.listener.sentences[0].find("not on WhatsApp"), std::string::npos);
}

TEST(FirstContact, AClerksTypingErrorsAreToldAtOnceAndHoldNobodyBack) {
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(6, "test"));
  int made = 0;
  for (int day = 0; day < 20; ++day) {
    for (int i = 0; i < 10; ++i) {
      const std::string chat = person(++made);
      if (i == 4) box.checker.missing[chat] = true;
      box.post(with_consent(box.make_job(chat, "Receipt " + std::to_string(made))));
      box.scheduler.advance(seconds(1));
      if (i == 4) {
        ASSERT_FALSE(box.listener.fates.empty());
        EXPECT_EQ(box.listener.fates.back().job.chat, chat)
            << "while the customer still stands there";
        EXPECT_EQ(box.listener.fates.back().kind, Fate::Kind::no_account);
      }
      box.scheduler.advance(minutes(20));
      if (i == 0) box.wrote(chat);
      box.valve->on_read(chat);
    }
    box.scheduler.advance(hours(24) - minutes(200) - seconds(10));
    EXPECT_GE(window(box.valve->status(), "openings_day").allowed, 20U) << "day " << day;
  }
  EXPECT_EQ(box.sender.sent.size(), 180U);
  EXPECT_TRUE(box.listener.sentences.empty());
}

TEST(FirstContact, WrongNumbersTakeNoTurnFromRealOnes) {
  Box box;
  for (int i = 0; i < 20; ++i) {
    box.checker.missing[person(i)] = true;
    box.post(with_consent(box.make_job(person(i), "Receipt " + std::to_string(i))));
    box.scheduler.advance(seconds(1));
  }
  for (int i = 100; i < 102; ++i)
    box.post(with_consent(box.make_job(person(i), "Receipt " + std::to_string(i))));
  box.scheduler.advance(minutes(5));
  EXPECT_EQ(box.sender.sent.size(), 2U);
}

TEST(FirstContact, APoorListIsForgottenWithinDays) {
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(6, "test"));
  for (int i = 0; i < 30; ++i) {
    box.checker.missing[person(i)] = i % 2 == 0;
    if (i % 2 == 1) box.checker.missing.erase(person(i));
    box.post(with_consent(box.make_job(person(i), "Hi " + std::to_string(i))));
  }
  box.scheduler.advance(hours(1));
  EXPECT_EQ(window(box.valve->status(), "openings_day").allowed, 2U);
  box.scheduler.advance(hours(4 * 24));
  EXPECT_GT(window(box.valve->status(), "openings_day").allowed, 2U);
}

TEST(FirstContact, WhatTheMonthHasNoRoomForIsRefusedAtThePost) {
  Box box;
  Signal cap;
  cap.kind = Signal::Kind::capping;
  cap.status = "NONE";
  cap.total_quota = 20;
  cap.used_quota = 14;
  cap.cycle_end = box.clock.now() + hours(24 * 3);
  box.valve->on_signal(cap);
  for (int i = 0; i < 2; ++i) {
    box.post(with_consent(box.make_job(person(i), "Receipt " + std::to_string(i))));
    box.scheduler.advance(hours(2));
  }
  EXPECT_EQ(box.sender.sent.size(), 1U) << "half of 6 over three days";
  Job again = with_consent(box.make_job(person(0), "Your parcel is here"));
  again.expires_at = box.clock.now() + hours(12);
  box.post(again);
  box.scheduler.run_posted();
  ASSERT_FALSE(box.listener.fates.empty());
  EXPECT_EQ(box.listener.fates.back().refusal, Refusal::no_capacity)
      << "the quota counts each message to people who do not answer";
}

TEST(FirstContact, AnUnansweredQuestionIsAskedAgainLaterAndNeverSkipped) {
  Box box;
  box.checker.offline = true;
  const std::uint64_t sequence = box.post(person(1));
  box.scheduler.advance(minutes(3));
  EXPECT_TRUE(box.sender.sent.empty());
  EXPECT_EQ(box.valve->view(sequence)->hold, Hold::checking_number);
  box.checker.offline = false;
  box.scheduler.advance(minutes(10));
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

TEST(FirstContact, TheServersOwnQuotaBeatsTheTable) {
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(6, "test"));
  Signal cap;
  cap.kind = Signal::Kind::capping;
  cap.status = "NONE";
  cap.total_quota = 100;
  cap.used_quota = 40;
  cap.cycle_end = box.clock.now() + hours(24 * 10);
  box.valve->on_signal(cap);
  EXPECT_EQ(window(box.valve->status(), "openings_day").allowed, 3U) << "half of 60 over ten days";
}

// Guards ------------------------------------------------------------------------------------------

TEST(Guards, TheFourthChatWithOneTextWaitsAQuarterOfAnHour) {
  Box box;
  for (int i = 0; i < 5; ++i) box.known(person(i));
  for (int i = 0; i < 5; ++i) box.post(box.make_job(person(i), "Sale TODAY"));
  box.scheduler.advance(minutes(10));
  EXPECT_EQ(box.sender.sent.size(), 3U);
  EXPECT_EQ(box.valve->view(4)->hold, Hold::same_text);
  box.scheduler.advance(minutes(80));
  ASSERT_EQ(box.sender.sent.size(), 5U);
  for (std::size_t i = 3; i < 5; ++i) {
    EXPECT_GE(box.sender.times[i] - box.sender.times[i - 1], minutes(15));
    EXPECT_LE(box.sender.times[i] - box.sender.times[i - 1], minutes(25) + seconds(30));
  }
}

TEST(Guards, TheSameTextDoesNotHoldBackOthers) {
  Box box;
  for (int i = 0; i < 9; ++i) box.known(person(i));
  for (int i = 0; i < 8; ++i) box.post(box.make_job(person(i), "Sale"));
  box.post(box.make_job(person(8), "Your order is ready"));
  box.scheduler.advance(minutes(4));
  EXPECT_EQ(box.sender.sent.size(), 4U);
  EXPECT_EQ(readable_text(box.sender.sent.back().content), "Your order is ready");
}

TEST(Guards, NightHoldsAllButRepliesAndTwentyUrgentOnes) {
  Box box;
  for (int i = 0; i < 60; ++i) box.known(person(i));
  box.scheduler.advance(hours(10));  // 22:00
  box.wrote(person(100));
  for (int i = 0; i < 30; ++i) {
    Job job = box.make_job(person(i), "Code " + std::to_string(i));
    job.urgent = true;
    box.post(job);
  }
  const std::uint64_t plain = box.post(person(50));
  box.post(person(100));
  box.scheduler.advance(hours(9));
  EXPECT_EQ(box.sender.sent.size(), 21U);
  EXPECT_EQ(box.valve->view(plain)->hold, Hold::quiet_hours);
  EXPECT_EQ(box.valve->status().waiting_for_morning, 11U);
  EXPECT_NE(box.valve->sentence().find("11 jobs wait for the morning."), std::string::npos);
  box.scheduler.advance(hours(3));
  EXPECT_EQ(box.sender.sent.size(), 32U);
}

TEST(Guards, FewAnswersShrinkTheOpenings) {
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(6, "test"));
  const auto day_of = [&box](int from, int answered) {
    for (int i = from; i < from + 20; ++i) {
      box.post(with_consent(box.make_job(person(i), "Hi " + std::to_string(i))));
      box.scheduler.advance(minutes(10));
      if (i < from + answered) box.wrote(person(i));
    }
    box.scheduler.advance(hours(24) - minutes(200));
  };
  day_of(0, 8);
  // A third more than the stage's 30: declared, and nobody has told of regulars.
  EXPECT_EQ(window(box.valve->status(), "openings_day").allowed, 40U);
  day_of(20, 0);
  EXPECT_EQ(window(box.valve->status(), "openings_day").allowed, 20U) << "8 of 40 answered";
  EXPECT_EQ(box.valve->level(), Level::green);
}

TEST(Guards, AReceiptThatWasAskedForAndOpenedIsWelcome) {
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(6, "test"));
  for (int i = 0; i < 30; ++i) {
    Job job = box.make_job(person(i), "Your receipt " + std::to_string(i));
    if (i % 2 == 0) job.consent = "order";
    box.post(std::move(job));
    box.scheduler.advance(minutes(10));
    box.valve->on_read(person(i));
  }
  const ThrottleStatus status = box.valve->status();
  EXPECT_EQ(*status.reply_share, 0.0);
  EXPECT_NEAR(*status.welcome_share, 0.5, 0.1) << "what nobody asked for needs an answer";
  EXPECT_EQ(window(status, "openings_day").allowed, 40U) << "nothing is taken off";
  EXPECT_EQ(box.valve->level(), Level::green);
}

TEST(Guards, HardlyAnyAnswersMeanOneOpeningInFiveDaysAndAmber) {
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(6, "test"));
  for (int i = 0; i < 30; ++i)
    box.post(with_consent(box.make_job(person(i), "Hi " + std::to_string(i))));
  box.scheduler.advance(hours(24));
  EXPECT_EQ(box.sender.sent.size(), 20U);
  EXPECT_EQ(box.valve->level(), Level::amber);
  EXPECT_EQ(box.valve->status().signal, "reply_share");
  ASSERT_EQ(box.listener.sentences.size(), 1U);
}

TEST(Guards, MoreThanThirtyStrangersWithOneTextNeedAnApproval) {
  Settings settings;
  settings.quiet_from_min = settings.quiet_to_min;
  Box box(settings);
  ASSERT_TRUE(box.valve->declare_in_use(6, "test"));
  Override more{.limit = "openings",
                .campaign_text = {},
                .lasts = hours(24),
                .who = "shop",
                .reason = "opening day of the shop"};
  ASSERT_TRUE(box.valve->add_override(more));
  // Strangers who answer, so that the reply share leaves room.
  int refused = 0;
  for (int i = 0; i < 36; ++i) {
    Job job = with_consent(box.make_job(person(i), "We open today. Reply YES for news"));
    box.post(job);
    box.scheduler.advance(minutes(26));
    refused = 0;
    for (const Fate& fate : box.listener.fates)
      refused += fate.refusal == Refusal::campaign_needs_approval ? 1 : 0;
    for (const Job& sent : box.sender.sent) {
      if (sent.id == job.id) box.wrote(person(i));
    }
  }
  EXPECT_EQ(box.sender.sent.size(), 30U);
  EXPECT_EQ(refused, 6);
  Override approved{.limit = "campaign",
                    .campaign_text = "we open today. reply yes for NEWS",
                    .lasts = hours(1),
                    .who = "shop",
                    .reason = "agreed with the owner"};
  ASSERT_TRUE(box.valve->add_override(approved));
  box.post(with_consent(box.make_job(person(99), "We open today. Reply YES for news")));
  box.scheduler.advance(minutes(26));
  EXPECT_EQ(box.sender.sent.size(), 31U);
}

TEST(Guards, RegularsAreNotCountedInTheDayOfANewNumber) {
  Box box;
  for (int i = 0; i < 120; ++i) box.known(person(i));
  for (int i = 0; i < 120; ++i) box.post(person(i), "Receipt");
  box.scheduler.advance(hours(3));
  EXPECT_EQ(box.sender.sent.size(), 120U) << "the day's 50 are for strangers";
  for (int i = 200; i < 260; ++i) box.wrote(person(i), hours(24 * 40));
  for (int i = 200; i < 260; ++i) box.post(person(i), "We miss you");
  box.scheduler.advance(hours(4));
  EXPECT_EQ(box.sender.sent.size(), 170U) << "who was silent for a month is one";
}

TEST(Guards, ANewGroupWaitsTwelveHours) {
  Box box;
  const std::string group = "120363041234567890@g.us";
  box.valve->on_group(group, box.clock.now() - hours(8));
  box.post(group);
  box.scheduler.advance(hours(3) + minutes(50));
  EXPECT_TRUE(box.sender.sent.empty());
  box.scheduler.advance(minutes(20));
  EXPECT_EQ(box.sender.sent.size(), 1U);
  EXPECT_TRUE(box.checker.asked.empty()) << "a group has no number to ask about";
}

// Opt-out -----------------------------------------------------------------------------------------

TEST(OptOut, OnlyAnswersToALaterMessageGo) {
  Box box;
  box.wrote(person(1), milliseconds(0), "stop");
  box.scheduler.advance(minutes(1));
  box.post(person(1));
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.listener.fates.back().refusal, Refusal::opted_out);
  box.wrote(person(1), milliseconds(0), "where is my order?");
  box.post(person(1));
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.sender.sent.size(), 1U);
  box.scheduler.advance(hours(24));
  box.post(person(1));
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

TEST(OptOut, SayingStopAgainIsNoInvitation) {
  Box box;
  box.wrote(person(1), milliseconds(0), "stop");
  box.scheduler.advance(minutes(5));
  box.wrote(person(1), milliseconds(0), "STOP");
  box.post(person(1));
  box.scheduler.advance(minutes(5));
  EXPECT_TRUE(box.sender.sent.empty());
}

TEST(OptOut, StartTakesItOffAndAGroupCannotOptOut) {
  Box box;
  box.wrote(person(1), milliseconds(0), "stop");
  box.wrote(person(1), milliseconds(0), "Start");
  EXPECT_FALSE(box.valve->opted_out(person(1)));
  box.wrote("120363041234567890@g.us", milliseconds(0), "stop");
  EXPECT_TRUE(box.valve->opt_outs().empty());
}

TEST(OptOut, AnOperatorsEntryNeedsAReasonAndSurvivesEverything) {
  Box box;
  EXPECT_FALSE(box.valve->add_opt_out(person(1), "shop", ""));
  EXPECT_FALSE(box.valve->add_opt_out("not a chat", "shop", "asked at the counter"));
  ASSERT_TRUE(box.valve->add_opt_out(person(1), "shop", "asked at the counter"));
  EXPECT_FALSE(box.valve->remove_opt_out(person(2), "shop", "never was on it"));
  box.valve->factory_defaults("shop");
  box.cut_power();
  const std::vector<OptOut> list = box.valve->opt_outs();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].chat, person(1));
  EXPECT_TRUE(list[0].by_operator);
  ASSERT_TRUE(box.valve->remove_opt_out(person(1), "shop", "came back and asked"));
  EXPECT_TRUE(box.valve->opt_outs().empty());
}

TEST(OptOut, RefusesWhatWasWaiting) {
  Box box;
  box.valve->on_disconnected();
  for (int i = 0; i < 3; ++i) box.post(person(1));
  box.wrote(person(1), milliseconds(0), "unsubscribe");
  box.scheduler.advance(seconds(1));
  EXPECT_EQ(box.listener.ids(Fate::Kind::failed).size(), 3U);
  EXPECT_TRUE(box.outbox.jobs.empty());
}

// Signals -----------------------------------------------------------------------------------------

TEST(Signals, A463IsFinalAndItsChatIsLeftAloneUntilTheResume) {
  Box box;
  box.known(person(1));
  box.sender.outcomes.push_back({SendOutcome::Kind::restricted, 463, "locked", {}});
  box.post(person(1));
  box.post(person(1));
  box.scheduler.advance(minutes(30));
  EXPECT_EQ(box.sender.sent.size(), 1U);
  EXPECT_EQ(box.listener.ids(Fate::Kind::failed).size(), 1U);
  EXPECT_EQ(box.valve->level(), Level::yellow);
  EXPECT_EQ(box.listener.questions, 1);
  box.scheduler.advance(hours(23));
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

TEST(Signals, A429KeepsTheJobAndPausesEverything) {
  Box box;
  box.wrote(person(1));
  box.sender.outcomes.push_back({SendOutcome::Kind::restricted, 429, "too fast", {}});
  box.post(person(1));
  box.scheduler.advance(minutes(29));
  EXPECT_EQ(box.sender.sent.size(), 1U);
  EXPECT_EQ(box.valve->level(), Level::amber);
  box.scheduler.advance(minutes(3));
  ASSERT_EQ(box.sender.sent.size(), 2U);
  EXPECT_EQ(box.sender.sent[0].id, box.sender.sent[1].id);
}

TEST(Signals, RedStopsRepliesAndNamesTheTimeToReconnect) {
  Box box;
  Signal ban;
  ban.kind = Signal::Kind::temporary_ban;
  ban.code = 104;
  ban.until = box.clock.now() + hours(5);
  box.valve->on_signal(ban);
  box.wrote(person(1));
  const std::uint64_t sequence = box.post(person(1));
  box.scheduler.advance(hours(1));
  EXPECT_TRUE(box.sender.sent.empty());
  EXPECT_EQ(box.valve->view(sequence)->hold, Hold::red);
  EXPECT_EQ(*box.valve->reconnect_not_before(), *ban.until + hours(1));
  box.scheduler.advance(hours(6));
  EXPECT_EQ(box.valve->level(), Level::red);
  EXPECT_FALSE(box.valve->acknowledge("shop", "ok")) << "a reason of ten characters";
  ASSERT_TRUE(box.valve->acknowledge("shop", "the owner has read it"));
  box.scheduler.advance(seconds(5));
  EXPECT_EQ(box.valve->level(), Level::green);
  EXPECT_EQ(box.sender.sent.size(), 1U);
  EXPECT_FALSE(box.valve->acknowledge("shop", "nothing to acknowledge"));
}

TEST(Signals, RegularsStopInYellowWhenTheyBeginToFail) {
  Box box;
  for (int i = 0; i < 6; ++i) box.known(person(i));
  box.signal(Signal::Kind::reachout_ack);
  for (int i = 0; i < 2; ++i)
    box.sender.outcomes.push_back({SendOutcome::Kind::rejected, 403, "no", {}});
  for (int i = 0; i < 6; ++i) box.post(person(i));
  box.scheduler.advance(hours(1));
  EXPECT_EQ(box.sender.sent.size(), 2U);
}

TEST(Signals, ASignalStopsWhatIsChargedButNotYetHandedOver) {
  Box box;
  box.post(person(1));
  // The number is asked for, the charge is being written: the signal comes in between.
  box.scheduler.advance(milliseconds(0));
  Signal s;
  s.kind = Signal::Kind::reachout_ack;
  box.valve->on_signal(s);
  const std::size_t before = box.sender.sent.size();
  box.scheduler.advance(hours(5));
  EXPECT_EQ(box.sender.sent.size(), before);
}

TEST(Signals, OwnMessagesCountInEveryWindow) {
  Box box;
  for (int i = 0; i < 5; ++i) box.valve->on_own_send(person(i), box.clock.now());
  const ThrottleStatus status = box.valve->status();
  EXPECT_EQ(window(status, "openings_day").used, 5U);
  EXPECT_EQ(window(status, "minute").used, 5U);
  EXPECT_EQ(window(status, "budget_30d").used, 5U);
  box.wrote(person(1));
  EXPECT_EQ(window(box.valve->status(), "budget_30d").used, 4U) << "an answer gives it back";
}

}  // namespace
}  // namespace posthorn::throttle
