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

/// The moments at which the fake sender saw it, in milliseconds from the first.
std::vector<std::int64_t> since_first(const std::vector<Mono>& times) {
  std::vector<std::int64_t> out;
  for (Mono time : times) out.push_back((time - times.front()).count());
  return out;
}

TEST(Valve, ShowsTypingBeforeAndNoLongerThanAsked) {
  Box box;
  box.wrote(person(1));
  Job job = box.make_job(person(1), "with typing");
  job.typing = seconds(5);
  job.typing_type = Typing::recording;
  const Mono posted = box.scheduler.now();
  box.post(job);
  box.scheduler.advance(milliseconds(4900));
  ASSERT_EQ(box.sender.typed.size(), 1U);
  EXPECT_EQ(std::get<Typing>(box.sender.typed[0]), Typing::recording);
  EXPECT_TRUE(box.sender.sent.empty());
  EXPECT_FALSE(box.valve->cancel(1)) << "a job that is being typed has started";
  box.scheduler.advance(seconds(3));
  ASSERT_EQ(box.sender.sent.size(), 1U);
  EXPECT_EQ(box.sender.times[0] - std::get<Mono>(box.sender.typed[0]), seconds(5));
  EXPECT_LT(std::get<Mono>(box.sender.typed[0]) - posted, seconds(3));
  ASSERT_EQ(box.sender.typed.size(), 2U);
  EXPECT_EQ(std::get<Typing>(box.sender.typed[1]), Typing::none);
  EXPECT_EQ(std::get<std::string>(box.sender.typed[1]), person(1));
}

TEST(Valve, TypingIsPartOfTheGapAndNeverShortensIt) {
  Settings settings;
  settings.gap_any_ms = 8000;
  const auto run = [&](std::vector<seconds> typing) {
    Box box(settings);
    for (std::size_t i = 0; i < typing.size(); ++i) {
      const std::string chat = person(static_cast<int>(i));
      box.wrote(chat);
      Job job = box.make_job(chat, "text " + std::to_string(i));
      job.typing = typing[i];
      box.post(job);
    }
    box.scheduler.advance(minutes(3));
    EXPECT_EQ(box.sender.sent.size(), typing.size());
    return since_first(box.sender.times);
  };
  // As long each time: sends are one gap apart, with or without typing.
  const auto plain = run({seconds(0), seconds(0), seconds(0)});
  const auto typed = run({seconds(5), seconds(5), seconds(5)});
  for (std::size_t i = 1; i < plain.size(); ++i) {
    EXPECT_GE(plain[i] - plain[i - 1], 8000);
    EXPECT_GE(typed[i] - typed[i - 1], 8000);
    EXPECT_LT(typed[i] - typed[i - 1], plain[i] - plain[i - 1] + 5000);
  }
  // Long typing eats the whole gap of the one behind it, which waits all the same.
  const auto uneven = run({seconds(20), seconds(0), seconds(0)});
  EXPECT_GE(uneven[1], 8000);
  EXPECT_GE(uneven[2] - uneven[1], 8000);
}

TEST(Valve, OneTypedMessageSlowsNothingDownWhereNothingIsPaced) {
  Settings settings;
  settings.unpaced_for_benchmarks = true;
  Box box(settings);
  for (int i = 0; i < 4; ++i) {
    Job job = box.make_job(person(1), "text " + std::to_string(i));
    if (i == 0) job.typing = seconds(2);
    box.post(job);
  }
  box.scheduler.advance(milliseconds(2500));
  EXPECT_EQ(box.sender.sent.size(), 4U);
}

TEST(Valve, ASignalWhileTypingStopsTheMessage) {
  Box box;
  Job job = box.make_job(person(1), "to somebody new");
  job.typing = seconds(20);
  box.post(job);
  while (box.sender.typed.empty()) box.scheduler.advance(seconds(1));
  box.signal(Signal::Kind::reachout_ack);
  box.scheduler.advance(minutes(5));
  EXPECT_TRUE(box.sender.sent.empty());
  ASSERT_EQ(box.sender.typed.size(), 2U);
  EXPECT_EQ(std::get<Typing>(box.sender.typed[1]), Typing::none);
  EXPECT_EQ(box.valve->view(1)->hold, Hold::yellow) << "it waits";
}

