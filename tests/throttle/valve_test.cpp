#include "throttle/valve_fixture.h"

namespace posthorn::throttle {
namespace {

using test::Box;
using test::person;

TEST(Valve, SendsAReplyWithinThreeSeconds) {
  Box box;
  box.wrote(person(1));
  box.post(person(1));
  box.scheduler.advance(seconds(3));
  ASSERT_EQ(box.sender.sent.size(), 1U);
  EXPECT_EQ(box.listener.ids(Fate::Kind::sent).size(), 1U);
  EXPECT_TRUE(box.outbox.jobs.empty());
}

TEST(Valve, ChargesOnDiskBeforeItHandsOver) {
  Box box;
  box.wrote(person(1));
  box.sender.keep = true;
  box.post(person(1));
  box.scheduler.advance(seconds(3));
  ASSERT_EQ(box.sender.sent.size(), 1U);
  // The power goes while the message is on its way; the answer never comes.
  box.sender.answer(
      {.kind = SendOutcome::Kind::uncertain, .code = 0, .detail = {}, .server_time = {}});
  box.sender.keep = false;
  box.cut_power();
  const ThrottleStatus status = box.valve->status();
  EXPECT_EQ(status.windows[1].name, "minute_reply");
  EXPECT_EQ(status.windows[1].used, 1U);
  EXPECT_EQ(status.waiting, 1U);
  box.valve->on_connected();
  box.scheduler.advance(seconds(30));
  ASSERT_EQ(box.sender.sent.size(), 2U);
  EXPECT_EQ(box.sender.sent[0].id, box.sender.sent[1].id);
  EXPECT_EQ(box.valve->status().windows[1].used, 2U) << "each hand-over counts in the windows";
}

TEST(Valve, HandsAnUncertainJobOverAgainWithTheSameId) {
  Box box;
  box.wrote(person(1));
  box.sender.outcomes.push_back(
      {.kind = SendOutcome::Kind::uncertain, .code = 0, .detail = {}, .server_time = {}});
  box.post(person(1));
  box.post(person(1));
  box.scheduler.advance(minutes(2));
  ASSERT_EQ(box.sender.sent.size(), 3U);
  EXPECT_EQ(box.sender.sent[0].id, box.sender.sent[1].id);
  EXPECT_NE(box.sender.sent[1].id, box.sender.sent[2].id);
  EXPECT_EQ(box.listener.ids(Fate::Kind::sent).size(), 2U);
}

TEST(Valve, AsksBeforeAFirstContactAndRefusesUnknownNumbers) {
  Box box;
  box.checker.missing[person(1)] = true;
  box.post(person(1));
  box.post(person(2));
  box.scheduler.advance(minutes(10));
  EXPECT_EQ(box.checker.asked.size(), 2U);
  ASSERT_EQ(box.sender.sent.size(), 1U);
  EXPECT_EQ(box.sender.sent[0].chat, person(2));
  EXPECT_EQ(box.listener.ids(Fate::Kind::no_account).size(), 1U);
  EXPECT_TRUE(box.outbox.jobs.empty());
}

TEST(Valve, AYellowSignalClosesOpeningsAtOnceAndTellsWithinASecond) {
  Box box;
  box.known(person(50));
  for (int i = 0; i < 3; ++i) box.post(person(i));
  box.scheduler.advance(seconds(5));
  const std::size_t before = box.sender.sent.size();
  box.signal(Signal::Kind::reachout_ack);
  box.scheduler.advance(seconds(1));
  ASSERT_EQ(box.listener.levels.size(), 1U);
  EXPECT_EQ(box.listener.levels[0].to, Level::yellow);
  EXPECT_EQ(box.listener.ids(Fate::Kind::held).size(), box.outbox.jobs.size());
  EXPECT_EQ(box.listener.questions, 1);
  box.post(person(50));
  box.scheduler.advance(minutes(30));
  ASSERT_EQ(box.sender.sent.size(), before + 1) << "people who know us still get theirs";
  EXPECT_EQ(box.sender.sent.back().chat, person(50));
  EXPECT_EQ(box.valve->view(2)->hold, Hold::yellow);
}

TEST(Valve, ResumesByItselfAfterAYellow) {
  Box box;
  box.signal(Signal::Kind::reachout_ack);
  ASSERT_EQ(box.valve->level(), Level::yellow);
  box.scheduler.advance(hours(25));
  Signal over;
  over.kind = Signal::Kind::reachout_lock;
  over.active = false;
  box.valve->on_signal(over);
  box.scheduler.advance(hours(2));
  EXPECT_EQ(box.valve->level(), Level::green);
  ASSERT_EQ(box.listener.levels.size(), 2U);
  EXPECT_EQ(box.listener.levels[1].signal, "resumed");
  box.post(person(1));
  box.scheduler.advance(hours(20));
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

TEST(Valve, FailsWhatExpires) {
  Box box;
  box.valve->on_disconnected();
  box.wrote(person(1));
  box.post(person(1));
  box.scheduler.advance(hours(25));
  ASSERT_EQ(box.listener.fates.size(), 1U);
  EXPECT_EQ(box.listener.fates[0].refusal, Refusal::expired);
  EXPECT_TRUE(box.outbox.jobs.empty());
}

TEST(Valve, AnswersADoublePostWithTheFirstId) {
  Box box;
  const Job first = box.make_job(person(1), "Your order is ready");
  Job second = box.make_job(person(1), "Your order is ready");
  EXPECT_EQ(box.valve->on_accept(first), std::nullopt);
  EXPECT_EQ(box.valve->on_accept(second), first.id);
  box.scheduler.advance(seconds(11));
  EXPECT_EQ(box.valve->on_accept(second), std::nullopt);
}

TEST(Valve, KeepsTheOrderOfAChat) {
  Box box;
  box.wrote(person(1));
  for (int i = 0; i < 5; ++i) box.post(person(1));
  box.scheduler.advance(minutes(5));
  ASSERT_EQ(box.sender.sent.size(), 5U);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_LT(box.sender.sent[i - 1].id, box.sender.sent[i].id);
}

TEST(Valve, PausesAndResumes) {
  Box box;
  box.wrote(person(1));
  box.valve->pause();
  box.post(person(1));
  box.scheduler.advance(minutes(5));
  EXPECT_TRUE(box.sender.sent.empty());
  box.valve->resume();
  box.scheduler.advance(seconds(3));
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

TEST(Valve, CancelsAWaitingJobWithoutAFate) {
  Box box;
  box.valve->on_disconnected();
  const std::uint64_t sequence = box.post(person(1));
  EXPECT_TRUE(box.valve->cancel(sequence));
  EXPECT_FALSE(box.valve->cancel(sequence));
  EXPECT_EQ(box.valve->waiting(), 0U);
  EXPECT_TRUE(box.listener.fates.empty());
}

TEST(Valve, AStopWordIsConfirmedOnceAndEndsEverything) {
  Box box;
  box.wrote(person(1));
  box.wrote(person(1), milliseconds(0), " STOP! ");
  ASSERT_EQ(box.listener.confirmations.size(), 1U);
  EXPECT_TRUE(box.valve->opted_out(person(1)));
  box.post(person(1));
  box.post(box.make_job(person(1), box.listener.confirmations[0].second));
  box.scheduler.advance(minutes(5));
  ASSERT_EQ(box.sender.sent.size(), 1U);
  EXPECT_EQ(box.sender.sent[0].text, box.listener.confirmations[0].second);
  box.post(box.make_job(person(1), box.listener.confirmations[0].second));
  box.wrote(person(1), milliseconds(0), "stop");
  box.scheduler.advance(minutes(5));
  EXPECT_EQ(box.sender.sent.size(), 1U) << "one confirmation, once";
  EXPECT_EQ(box.listener.confirmations.size(), 1U);
}

}  // namespace
}  // namespace posthorn::throttle
