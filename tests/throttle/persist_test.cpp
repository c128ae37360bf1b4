#include "throttle/persist.h"

#include <algorithm>

#include "posthorn/base/log.h"
#include "throttle/valve_fixture.h"

namespace posthorn::throttle {
namespace {

using test::Box;
using test::person;

ChatKey chat_of(std::uint64_t n) { return {491'500'000'000ULL + n, 0, ChatKey::Kind::phone}; }

constexpr Tick kNow = 20'000 * kDay;

class Persisted : public testing::Test {
 protected:
  void SetUp() override {
    log::set_sink([](log::Level, std::string_view) {});
  }
  void TearDown() override {
    log::set_sink(nullptr);
    scheduler.run_posted();
  }
  std::unique_ptr<Engine> reload() {
    auto engine = std::make_unique<Engine>();
    Persist persist(blobs);
    PolicyClock::Saved clock;
    EXPECT_TRUE(persist.load(*engine, clock));
    return engine;
  }
  posthorn::test::FakeScheduler scheduler;
  posthorn::test::MemoryBlobStore blobs{scheduler};
};

TEST_F(Persisted, TwentyThousandChatsFitInTwoMebibytes) {
  auto engine = std::make_unique<Engine>();
  for (std::uint64_t i = 0; i < 21'000; ++i)
    note_inbound(engine->state, chat_of(i), kNow + static_cast<Tick>(i),
                 kNow + static_cast<Tick>(i) * kSecond);
  EXPECT_EQ(engine->state.chats.size(), kMaxChats);
  EXPECT_EQ(engine->state.chats.find(chat_of(0)), nullptr) << "the least recently used goes";
  EXPECT_NE(engine->state.chats.find(chat_of(20'999)), nullptr);
  Persist persist(blobs);
  ASSERT_TRUE(persist.checkpoint(*engine, {kNow, kNow, kNow}));
  std::size_t bytes = 0;
  for (const auto& [name, value] : blobs.values) bytes += value.size();
  EXPECT_LE(bytes, 2U << 20);
  EXPECT_EQ(engine->state.chats.regulars.size(), 1'000U) << "and is remembered among the regulars";
  const std::size_t in_memory = sizeof(State) + kMaxPages * sizeof(Chats::Page) +
                                32'768 * sizeof(std::uint32_t) + 1'024 * sizeof(TextUse);
  EXPECT_LE(in_memory, 2U << 20);
  const auto again = reload();
  EXPECT_EQ(again->state.chats.size(), kMaxChats);
  EXPECT_EQ(again->state.chats.find(chat_of(20'500))->last_in,
            engine->state.chats.find(chat_of(20'500))->last_in);
}

TEST_F(Persisted, AnOptedOutChatIsNeverForgotten) {
  Engine engine;
  ASSERT_TRUE(engine.set_opted_out(chat_of(0), true, true, false, kNow));
  for (std::uint64_t i = 1; i < 21'000; ++i)
    note_inbound(engine.state, chat_of(i), kNow, kNow + static_cast<Tick>(i) * kSecond);
  ASSERT_NE(engine.state.chats.find(chat_of(0)), nullptr);
  EXPECT_EQ(engine.state.chats.opted_out(), 1U);
}

TEST_F(Persisted, OnlyPagesThatChangedAreWritten) {
  Engine engine;
  for (std::uint64_t i = 0; i < 600; ++i) note_inbound(engine.state, chat_of(i), kNow, kNow);
  Persist persist(blobs);
  ASSERT_TRUE(persist.checkpoint(engine, {kNow, kNow, kNow}));
  blobs.values.clear();
  note_inbound(engine.state, chat_of(61), kNow + kHour, kNow + kHour);
  ASSERT_TRUE(persist.checkpoint(engine, {kNow, kNow, kNow}));
  EXPECT_EQ(blobs.values.size(), 2U);
  EXPECT_TRUE(blobs.values.contains("throttle/chats/1"));
  EXPECT_TRUE(blobs.values.contains("throttle/hot"));
}

TEST_F(Persisted, TheJournalBringsBackWhatCameAfterTheCheckpoint) {
  auto engine = std::make_unique<Engine>();
  Persist persist(blobs);
  ASSERT_TRUE(persist.checkpoint(*engine, {kNow, kNow, kNow}));
  JournalEvent charged;
  charged.at = kNow + kSecond;
  charged.charge.chat = chat_of(1);
  charged.charge.opening = true;
  charged.charge.sequence = 77;
  ASSERT_TRUE(persist.record(charged));
  JournalEvent inbound;
  inbound.kind = JournalEvent::Kind::inbound;
  inbound.at = kNow + 2 * kSecond;
  inbound.written = inbound.at;
  inbound.charge.chat = chat_of(2);
  inbound.request = "stop";
  ASSERT_TRUE(persist.record(inbound));
  const auto again = reload();
  EXPECT_EQ(again->state.openings[again->state.openings_head].chat, chat_of(1));
  EXPECT_TRUE(is_charged(again->state, 77));
  EXPECT_TRUE(again->state.chats.find(chat_of(2))->is(ChatRecord::opted_out));
  EXPECT_EQ(again->state.day_total.used(kNow + kMinute), 1U);
}

TEST_F(Persisted, DamageCostsOnlyWhatItHit) {
  auto engine = std::make_unique<Engine>();
  for (std::uint64_t i = 0; i < 180; ++i) note_inbound(engine->state, chat_of(i), kNow, kNow);
  ASSERT_TRUE(engine->set_opted_out(chat_of(170), true, true, false, kNow));
  Persist persist(blobs);
  ASSERT_TRUE(persist.checkpoint(*engine, {kNow, kNow, kNow}));
  blobs.values["throttle/chats/1"] = to_bytes("rubbish");
  EXPECT_EQ(reload()->state.chats.size(), 120U);
  blobs.values["throttle/hot"] = to_bytes(std::string_view("\x09new", 4));
  const auto again = reload();
  EXPECT_TRUE(again->state.chats.find(chat_of(170))->is(ChatRecord::opted_out))
      << "the opt-outs survive the loss of everything else";
}

/// A day later it is connected, takes a job and is asked what goes.
void use(Engine& engine) {
  Moment m;
  m.now = kNow + kDay;
  m.wall_ms = m.now;
  engine.set_connected(true, m);
  engine.add(1, chat_of(1), 5, m.now + kDay, false, true, false, false, m);
  (void)engine.next(m);
}

TEST_F(Persisted, AnyBytesAreReadWithoutHarm) {
  auto engine = std::make_unique<Engine>();
  for (std::uint64_t i = 0; i < 100; ++i) note_inbound(engine->state, chat_of(i), kNow, kNow);
  Persist persist(blobs);
  ASSERT_TRUE(persist.checkpoint(*engine, {kNow, kNow, kNow}));
  JournalEvent event;
  event.charge.chat = chat_of(1);
  ASSERT_TRUE(persist.record(event));
  const auto good = blobs.values;
  posthorn::test::SeededRandom random(3);
  for (int round = 0; round < 300; ++round) {
    blobs.values = good;
    for (auto& [name, value] : blobs.values) {
      if (random.between(0, 1) == 0) value.resize(random.between(0, value.size()));
      for (int flips = 0; flips < 4 && !value.empty(); ++flips)
        value[random.between(0, value.size() - 1)] = static_cast<std::byte>(random.between(0, 255));
    }
    use(*reload());
  }
}

TEST_F(Persisted, TimesThatNoClockWroteCountAsNone) {
  auto engine = std::make_unique<Engine>();
  note_inbound(engine->state, chat_of(1), kNow, kNow);
  Persist persist(blobs);
  ASSERT_TRUE(persist.checkpoint(*engine, {kNow, kNow, kNow}));
  const Bytes good = blobs.values["throttle/hot"];
  // Weeks of green were counted one by one, from whichever moment stood there.
  for (const std::byte fill : {std::byte{0x7F}, std::byte{0x80}}) {
    for (std::size_t at = 1; at < 700; ++at) {
      Bytes& hot = blobs.values["throttle/hot"];
      hot = good;
      std::fill_n(hot.begin() + static_cast<std::ptrdiff_t>(at), sizeof(Tick), fill);
      use(*reload());
    }
  }
}

/// A store whose power goes at the nth durable(): nothing after the one before is on the disk.
class CutStore final : public BlobStore {
 public:
  explicit CutStore(Scheduler& scheduler) : scheduler_(scheduler) {}

  Result<std::optional<Bytes>> load(std::string_view name) override {
    const auto found = visible.find(name);
    if (found == visible.end()) return std::optional<Bytes>();
    return std::optional<Bytes>(found->second);
  }
  Result<void> save(std::string_view name, ByteView value) override {
    visible[std::string(name)] = to_bytes(value);
    return {};
  }
  void durable(Once<void(Result<void>)> done) override {
    ++syncs;
    if (cut_at > 0 && --cut_at == 0) off = true;
    if (off) return lost.push_back(std::move(done));
    disk = visible;
    scheduler_.post([done = std::move(done)]() mutable { done(Result<void>()); });
  }
  /// The next start finds what was on the disk.
  void power_on() {
    for (auto& done : lost) done(fail(Errc::cancelled, "the power went"));
    lost.clear();
    visible = disk;
    off = false;
    cut_at = 0;
  }

  std::map<std::string, Bytes, std::less<>> visible, disk;
  int cut_at = 0;  ///< 0: never
  int syncs = 0;
  bool off = false;
  std::vector<Once<void(Result<void>)>> lost;

 private:
  Scheduler& scheduler_;
};

/// Lets nothing leave before the store is on disk, as sender.h asks.
class SyncingSender final : public Sender {
 public:
  SyncingSender(CutStore& store, test::ScriptedSender& wire) : store_(store), wire_(wire) {}

  void send(const Job& job, Once<void(SendOutcome)> done) override {
    store_.durable([this, job, done = std::move(done)](Result<void> synced) mutable {
      if (synced) return wire_.send(job, std::move(done));
      SendOutcome outcome;
      outcome.kind = SendOutcome::Kind::not_sent;
      done(outcome);
    });
  }
  void show_typing(const std::string&, Typing) override {}

 private:
  CutStore& store_;
  test::ScriptedSender& wire_;
};

struct Cut {
  std::size_t left = 0;  ///< messages that had left by then
  int syncs = 0;
};
/// Twelve messages, the power going at the nth sync.
Cut run_with_cut_at(int sync) {
  posthorn::test::FakeScheduler scheduler;
  Clock clock(scheduler, Wall::from_unix(Box::kNoon - 1, false));
  clock.on_server_time(Box::kNoon);
  posthorn::test::SeededRandom random{1};
  CutStore blobs(scheduler);
  blobs.cut_at = sync;
  test::MemoryOutbox outbox(scheduler);
  test::ScriptedSender sender(scheduler);
  SyncingSender syncing(blobs, sender);
  test::ScriptedChecker checker(scheduler);
  test::RecordingListener listener;
  const auto start = [&] {
    auto valve =
        std::make_unique<Valve>(Valve::Outside{scheduler, clock, random, blobs, outbox, syncing,
                                               checker, listener, [](Wall) { return seconds(0); }});
    EXPECT_TRUE(valve->start(Settings{}));
    valve->on_connected();
    return valve;
  };
  auto valve = start();
  for (int i = 0; i < 12; ++i) {
    Job job;
    job.id = "3EB0" + std::to_string(1000 + i);
    job.chat = person(i);
    job.content.what = content::Text{"Order " + std::to_string(i), true, std::nullopt};
    job.consent = "order";
    job.expires_at = clock.now() + hours(24);
    const std::uint64_t sequence = outbox.next++;
    outbox.jobs[sequence] = job;
    if (i % 3 == 0) valve->on_inbound(job.chat, "hi", clock.now());
    valve->on_job(sequence, job);
  }
  scheduler.advance(minutes(30));
  const std::size_t left = sender.sent.size();
  const int syncs = blobs.syncs;
  EXPECT_EQ(blobs.off, sync > 0) << "fewer syncs than expected";
  valve.reset();
  scheduler.run_posted();
  blobs.power_on();
  valve = start();
  const std::vector<WindowUse> windows = valve->status().windows;
  const auto total = std::find_if(windows.begin(), windows.end(),
                                  [](const WindowUse& w) { return w.name == "day_total"; });
  EXPECT_GE(total->used, left) << "cut at sync " << sync;
  scheduler.advance(hours(8));
  std::map<std::string, int> ends;
  for (const Fate& fate : listener.fates) ++ends[fate.job.id];
  for (const auto& [id, count] : ends) EXPECT_EQ(count, 1) << id << " cut at sync " << sync;
  EXPECT_EQ(ends.size() + outbox.jobs.size(), 12U);
  valve.reset();
  scheduler.run_posted();
  return {left, syncs};
}

TEST(PowerCut, AtAnySyncNoMessageThatLeftIsUncounted) {
  const Cut whole = run_with_cut_at(0);
  EXPECT_EQ(whole.left, 9U) << "four replies and five openings";
  std::size_t before = 0;
  for (int sync = 1; sync <= whole.syncs; ++sync) {
    const Cut cut = run_with_cut_at(sync);
    EXPECT_GE(cut.left, before);
    EXPECT_LE(cut.left, whole.left);
    before = cut.left;
  }
  EXPECT_GE(before, 8U) << "the cuts must fall between the sends";
}

TEST(PolicyClockTest, FollowsMonotonicTimeAndTrustedJumpsOnly) {
  PolicyClock clock;
  const auto mono = [](std::int64_t s) { return Mono{seconds(s)}; };
  constexpr std::int64_t kBase = 1'790'000'000;
  clock.start({}, mono(0), Wall::from_unix(kBase));
  Tick jumped = 0;
  const Tick begin = clock.now(mono(0), Wall::from_unix(kBase), jumped);
  for (const std::int64_t wrong :
       std::initializer_list<std::int64_t>{-86'400, -3'600, -1, 1, 3'600, 86'400, -kBase}) {
    const Tick before = clock.now(mono(10), Wall::from_unix(kBase + 10), jumped);
    EXPECT_EQ(clock.now(mono(10), Wall::from_unix(kBase + 10 + wrong, false), jumped), before)
        << wrong;
    EXPECT_EQ(jumped, 0);
  }
  EXPECT_EQ(clock.now(mono(20), Wall::from_unix(kBase + 20), jumped), begin + 20 * kSecond);
  constexpr std::int64_t kTwentyYears = 20LL * 365 * 86'400;
  EXPECT_EQ(clock.now(mono(21), Wall::from_unix(kBase + kTwentyYears), jumped),
            begin + 21 * kSecond);
  EXPECT_EQ(jumped, 0) << "the box was on: its own clock knows how much has passed";
  EXPECT_EQ(clock.now(mono(22), Wall::from_unix(kBase), jumped), begin + 22 * kSecond);
  EXPECT_EQ(clock.now(mono(23), Wall::from_unix(kBase + 1), jumped), begin + 23 * kSecond)
      << "a jump back costs nothing but itself";
}

TEST(PolicyClockTest, TheTimeWithoutPowerIsBoundedAndALaterTrueWordWins) {
  constexpr std::int64_t kBase = 1'790'000'000;
  PolicyClock clock;
  Tick jumped = 0;
  clock.start({5'000 * kDay, 5'000 * kDay, kBase * 1'000}, Mono{}, Wall::from_unix(0, false));
  const Tick wrong =
      clock.now(Mono{seconds(1)}, Wall::from_unix(kBase + 20LL * 365 * 86'400), jumped);
  EXPECT_LE(wrong, 5'061 * kDay);
  EXPECT_EQ(clock.now(Mono{seconds(2)}, Wall::from_unix(kBase + 60), jumped), wrong + kSecond);
  PolicyClock next;
  next.start(clock.saved(), Mono{}, Wall::from_unix(kBase + 120));
  EXPECT_LE(next.now(Mono{}, Wall::from_unix(kBase + 120), jumped), wrong + 2 * kMinute);
}

TEST(PolicyClockTest, CountsTheTimeWithoutPowerWhenSomebodyTellsIt) {
  constexpr std::int64_t kBase = 1'790'000'000;
  PolicyClock clock;
  Tick jumped = 0;
  clock.start({5'000 * kDay, 5'000 * kDay, kBase * 1'000}, Mono{}, Wall::from_unix(0, false));
  EXPECT_TRUE(clock.awaits_time());
  EXPECT_EQ(clock.now(Mono{seconds(5)}, Wall::from_unix(5, false), jumped),
            5'000 * kDay + 5 * kSecond);
  EXPECT_EQ(clock.now(Mono{seconds(6)}, Wall::from_unix(kBase + 7'200), jumped),
            5'000 * kDay + 7'200 * kSecond);
  EXPECT_FALSE(clock.awaits_time());
}

TEST(Valve, ForgetsADoublePostThatWasNotQueued) {
  Box box;
  const Job job = box.make_job(person(1), "Your order is ready");
  EXPECT_EQ(box.valve->on_accept(job), std::nullopt);
  box.valve->on_accept_failed(job);
  EXPECT_EQ(box.valve->on_accept(job), std::nullopt) << "the outbox was full: this is no repeat";
  box.valve->on_disconnected();
  const std::uint64_t sequence = box.post(job);
  EXPECT_TRUE(box.valve->on_accept(job));
  EXPECT_TRUE(box.valve->cancel(sequence));
  EXPECT_EQ(box.valve->on_accept(job), std::nullopt) << "the queue was cleared";
}

}  // namespace
}  // namespace posthorn::throttle