TEST(Valve, AHandOverAgainDoesNotTypeAgain) {
  Box box;
  box.wrote(person(1));
  box.sender.outcomes.push_back(
      {.kind = SendOutcome::Kind::uncertain, .code = 0, .detail = {}, .server_time = {}});
  Job job = box.make_job(person(1), "text");
  job.typing = seconds(2);
  box.post(job);
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.sender.sent.size(), 2U);
  EXPECT_EQ(box.sender.typed.size(), 2U) << "on and off, once";
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

/// A chat bot asks the same question again when the customer has answered it.
TEST(Valve, TheSameWordsAfterTheyHaveSpokenAreAnAnswer) {
  Box box;
  const Job first = box.make_job(person(1), "Which cake?");
  const Job second = box.make_job(person(1), "Which cake?");
  EXPECT_EQ(box.valve->on_accept(first), std::nullopt);
  box.wrote(person(2));
  EXPECT_EQ(box.valve->on_accept(second), first.id) << "it was somebody else who spoke";
  box.wrote(person(1));
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
  EXPECT_EQ(readable_text(box.sender.sent[0].content), box.listener.confirmations[0].second);
  box.post(box.make_job(person(1), box.listener.confirmations[0].second));
  box.wrote(person(1), milliseconds(0), "stop");
  box.scheduler.advance(minutes(5));
  EXPECT_EQ(box.sender.sent.size(), 1U) << "one confirmation, once";
  EXPECT_EQ(box.listener.confirmations.size(), 1U);
}

/// A box that was on before and now wakes without a calendar, as a board without a battery does.
struct Awake {
  explicit Awake(Box& b, milliseconds off, Wall guess) : box(b) {
    box.valve->stop();
    box.valve.reset();
    box.scheduler.run_posted();
    true_time = box.clock.now() + off;
    box.scheduler.wall_at_start = guess - box.scheduler.now().since_start;
    clock = std::make_unique<Clock>(box.scheduler, Wall::from_unix(Box::kNoon - 1, false));
    valve = std::make_unique<Valve>(Valve::Outside{box.scheduler, *clock, box.random, box.blobs,
                                                   box.outbox, box.sender, box.checker,
                                                   box.listener, [](Wall) { return seconds(0); }});
    EXPECT_TRUE(valve->start(box.settings));
    started = box.scheduler.now();
    box.scheduler.run_posted();
  }
  ~Awake() {
    valve.reset();
    box.scheduler.run_posted();
  }
  /// The link comes up, and with it the time.
  void learn_the_time() {
    const Wall now = true_time + (box.scheduler.now() - started);
    clock->on_server_time(now.unix_seconds());
    valve->on_connected();
  }
  std::uint64_t post(const std::string& chat) {
    Job job;
    job.id = "3EB0DARK" + std::to_string(box.outbox.next);
    job.chat = chat;
    job.content.what = content::Text{"in the dark", true, std::nullopt};
    job.accepted_at = clock->now();
    job.expires_at = job.accepted_at + hours(24);
    const std::uint64_t sequence = box.outbox.next++;
    box.outbox.jobs[sequence] = job;
    valve->on_job(sequence, job);
    return sequence;
  }

  Box& box;
  Wall true_time;
  Mono started;
  std::unique_ptr<Clock> clock;
  std::unique_ptr<Valve> valve;
};

