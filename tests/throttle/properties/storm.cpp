#include "throttle/properties/storm.h"

#include <algorithm>
#include <array>

#include "throttle/standing.h"

namespace posthorn::throttle::test {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
/// The valve rounds stamps to seconds and the server speaks in seconds.
constexpr std::int64_t kBlur = 4'000;

void drop_older(std::deque<std::int64_t>& times, std::int64_t than) {
  while (!times.empty() && times.front() <= than) times.pop_front();
}

std::uint32_t count_since(const std::deque<std::int64_t>& times, std::int64_t since) {
  return static_cast<std::uint32_t>(times.end() -
                                    std::upper_bound(times.begin(), times.end(), since));
}

}  // namespace

/// The outside of the valve: takes jobs, answers as the weather says, hears fates.
class Storm::Observer final : public Sender, public NumberChecker, public Listener {
 public:
  explicit Observer(Storm& storm) : storm_(storm) {}

  void send(const Job& job, Once<void(SendOutcome)> done) override {
    SendOutcome outcome;
    if (storm_.chance(storm_.weather_.bad_outcomes)) outcome = bad_outcome();
    storm_.check_hand_over(job, outcome.kind != SendOutcome::Kind::not_sent);
    if (outcome.code == 463) storm_.chats_[job.chat].refused463 = true;
    storm_.scheduler_.post([done = std::move(done), outcome]() mutable { done(outcome); });
  }
  void show_typing(const std::string&, Typing) override {}
  void on_whatsapp(const std::string&, Once<void(Result<bool>)> done) override {
    Result<bool> answer = !storm_.chance(0.03);
    if (storm_.chance(0.02)) answer = fail(Errc::timeout, "no answer");
    storm_.scheduler_.post([done = std::move(done), answer]() mutable { done(answer); });
  }
  void member_since(const std::string&, Once<void(Result<std::optional<Wall>>)> done) override {
    storm_.scheduler_.post([done = std::move(done)]() mutable { done(std::optional<Wall>()); });
  }
  void on_fate(const Fate& fate, Once<void()> settled) override {
    settled();
    if (fate.kind == Fate::Kind::held) return;
    ++storm_.finished;
    if (!storm_.final_.insert(fate.sequence).second) storm_.violation("a job ended twice");
    if (fate.kind == Fate::Kind::failed && !fate.refusal && fate.code == 0)
      storm_.violation("a job failed without a reason");
  }
  void on_level(const LevelChange& change) override {
    ++storm_.level_changes;
    if (change.from != storm_.told_)
      storm_.violation("a change of level starts from another level");
    if (change.from == change.to) storm_.violation("a change of level that changes nothing");
    storm_.told_ = change.to;
    if (change.to < Level::yellow) {
      for (auto& [name, chat] : storm_.chats_) chat.refused463 = false;
    }
  }
  void ask_restriction() override { asked_ = true; }
  void confirm_opt_out(const std::string&, const std::string&) override {}
  void tell_operator(const std::string&) override {}

  bool asked_ = false;

 private:
  SendOutcome bad_outcome() {
    SendOutcome outcome;
    const std::uint64_t which = storm_.below(100);
    if (which < 45) {
      outcome.kind = SendOutcome::Kind::uncertain;
    } else if (which < 65) {
      outcome.kind = SendOutcome::Kind::not_sent;
    } else if (which < 85) {
      outcome.kind = SendOutcome::Kind::rejected;
      outcome.code = 403;
    } else if (which < 97 || !storm_.chance(storm_.weather_.signals * 100)) {
      outcome.kind = SendOutcome::Kind::no_account;
    } else {
      outcome.kind = SendOutcome::Kind::restricted;
      outcome.code = which == 97 ? 429 : which == 98 ? 475 : 463;
    }
    return outcome;
  }

  Storm& storm_;
};

Storm::Storm(Weather weather) : weather_(weather), random_(weather.seed) {
  observer_ = std::make_unique<Observer>(*this);
  clock_ = std::make_unique<Clock>(scheduler_, Wall::from_unix(kEpoch / 1000, false));
  clock_->on_server_time(server_ms() / 1000);
  open();
}

