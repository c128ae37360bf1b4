#include "session/questions.h"

#include <gtest/gtest.h>

#include "session/back_off.h"
#include "session/hearing.h"
#include "session/keepalive.h"
#include "support/fakes.h"

namespace posthorn::session {
namespace {

using posthorn::test::FakeScheduler;
using posthorn::test::SeededRandom;

struct Desk : Questions::Watcher {
  Desk() { questions.open(); }
  void on_question_answered() override { ++answered; }
  void on_question_timed_out() override { ++timed_out; }
  void on_ack_arrived() override { ++acks; }
  void on_ack_timed_out() override { ++ack_timeouts; }

  /// Asks; the outcome is noted as "ok ID" or as the error.
  void ask(Questions::Silence silence = Questions::Silence::suspicious) {
    questions.ask(
        wire::Node("iq", {{"type", "get"}}), seconds(30),
        [this](Result<wire::Node> answer) {
          outcomes.push_back(answer ? "ok " + answer->text_attr("id")
                                    : posthorn::to_string(answer.error()));
        },
        silence);
  }
  bool answer(std::size_t which, const char* type = "result") {
    return questions.on_answer(
        wire::Node("iq", {{"type", type}, {"id", written.at(which).text_attr("id")}}));
  }

  FakeScheduler scheduler;
  std::vector<wire::Node> written;
  std::vector<std::string> outcomes;
  int answered = 0;
  int timed_out = 0;
  int acks = 0;
  int ack_timeouts = 0;
  Questions questions{scheduler, "p-", *this, [this](wire::Node iq) { written.push_back(iq); }};
};

TEST(Questions, MatchAnswersByIdAlone) {
  Desk desk;
  desk.ask();
  desk.ask();
  EXPECT_TRUE(desk.answer(1));
  EXPECT_TRUE(desk.answer(0));
  EXPECT_EQ(desk.outcomes, (std::vector<std::string>{"ok p-2", "ok p-1"}));
  EXPECT_FALSE(desk.answer(0));  // a second answer to the same question
}

TEST(Questions, KeepAtMostEightOnTheWire) {
  Desk desk;
  for (int i = 0; i < 20; ++i) desk.ask();
  EXPECT_EQ(desk.written.size(), 8U);
  desk.answer(3);
  EXPECT_EQ(desk.written.size(), 9U);
  for (std::size_t i = 0; i < 20; ++i) (void)(i != 3 && desk.answer(i));
  EXPECT_EQ(desk.outcomes.size(), 20U);
  EXPECT_EQ(desk.questions.outstanding(), 0U);
}

TEST(Questions, RefuseToGrowWithoutBound) {
  Desk desk;
  for (std::size_t i = 0; i < 8 + Questions::kMostWaiting + 5; ++i) desk.ask();
  EXPECT_EQ(desk.outcomes.size(), 5U);
  EXPECT_EQ(desk.outcomes.front(), "busy: too many questions wait");
  desk.questions.fail_all({Errc::cancelled, "end"});
}

TEST(Questions, TimeOutOnceAndIgnoreTheLateAnswer) {
  Desk desk;
  desk.ask();
  desk.ask(Questions::Silence::expected);
  desk.scheduler.advance(seconds(31));
  EXPECT_EQ(desk.outcomes.size(), 2U);
  EXPECT_EQ(desk.timed_out, 1);
  EXPECT_FALSE(desk.answer(0));
  EXPECT_EQ(desk.outcomes.size(), 2U);
}

TEST(Questions, EndAllOnDisconnectAlsoThoseThatWait) {
  Desk desk;
  for (int i = 0; i < 12; ++i) desk.ask();
  int acks_failed = 0;
  desk.questions.await_ack("M1", seconds(20), [&](Result<wire::Node> ack) {
    acks_failed += !ack && ack.error().code == Errc::disconnected;
  });
  desk.questions.fail_all({Errc::disconnected, "gone"});
  EXPECT_EQ(desk.outcomes.size(), 12U);
  EXPECT_EQ(acks_failed, 1);
  EXPECT_EQ(desk.written.size(), 8U);
  desk.ask();
  EXPECT_EQ(desk.outcomes.back(), "disconnected: no connection to WhatsApp");
  desk.questions.open();
  desk.ask();
  EXPECT_EQ(desk.written.size(), 9U);
  desk.questions.fail_all({Errc::cancelled, "end"});
}

TEST(Questions, SayWhyTheyWereRefused) {
  Desk desk;
  desk.ask();
  wire::Node refusal("iq", {{"type", "error"}, {"id", "p-1"}});
  refusal.content = std::vector{
      wire::Node("error", {{"code", "429"}, {"text", "rate-overlimit"}, {"backoff", "30"}})};
  desk.questions.on_answer(refusal);
  EXPECT_EQ(desk.outcomes.front(), "refused: 429 rate-overlimit backoff=30");
  EXPECT_EQ(refusal_code({Errc::refused, "429 rate-overlimit backoff=30"}), 429);
  EXPECT_EQ(refusal_code({Errc::refused, "no number"}), 0);
  EXPECT_EQ(refusal_code({Errc::timeout, "429"}), 0);
}

TEST(Questions, FindTheAckWhateverItsClass) {
  Desk desk;
  std::optional<std::string> error_code;
  desk.questions.await_ack("M1", seconds(20),
                           [&](Result<wire::Node> ack) { error_code = ack->text_attr("error"); });
  EXPECT_FALSE(desk.questions.on_ack(wire::Node("ack", {{"id", "M2"}})));
  EXPECT_TRUE(desk.questions.on_ack(
      wire::Node("ack", {{"id", "M1"}, {"class", "receipt"}, {"error", "463"}})));
  EXPECT_EQ(error_code, "463");
  EXPECT_FALSE(desk.questions.on_ack(wire::Node("ack", {{"id", "M1"}})));
}

constexpr Mono kStart{milliseconds(1000)};

TEST(BackOff, FollowsFibonacciUpToItsCap) {
  SeededRandom random;
  BackOff back_off(seconds(900));
  const int expected[] = {1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 900, 900};
  for (const int s : expected) {
    const auto wait = back_off.next(random, kStart).count();
    EXPECT_GE(wait, s * 900);
    EXPECT_LE(wait, s * 1100);
  }
}

TEST(BackOff, KeepsThePenaltyOverAReset) {
  SeededRandom random;
  BackOff back_off;
  back_off.penalise(kStart);
  back_off.reset();
  EXPECT_GE(back_off.next(random, kStart), milliseconds(7200));
  back_off.reset();
  back_off.forgive();
  EXPECT_LE(back_off.next(random, kStart), milliseconds(1100));
}

TEST(BackOff, ForgivesAfterADayWithoutAnotherPenalty) {
  SeededRandom random;
  BackOff back_off;
  back_off.penalise(kStart);
  back_off.penalise(kStart + hours(20));
  EXPECT_GE(back_off.next(random, kStart + hours(43)), milliseconds(80'000));
  back_off.reset();
  EXPECT_LE(back_off.next(random, kStart + hours(44)), milliseconds(1100));
}

TEST(BackOff, DoesNotRepeatItself) {
  SeededRandom one(1);
  SeededRandom two(2);
  EXPECT_NE(with_jitter(minutes(10), one), with_jitter(minutes(10), two));
}

TEST(Hearing, TrustsAConnectionThatAnswersNowAndThen) {
  Hearing hearing;
  hearing.on_connected(kStart);
  for (int i = 0; i < 20; ++i) {
    hearing.on_question_timed_out();
    hearing.on_question_timed_out();
    hearing.on_question_answered();
    hearing.on_ack_timed_out();
    hearing.on_ack_arrived();
    EXPECT_FALSE(hearing.verdict(kStart + minutes(i)).has_value());
  }
}

TEST(Hearing, NoticesQuestionsAndAcksThatStayAway) {
  Hearing hearing;
  for (int i = 0; i < Hearing::kMostQuestionTimeouts; ++i) hearing.on_question_timed_out();
  EXPECT_EQ(hearing.verdict(kStart), "questions are not answered");
  EXPECT_FALSE(hearing.verdict(kStart).has_value());
  for (int i = 0; i < Hearing::kMostAckTimeouts; ++i) hearing.on_ack_timed_out();
  EXPECT_EQ(hearing.verdict(kStart), "messages are not acknowledged");
}

TEST(Hearing, NoticesMessagesWithoutAnEcho) {
  Hearing hearing;
  Mono now = kStart;
  for (std::size_t i = 0; i < Hearing::kSilentMessages; ++i) hearing.on_message_taken(now);
  EXPECT_FALSE(hearing.verdict(now + minutes(9)).has_value());
  now = now + minutes(11);
  EXPECT_EQ(hearing.verdict(now), "sent messages bring no receipts");
  // Perhaps all those phones are off: not again for hours.
  for (std::size_t i = 0; i < Hearing::kSilentMessages; ++i) hearing.on_message_taken(now);
  EXPECT_FALSE(hearing.verdict(now + hours(1)).has_value());
  EXPECT_TRUE(hearing.verdict(now + hours(7)).has_value());
}

TEST(Hearing, TakesAnyOutsideStanzaAsProof) {
  Hearing hearing;
  for (std::size_t i = 0; i < Hearing::kSilentMessages; ++i) hearing.on_message_taken(kStart);
  hearing.on_outside_stanza(kStart + minutes(1));
  EXPECT_FALSE(hearing.verdict(kStart + hours(2)).has_value());
}

TEST(Hearing, AsksForAMissingBacklogOnceAnHour) {
  Hearing hearing;
  hearing.on_backlog_cut_off(0);
  EXPECT_FALSE(hearing.verdict(kStart).has_value());
  hearing.on_backlog_cut_off(7);
  EXPECT_TRUE(hearing.verdict(kStart).has_value());
  hearing.on_backlog_cut_off(7);
  EXPECT_FALSE(hearing.verdict(kStart + minutes(30)).has_value());
  EXPECT_TRUE(hearing.verdict(kStart + minutes(61)).has_value());
}

struct Pulse {
  FakeScheduler scheduler;
  SeededRandom random;
  int pings = 0;
  int deaths = 0;
  Keepalive keepalive{scheduler, random, [this] { ++pings; }, [this] { ++deaths; }};
};

TEST(Keepalive, PingsAfterFifteenToThirtyQuietSeconds) {
  for (int i = 0; i < 50; ++i) {
    Pulse pulse;
    pulse.random = SeededRandom(static_cast<std::uint64_t>(i));
    pulse.keepalive.start();
    pulse.scheduler.advance(milliseconds(14'999));
    EXPECT_EQ(pulse.pings, 0);
    pulse.scheduler.advance(milliseconds(15'002));
    EXPECT_EQ(pulse.pings, 1);
  }
}

TEST(Keepalive, DiesTwentySecondsAfterAnUnansweredPing) {
  Pulse pulse;
  pulse.keepalive.start();
  while (pulse.pings == 0) pulse.scheduler.advance(milliseconds(10));
  pulse.scheduler.advance(milliseconds(19'900));
  EXPECT_EQ(pulse.deaths, 0);
  pulse.scheduler.advance(milliseconds(200));
  EXPECT_EQ(pulse.deaths, 1);
  pulse.scheduler.advance(hours(1));
  EXPECT_EQ(pulse.deaths, 1);
  EXPECT_EQ(pulse.pings, 1);
}

TEST(Keepalive, LooksSoonerWhenAnAnswerIsDue) {
  Pulse pulse;
  pulse.keepalive.start();
  pulse.keepalive.on_expecting();
  for (int i = 0; i < 10; ++i) {
    pulse.scheduler.advance(seconds(2));
    pulse.keepalive.on_expecting();  // sending more does not postpone it
  }
  EXPECT_EQ(pulse.pings, 1);
  pulse.scheduler.advance(seconds(6));
  EXPECT_EQ(pulse.deaths, 1);
}

TEST(Keepalive, TakesAnyFrameAsLife) {
  Pulse pulse;
  pulse.keepalive.start();
  for (int i = 0; i < 100; ++i) {
    pulse.scheduler.advance(seconds(14));
    pulse.keepalive.on_received();
  }
  EXPECT_EQ(pulse.pings, 0);
  pulse.keepalive.stop();
  pulse.keepalive.on_received();
  pulse.scheduler.advance(hours(1));
  EXPECT_EQ(pulse.pings, 0);
}

}  // namespace
}  // namespace posthorn::session