TEST(Valve, AJobAcceptedWithoutACalendarLivesItsDayFromThen) {
  Box box;
  box.wrote(person(1));
  Awake later(box, hours(24 * 400), Wall::from_unix(Box::kNoon - 1, false));
  const std::uint64_t sequence = later.post(person(1));
  box.scheduler.advance(hours(23));
  later.learn_the_time();  // 400 days ahead
  box.scheduler.advance(seconds(30));
  EXPECT_TRUE(box.listener.ids(Fate::Kind::failed).empty());
  const auto view = later.valve->view(sequence);
  if (view) {
    EXPECT_NEAR(static_cast<double>((view->expires_at - later.clock->now()).count()), 3'570'000.0,
                60'000.0)
        << "an hour is left";
  }
  box.scheduler.advance(hours(2));
  EXPECT_TRUE(box.outbox.jobs.empty()) << "sent or expired by its own hour, not by the jump";
}

TEST(Valve, AJobOfYesterdayExpiresByTheCalendarOnceItIsKnown) {
  Box box;
  box.valve->on_disconnected();
  box.wrote(person(1));
  box.post(person(1));
  Awake later(box, hours(30), Wall::from_unix(Box::kNoon - 1, false));
  box.scheduler.advance(minutes(10));
  EXPECT_TRUE(box.listener.ids(Fate::Kind::failed).empty()) << "nobody knows the time yet";
  later.learn_the_time();
  box.scheduler.advance(seconds(5));
  ASSERT_EQ(box.listener.ids(Fate::Kind::failed).size(), 1U);
  EXPECT_EQ(box.listener.fates.back().refusal, Refusal::expired);
}

TEST(Valve, AWrongCalendarInTheFutureExpiresNothing) {
  Box box;
  box.valve->on_disconnected();
  box.wrote(person(1));
  box.post(person(1));
  Awake later(box, minutes(5), Wall::from_unix(Box::kNoon + 86'400 * 3'650, false));
  box.scheduler.advance(minutes(10));
  EXPECT_TRUE(box.listener.ids(Fate::Kind::failed).empty());
  later.learn_the_time();
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.listener.ids(Fate::Kind::sent).size(), 1U);
}

TEST(Valve, AGroupIsOpenTwelveHoursAfterItsFirstKnownMessage) {
  Box box;
  box.checker.offline = true;  // nobody says since when we are in it
  const std::string group = "120363000000000001@g.us";
  const auto sent_after = [&](milliseconds time) {
    box.scheduler.advance(time);
    return box.sender.sent.size();
  };
  Job job = box.make_job(group, "Hello all");
  job.expires_at = job.accepted_at + hours(100);
  box.post(job);
  EXPECT_EQ(sent_after(hours(1)), 0U);
  // A message of the group arrives, and many more: the first one counts.
  box.valve->on_group(group, box.clock.now());
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(sent_after(hours(1)), 0U);
    box.valve->on_group(group, box.clock.now());
  }
  EXPECT_EQ(sent_after(hours(5)), 0U);
  EXPECT_EQ(sent_after(hours(10)), 1U) << "12 h, and the night, are over";
}

TEST(Valve, AnAccountWithoutACapIsNotLimitedByItsQuotaOfZero) {
  Box box;
  Signal none;
  none.kind = Signal::Kind::capping;
  none.status = "NONE";
  none.total_quota = 0;
  none.used_quota = 0;
  box.valve->on_signal(none);
  box.post(person(1));
  box.scheduler.advance(minutes(12));
  EXPECT_EQ(box.sender.sent.size(), 1U);
}

TEST(Valve, AnImpossibleNumberCostsARealOneNothing) {
  Box box;
  // As an older release took them: leading zeros, and digits that no number has.
  for (int i = 0; i < 24; ++i) box.post("0155500000" + std::to_string(100 + i) + "@c.us");
  box.post("12345678901234567@c.us");
  box.post("123@c.us");
  box.post("nobody");
  box.post(person(1));
  box.scheduler.run_posted();
  EXPECT_EQ(std::count_if(box.listener.fates.begin(), box.listener.fates.end(),
                          [](const Fate& fate) { return fate.description == "bad_chat"; }),
            27);
  ASSERT_EQ(box.sender.sent.size(), 1U);
  EXPECT_EQ(box.sender.sent[0].chat, person(1));
  EXPECT_EQ(box.checker.asked.size(), 1U);
  EXPECT_EQ(box.listener.ids(Fate::Kind::sent).size(), 1U);
  EXPECT_EQ(box.valve->waiting(), 0U);
}

}  // namespace
}  // namespace posthorn::throttle