Storm::~Storm() {
  valve_.reset();
  scheduler_.run_posted();
}

void Storm::open() {
  valve_ = std::make_unique<Valve>(Valve::Outside{scheduler_, *clock_, random_, blobs_, outbox_,
                                                  *observer_, *observer_, *observer_,
                                                  [](Wall) { return seconds(7'200); }});
  if (const Result<void> started = valve_->start(Settings{}); !started)
    violation("cannot start: " + to_string(started.error()));
  if (connected_) valve_->on_connected();
  scheduler_.run_posted();
}

void Storm::violation(const std::string& what) {
  if (violations.size() < 20)
    violations.push_back("step " + std::to_string(step_) + ", seed " +
                         std::to_string(weather_.seed) + ": " + what);
}

void Storm::run(std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    ++step_;
    step();
  }
}

void Storm::step() {
  remember_limits();
  const std::uint64_t what = below(1000);
  if (chance(weather_.signals)) signal();
  if (chance(weather_.restarts)) power_cut();
  if (chance(weather_.clocks)) clock_acts();
  if (what < 430) {
    constexpr std::array<std::uint64_t, 5> kSpans{1'500, 20'000, 60'000, 600'000, 3'600'000};
    scheduler_.advance(milliseconds(below(kSpans[below(kSpans.size())]) + 1));
  } else if (what < 760) {
    post_job();
  } else if (what < 900) {
    inbound();
  } else if (what < 915) {
    // Echoes come over a login, and a login brings the server's time.
    if (!clock_->now().trusted) return;
    const std::string chat = person(static_cast<int>(below(300)));
    valve_->on_own_send(chat, clock_->now());
    const Chat& known = chats_[chat];
    all_.push_back(true_ms());
    if (known.last_in == 0 || true_ms() - known.last_in > kDayMs + kBlur)
      known_first_.push_back(true_ms());
    if (known.last_in == 0) strangers_.push_back(true_ms());
    if (known.last_in == 0 && written_.insert(chat).second) openings_.push_back(true_ms());
  } else if (what < 960) {
    valve_->on_delivered(
        "3EB0" + std::to_string(1'000'000 + made_ - below(std::min<std::uint64_t>(made_ + 1, 60))));
  } else if (what < 970) {
    connected_ = !connected_;
    connected_ ? valve_->on_connected() : valve_->on_disconnected();
  } else if (what < 985) {
    operator_acts();
  } else {
    connected_ = true;
    valve_->on_connected();
  }
  if (below(3) == 0) scheduler_.run_posted();
}

void Storm::post_job() {
  Job job;
  job.id = "3EB0" + std::to_string(1'000'000 + ++made_);
  job.chat = person(static_cast<int>(below(300)));
  job.content.what = content::Text{
      below(4) == 0 ? "Sale today " + std::to_string(below(5)) : "Order " + std::to_string(made_),
      true, std::nullopt};
  if (below(2) == 0) job.consent = "order";
  job.urgent = below(20) == 0;
  job.accepted_at = clock_->now();
  job.expires_at = clock_->now() + milliseconds(below(10) == 0 ? below(3'600'000) + 1 : kDayMs);
  if (valve_->on_accept(job)) return;
  const std::uint64_t sequence = outbox_.next++;
  outbox_.jobs[sequence] = job;
  sequence_of_[job.id] = sequence;
  accepted_.insert(sequence);
  valve_->on_job(sequence, job);
}

void Storm::inbound() {
  const std::string name = person(static_cast<int>(below(300)));
  Chat& chat = chats_[name];
  const std::uint64_t kind = below(40);
  const std::string text = kind == 0 ? "Stop" : kind == 1 ? "START" : "hello";
  valve_->on_inbound(name, text, clock_->now());
  const std::int64_t now = true_ms();
  if (kind == 0) {
    chat.opted_out = now;
  } else if (kind == 1) {
    chat.opted_out = 0;
  }
  chat.last_in = now;
  // Without the right time the valve takes what it heard for older than it was.
  chat.surely_lately = clock_->now().trusted;
}

void Storm::signal() {
  using Kind = Signal::Kind;
  Signal s;
  s.kind = static_cast<Kind>(below(18));
  s.code = static_cast<int>(101 + below(6));
  if (s.kind == Kind::reachout_ack) {
    s.chat = person(static_cast<int>(below(300)));
    chats_[s.chat].refused463 = true;
  }
  if (s.kind == Kind::reachout_lock) {
    s.active = below(2) == 0;
    s.enforcement = below(4) == 0 ? "RESTRICT_ALL_COMPANIONS" : "WEB_COMPANION_ONLY";
  }
  if (below(2) == 0) s.until = clock_->now() + hours(below(72));
  if (s.kind == Kind::capping) {
    constexpr std::array kStatus{"NONE", "FIRST_WARNING", "SECOND_WARNING", "CAPPED"};
    s.status = kStatus[below(4)];
    s.cycle_end = clock_->now() + hours(24 * below(30));
  }
  valve_->on_signal(s);
}

void Storm::operator_acts() {
  switch (below(6)) {
    case 0:
      (void)valve_->acknowledge("shop", "the owner was asked");
      return;
    case 1: {
      Override wish;
      constexpr std::array kLimits{"openings", "minute",     "hour",
                                   "day",      "budget_30d", "minute_reply"};
      wish.limit = kLimits[below(kLimits.size())];
      wish.lasts = minutes(1 + below(600));
      wish.who = "shop";
      wish.reason = "a busy day before a holiday";
      if (below(20) == 0) (void)valve_->add_override(wish);
      return;
    }
    case 2: {
      if (accepted_.empty()) return;
      const std::uint64_t sequence =
          *accepted_.rbegin() - below(std::min<std::uint64_t>(accepted_.size(), 50));
      if (valve_->cancel(sequence)) {
        cancelled_.insert(sequence);
        outbox_.jobs.erase(sequence);
      }
      return;
    }
    case 3:
      if (below(3) == 0) valve_->pause();
      return;
    default:
      valve_->resume();
      return;
  }
}

void Storm::clock_acts() {
  switch (below(3)) {
    case 0:
      clock_->on_server_time(server_ms() / 1000 + static_cast<std::int64_t>(below(3)) - 1);
      return;
    case 1:
      clock_->on_server_time(server_ms() / 1000);
      return;
    default:
      scheduler_.advance(milliseconds(below(5'000)));
      return;
  }
}

void Storm::power_cut() {
  ++restarts;
  const auto on_disk = blobs_.values;
  valve_.reset();
  scheduler_.run_posted();
  blobs_.values = on_disk;
  // Off for a while; the board has no clock battery and may believe anything.
  off_ms_ += static_cast<std::int64_t>(below(3) == 0 ? below(kDayMs) : below(60'000));
  constexpr std::array<std::int64_t, 5> kWrong{-kDayMs, -3'600'000, 1'000, 3'600'000, kDayMs};
  const std::int64_t wall = below(4) == 0 ? 0 : server_ms() + kWrong[below(kWrong.size())];
  scheduler_.wall_at_start = Wall{milliseconds(wall) - scheduler_.now().since_start, false};
  clock_ = std::make_unique<Clock>(scheduler_, Wall::from_unix(kEpoch / 1000, false));
  connected_ = below(2) == 0;
  if (connected_) clock_->on_server_time(server_ms() / 1000);
  open();
}

void Storm::remember_limits() {
  for (const WindowUse& window : valve_->status().windows) limits_[window.name] = window.allowed;
}

/// leaves: something of it goes out; else WhatsApp sees nothing, and no window may count it.
void Storm::check_hand_over(const Job& job, bool leaves) {
  ++handed_over;
  const std::uint64_t sequence = sequence_of_[job.id];
  Chat& chat = chats_[job.chat];
  const std::int64_t now = true_ms();
  const Level level = valve_->level();
  if (final_.contains(sequence)) violation("a job was handed over after its end");
  if (cancelled_.contains(sequence)) violation("a cancelled job was handed over");
  if (level >= Level::red) violation("something was handed over in red or black");
  if (level == Level::yellow && chat.last_in == 0)
    violation("a first contact was handed over in yellow");
  if (chat.refused463 && level == Level::yellow) violation("a chat was tried again after a 463");
  if (chat.opted_out != 0 &&
      (chat.last_in <= chat.opted_out || now - chat.last_in > kDayMs + kBlur))
    violation("an opted-out chat was written to");
  if (!leaves) return;
  if (!sent_once_.insert(sequence).second) return;  // the same message again, with the same id
  if (sequence < chat.newest_sent) violation("the order of a chat was not kept");
  chat.newest_sent = std::max(chat.newest_sent, sequence);
  check_windows(job.chat);
}

void Storm::check_windows(const std::string& name) {
  const Chat& chat = chats_[name];
  const std::int64_t now = true_ms();
  const bool reply = chat.last_in != 0 && now - chat.last_in < kDayMs - kBlur && chat.surely_lately;
  const bool known_first = chat.last_in == 0 || now - chat.last_in > kDayMs + kBlur;
  std::map<std::string_view, std::uint32_t> allowed = limits_;
  for (const WindowUse& window : valve_->status().windows)
    allowed[window.name] = std::max(allowed[window.name], window.allowed);
  allowed["openings_day"] = std::max(allowed["openings_day"], openings_before_this());
  const auto check = [&](std::deque<std::int64_t>& times, std::int64_t length, const char* limit) {
    if (count_since(times, now - length + kBlur) > allowed[limit])
      violation(std::string("the window \"") + limit +
                "\" was exceeded: " + std::to_string(count_since(times, now - length + kBlur)) +
                " of " + std::to_string(allowed[limit]));
  };
  for (std::deque<std::int64_t>* times : {&known_first_, &replies_, &all_, &openings_, &strangers_})
    drop_older(*times, now - kDayMs);
  all_.push_back(now);
  check(all_, kDayMs, "day_total");
  if (reply) {
    replies_.push_back(now);
    check(replies_, 60'000, "minute_reply");
  }
  if (known_first) {
    known_first_.push_back(now);
    check(known_first_, 60'000, "minute");
    check(known_first_, 3'600'000, "hour");
  }
  // Regulars in touch within a month are not counted in the day.
  if (chat.last_in == 0) {
    strangers_.push_back(now);
    check(strangers_, kDayMs, "day");
  }
  if (chat.last_in == 0 && written_.insert(name).second) {
    openings_.push_back(now);
    check(openings_, kDayMs, "openings_day");
  }
}

/// The opening that was just handed over counts in the share of welcome ones. Where that brought
/// the share below one of its steps, the allowance before was that of the step above.
std::uint32_t Storm::openings_before_this() {
  const ThrottleStatus status = valve_->status();
  if (!status.welcome_share) return 0;
  constexpr std::array kSteps{0.30, 0.15, 0.10};
  constexpr double kOneOfTwenty = 0.95;  // the share is that of twenty at least
  const double share = *status.welcome_share;
  const bool crossed = std::any_of(kSteps.begin(), kSteps.end(), [share](double step) {
    return share < step && share >= step * kOneOfTwenty - 1e-9;
  });
  return crossed ? kStages[status.stage].openings : 0;
}

void Storm::settle_accounts() {
  for (const std::uint64_t sequence : accepted_) {
    const int ends = static_cast<int>(final_.contains(sequence)) +
                     static_cast<int>(cancelled_.contains(sequence)) +
                     static_cast<int>(outbox_.jobs.contains(sequence));
    if (ends != 1) violation("job " + std::to_string(sequence) + " is lost or counted twice");
  }
  const Result<std::vector<AuditRecord>> audit = valve_->audit(1'000'000);
  if (!audit) return violation("the audit log cannot be read");
  std::string before;
  std::uint64_t levels = 0;
  for (const AuditRecord& record : *audit) {
    if (record.hash != audit_hash(record)) violation("an audit record was changed");
    if (!before.empty() && record.previous_hash != before) violation("the audit chain is broken");
    before = record.hash;
    if (record.what == "level") ++levels;
  }
  if (audit->front().number == 0 && levels != level_changes)
    violation("levels told " + std::to_string(level_changes) + ", recorded " +
              std::to_string(levels));
}

}  // namespace posthorn::throttle::test
