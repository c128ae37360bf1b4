#include <gtest/gtest.h>

#include "valve_fixture.h"

// One person is one person: by the number that a till has, by the account's own number, by a LID.

namespace posthorn::throttle::test {
namespace {

const std::string kPrinted = "5511987650001@c.us";
const std::string kAccount = "551187650001@c.us";
const std::string kLid = "182000000000001@lid";

TEST(OnePerson, WhoWroteUnderALidIsAnsweredUnderTheNumber) {
  Box box;
  box.wrote(kLid);
  box.people.join(kLid, kAccount);
  const auto sequence = box.post(kAccount);
  EXPECT_EQ(box.valve->view(sequence)->lane, Lane::reply);
  EXPECT_EQ(box.valve->status().chats, 1U);
  box.wrote(kLid);
  EXPECT_EQ(box.valve->status().chats, 1U);
}

TEST(OnePerson, AnOptOutHoldsUnderEveryName) {
  Box box;
  ASSERT_TRUE(box.valve->add_opt_out(kPrinted, "Ida", "asked at the counter"));
  box.people.join(kPrinted, kAccount);
  for (const std::string& name : {kPrinted, kAccount}) {
    EXPECT_TRUE(box.valve->opted_out(name)) << name;
    box.post(name);
    box.scheduler.run_posted();
    ASSERT_FALSE(box.listener.fates.empty());
    EXPECT_EQ(box.listener.fates.back().refusal, Refusal::opted_out) << name;
    EXPECT_EQ(box.listener.fates.back().job.chat, name) << "told as the till called them";
  }
  ASSERT_EQ(box.valve->opt_outs().size(), 1U);
  EXPECT_EQ(box.valve->opt_outs()[0].chat, kAccount);
  ASSERT_TRUE(box.valve->remove_opt_out(kPrinted, "Ida", "wants them again"));
  EXPECT_FALSE(box.valve->opted_out(kAccount));
}

TEST(OnePerson, IsFoundByTheNumberCheckBeforeAnythingLeaves) {
  Box box;
  box.wrote(kAccount, hours(1), "STOP");
  box.checker.before_answer = [&box](const std::string& chat) { box.people.join(chat, kAccount); };
  box.post(kPrinted);
  box.scheduler.advance(minutes(30));
  EXPECT_EQ(box.checker.asked, std::vector<std::string>{kPrinted});
  EXPECT_TRUE(box.sender.sent.empty());
  ASSERT_EQ(box.listener.fates.size(), 1U);
  EXPECT_EQ(box.listener.fates[0].refusal, Refusal::opted_out);
}

TEST(OnePerson, IsSentToAfterTheCheckThatLedToTheAccount) {
  Box box;
  box.checker.before_answer = [&box](const std::string& chat) { box.people.join(chat, kAccount); };
  box.post(kPrinted);
  box.scheduler.advance(minutes(30));
  ASSERT_EQ(box.sender.sent.size(), 1U);
  EXPECT_EQ(box.sender.sent[0].chat, kPrinted);
  box.post(kAccount);
  box.scheduler.advance(hours(1));
  EXPECT_EQ(box.sender.sent.size(), 2U);
  EXPECT_EQ(box.checker.asked.size(), 1U) << "one account, one question";
  EXPECT_EQ(box.valve->status().chats, 1U);
}

TEST(OnePerson, KeepsTheOrderOfWhatWaitedUnderTwoNames) {
  Box box;
  box.valve->pause();
  box.known(kAccount);
  box.known(kPrinted);
  std::vector<std::string> ids;
  for (const std::string& name : {kAccount, kPrinted, kPrinted, kAccount, kPrinted}) {
    const Job job = box.make_job(name, "message " + std::to_string(ids.size()));
    ids.push_back(job.id);
    box.post(job);
  }
  box.people.join(kPrinted, kAccount);
  box.valve->resume();
  box.scheduler.advance(hours(1));
  std::vector<std::string> sent;
  for (const Job& job : box.sender.sent) sent.push_back(job.id);
  EXPECT_EQ(sent, ids);
  for (std::size_t i = 1; i < box.sender.times.size(); ++i) {
    EXPECT_GE(box.sender.times[i] - box.sender.times[i - 1],
              milliseconds(box.settings.gap_chat_ms));
  }
}

TEST(OnePerson, AJobInFlightStaysInFrontWhenNamesJoin) {
  for (const bool printed_first : {true, false}) {
    Box box;
    box.known(kAccount);
    box.known(kPrinted);
    box.sender.keep = true;
    box.valve->pause();
    const Job first = box.make_job(printed_first ? kPrinted : kAccount, "one");
    const Job second = box.make_job(printed_first ? kAccount : kPrinted, "two");
    const Job third = box.make_job(first.chat, "three");
    box.post(first);
    box.post(second);
    box.post(third);
    box.valve->resume();
    box.scheduler.advance(minutes(5));
    ASSERT_EQ(box.sender.sent.size(), 1U);
    box.people.join(kPrinted, kAccount);
    box.scheduler.advance(minutes(5));
    ASSERT_EQ(box.sender.sent.size(), 1U) << "one at a time";
    box.sender.keep = false;
    box.sender.answer({});
    box.scheduler.advance(minutes(30));
    ASSERT_EQ(box.sender.sent.size(), 3U);
    EXPECT_EQ(box.sender.sent[1].id, second.id);
    EXPECT_EQ(box.sender.sent[2].id, third.id);
    EXPECT_EQ(box.valve->waiting(), 0U);
    EXPECT_TRUE(box.outbox.jobs.empty());
  }
}

TEST(OnePerson, APostUnderAnotherNameIsTheSamePost) {
  Box box;
  const Job printed = box.make_job(kPrinted, "Your order is ready");
  EXPECT_FALSE(box.valve->on_accept(printed).has_value());
  Job again = box.make_job(kAccount, "Your order is ready");
  EXPECT_FALSE(box.valve->on_accept(again).has_value()) << "nobody knows yet";
  box.valve->on_accept_failed(again);
  box.people.join(kPrinted, kAccount);
  for (const std::string& name : {kPrinted, kAccount}) {
    again = box.make_job(name, "Your order is ready");
    EXPECT_EQ(box.valve->on_accept(again), printed.id) << name;
  }
}

TEST(OnePerson, OpeningsAndTheUnansweredCountOnce) {
  Box box;
  box.post(kPrinted);
  box.scheduler.advance(minutes(30));
  ASSERT_EQ(box.sender.sent.size(), 1U);
  box.people.join(kPrinted, kAccount);
  box.post(kAccount);
  box.scheduler.advance(minutes(30));
  ASSERT_EQ(box.sender.sent.size(), 2U);
  for (const WindowUse& window : box.valve->status().windows) {
    if (window.name != "openings_day") continue;
    EXPECT_EQ(window.used, 1U);
  }
  // Two in a row without an answer: the third waits a day, whatever name it is posted to.
  const auto third = box.post(kPrinted);
  box.scheduler.advance(minutes(30));
  EXPECT_EQ(box.valve->view(third)->hold, Hold::unanswered);
}

TEST(OnePerson, WhoOpensItUnderALidHasOpenedIt) {
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(6, "test"));
  for (int i = 0; i < 20; ++i) {
    const std::string lid = std::to_string(182'000'000'000'100LL + i) + "@lid";
    box.people.join(lid, person(i));
    box.post(with_consent(box.make_job(person(i), "Receipt " + std::to_string(i))));
    box.scheduler.advance(minutes(2));
    box.valve->on_read(lid);
  }
  ASSERT_TRUE(box.valve->status().welcome_share);
  EXPECT_EQ(*box.valve->status().welcome_share, 1.0);
}

TEST(OnePerson, WhatWasLearnedBeforeACutIsJoinedAtTheStart) {
  Box box;
  box.wrote(kLid, hours(48));
  ASSERT_TRUE(box.valve->add_opt_out(kPrinted, "Ida", "asked at the counter"));
  box.people.accounts = {{kLid, kAccount}, {kPrinted, kAccount}};  // nobody was told
  box.cut_power();
  EXPECT_EQ(box.valve->status().chats, 1U);
  EXPECT_TRUE(box.valve->opted_out(kAccount));
  box.cut_power();
  EXPECT_EQ(box.valve->status().chats, 1U);
  EXPECT_EQ(box.valve->opt_outs().size(), 1U);
}

}  // namespace
}  // namespace posthorn::throttle::test
