#include <deque>

#include "policy.h"
#include "posthorn/cloud/way.h"
#include "throttle/engine.h"

namespace posthorn::evaluation {
namespace {

using throttle::ChatKey;
using throttle::Engine;
using throttle::Moment;
using throttle::Signal;
using throttle::Tick;

/// The simulation begins on a Monday at midnight UTC, the shop's clock is UTC.
constexpr Tick kStart = 1'789'948'800'000LL;

/// The shipping engine, driven by what a session would tell it.
class Posthorn final : public Policy {
 public:
  Posthorn(const Setup& setup, Beside beside)
      : model_(setup.model), session_(setup.session), beside_(beside) {
    engine_.state.random = mix(setup.seed);
    engine_.state.salt = 1;
    if (setup.age_days > 0 && setup.start != Start::nothing)
      throttle::credit_months(engine_.state.standing,
                              static_cast<std::uint32_t>(setup.age_days / 30), kStart);
    // Each login tells when the account was made.
    throttle::credit_age(engine_.state.standing, setup.age_days * throttle::kDay);
    if (setup.knows_regulars()) {
      throttle::Regular facts;
      facts.flags = throttle::Regular::wrote;
      if (setup.start == Start::history) {
        facts.in_day = throttle::to_day(kStart - 10 * throttle::kDay);
      } else {
        facts.flags |= throttle::Regular::listed;
      }
      for (std::uint32_t person = 0; person < setup.regulars; ++person)
        engine_.state.chats.learn(chat_of(person), facts, kStart - throttle::kDay);
    }
    engine_.state.standing.last_traffic = 0;
    engine_.set_connected(true, at(-kHourMs));
    if (beside == Beside::official) look_again_at_ = 0;
  }

  bool on_job(std::uint32_t job, Time now) override {
    const Job& wish = session_.job(job);
    const std::uint64_t text = wish.text == 0 ? mix(job) | 1 : mix(0xabcdef00ULL + wish.text) | 1;
    const Tick expires = at(wish.at).now + static_cast<Tick>(model_.job_hours * kHourMs);
    if (beside_ == Beside::official && goes_official(wish, text, expires, at(now))) {
      official_.push_back(job);
      return true;
    }
    return !engine_
                .add(job + 1, chat_of(wish.person), text, expires, false, wish.consent, false,
                     false, at(now))
                .refusal;
  }

  Step next(Time now) override {
    const Moment moment = at(now);
    watch(now, moment);
    if (now >= look_again_at_) look_again(now, moment);
    if (!official_.empty()) {
      const std::uint32_t job = official_.front();
      official_.pop_front();
      // Somebody may have said stop since it was taken over there: asked again, as the transport
      // does.
      const bool stopped = facts_of(chat_of(session_.job(job).person), moment).opted_out;
      return {stopped ? Step::Kind::refuse : Step::Kind::official, job, now};
    }
    for (;;) {
      const Engine::Step step = engine_.next(moment);
      switch (step.kind) {
        case Engine::Step::Kind::check:
          engine_.on_checked(step.chat, session_.on_whatsapp(person_of(step.chat)), moment);
          continue;
        case Engine::Step::Kind::refuse: {
          const std::uint32_t job = number_of(step.job);
          engine_.finish(step.job, moment);
          return {Step::Kind::refuse, job, now};
        }
        case Engine::Step::Kind::send:
          flying_ = step.job;
          lane_ = step.charge.lane;
          return {Step::Kind::send, number_of(step.job), now};
        case Engine::Step::Kind::wait:
          return {Step::Kind::wait, 0, std::min({wake_at(step.at), now + kHourMs, look_again_at_})};
      }
    }
  }

  void on_answer(std::uint32_t job, Answer answer, bool, Time now) override {
    const Moment moment = at(now);
    const bool known = lane_ == throttle::Lane::known;
    switch (answer) {
      case Answer::ok:
        if (known) throttle::note_known_send(engine_.state, false);
        break;
      case Answer::no_account:
        throttle::note_check(engine_.state, chat_of(session_.job(job).person), false, moment.now);
        break;
      case Answer::locked463:
      case Answer::capped475: {
        Signal signal;
        signal.kind = answer == Answer::locked463 ? Signal::Kind::reachout_ack
                                                  : Signal::Kind::new_chat_cap_ack;
        signal.chat = throttle::build_chat(chat_of(session_.job(job).person));
        engine_.on_signal(signal, moment);
        ask(now);
        break;
      }
    }
    engine_.finish(flying_, moment);
  }

  void on_read(std::uint32_t job, Time) override {
    throttle::note_read(engine_.state, chat_of(session_.job(job).person));
  }
  [[nodiscard]] bool braked() const override {
    return throttle::bad_number_share(engine_.state) > throttle::kPoorNumbers;
  }
  void on_inbound(std::uint32_t person, bool stop, Time now) override {
    engine_.on_inbound(chat_of(person), stop ? "STOP" : "thanks", at(now).now, at(now));
  }

  void on_stop_elsewhere(std::uint32_t person, Time now) override {
    engine_.state.chats.recall(chat_of(person), at(now).now);
    engine_.set_opted_out(chat_of(person), true, true, false, at(now).now);
  }

  void on_notice(const Notice& notice, Time now) override {
    Signal signal;
    signal.until = wall(notice.until);
    switch (notice.kind) {
      case Notice::Kind::lock:
        signal.kind = Signal::Kind::reachout_lock;
        signal.enforcement = "WEB_COMPANION_ONLY";
        break;
      case Notice::Kind::temporary_ban:
        signal.kind = Signal::Kind::temporary_ban;
        signal.code = 102;
        break;
      case Notice::Kind::permanent_ban:
        signal.kind = Signal::Kind::banned;
        break;
      case Notice::Kind::warn_first:
      case Notice::Kind::warn_second:
      case Notice::Kind::capped:
        signal.kind = Signal::Kind::capping;
        signal.until.reset();
        signal.cycle_end = wall(notice.until);
        signal.status = notice.kind == Notice::Kind::warn_first    ? "FIRST_WARNING"
                        : notice.kind == Notice::Kind::warn_second ? "SECOND_WARNING"
                                                                   : "CAPPED";
        cycle_end_ = notice.until;
        break;
    }
    engine_.on_signal(signal, at(now));
  }

  void on_connection(bool up, Time now) override { engine_.set_connected(up, at(now)); }

 private:
  static Moment at(Time now) {
    Moment moment;
    moment.now = kStart + now;
    moment.wall_ms = moment.now;
    return moment;
  }
  static Wall wall(Time time) { return {milliseconds(kStart + time), true}; }
  static Time time_of(Tick tick) { return tick - kStart; }
  static ChatKey chat_of(std::uint32_t person) {
    return {491'500'000'000ULL + person, 0, ChatKey::Kind::phone};
  }
  static std::uint32_t person_of(const ChatKey& chat) {
    return static_cast<std::uint32_t>(chat.number - 491'500'000'000ULL);
  }
  [[nodiscard]] std::uint32_t number_of(std::uint32_t slot) const {
    return static_cast<std::uint32_t>(engine_.waiting.job(slot).sequence - 1);
  }
  static Time wake_at(Tick tick) { return tick == throttle::kNever ? kForever : time_of(tick); }

  /// What the daemon's official side says of a job, but for `opening`, `no_capacity` and `wait`.
  [[nodiscard]] cloud::RouteFacts facts_of(const ChatKey& chat, const Moment& m) const {
    cloud::RouteFacts facts;
    facts.wish = Transport::automatic;
    facts.official_works = facts.official_can = true;
    const throttle::ChatRecord* record = engine_.state.chats.find(chat);
    facts.opted_out = record != nullptr && record->is(throttle::ChatRecord::opted_out);
    facts.own_restricted =
        throttle::level_of(engine_.state.standing, m.now) >= throttle::Level::yellow;
    facts.limit = milliseconds(static_cast<std::int64_t>(model_.official_minutes * kMinuteMs));
    return facts;
  }
  /// The night and what is owed to this person hold there as here.
  static bool holds_everywhere(throttle::Hold why) {
    return why == throttle::Hold::quiet_hours || why == throttle::Hold::unanswered ||
           why == throttle::Hold::same_text;
  }

  bool goes_official(const posthorn::evaluation::Job& wish, std::uint64_t text, Tick expires,
                     const Moment& m) {
    const ChatKey chat = chat_of(wish.person);
    engine_.state.chats.recall(chat, m.now);
    throttle::WaitingJob job;
    job.sequence = ~0ULL >> 2;
    job.text = text;
    job.expires = expires;
    job.consent = wish.consent;
    const throttle::Forecast look =
        throttle::forecast_of(engine_.state, m, engine_.waiting, chat, job);
    cloud::RouteFacts facts = facts_of(chat, m);
    facts.opening = look.lane == throttle::Lane::first;
    facts.no_capacity = look.refusal == throttle::Refusal::no_capacity;
    if (holds_everywhere(look.why)) return false;
    if (look.why != throttle::Hold::none && look.at != throttle::kNever)
      facts.wait = milliseconds(look.at - m.now);
    return cloud::route(facts) == cloud::Route::official;
  }

  /// Jobs that wait in the throttle may wait longer than was thought, or we are restricted now.
  void look_again(Time now, const Moment& m) {
    look_again_at_ = now + 10 * kMinuteMs;
    if (throttle::in_quiet_hours(engine_.state.settings, m)) return;
    std::vector<std::uint32_t> leave;
    engine_.waiting.for_each_job([&](std::uint32_t slot) {
      const throttle::Explanation why = explain(engine_.state, m, engine_.waiting, slot);
      cloud::RouteFacts facts =
          facts_of(engine_.waiting.chat(engine_.waiting.job(slot).chat).key, m);
      facts.opening = why.lane == throttle::Lane::first;
      if (holds_everywhere(why.why)) return;
      if (why.why != throttle::Hold::none && why.not_before > m.now &&
          why.not_before != throttle::kNever)
        facts.wait = milliseconds(why.not_before - m.now);
      if (cloud::route(facts) == cloud::Route::official) leave.push_back(slot);
    });
    for (const std::uint32_t slot : leave) {
      official_.push_back(number_of(slot));
      engine_.finish(slot, m);
    }
  }

  /// The read-only query for the restriction.
  void ask(Time now) {
    const Session::Lock lock = session_.lock(now);
    Signal signal;
    signal.kind = Signal::Kind::reachout_lock;
    signal.active = lock.active;
    if (lock.active) {
      signal.enforcement = "WEB_COMPANION_ONLY";
      signal.until = wall(lock.until);
    }
    engine_.on_signal(signal, at(now));
  }

  /// What the valve and the shop's person do beside sending.
  void watch(Time now, const Moment& moment) {
    throttle::Standing& standing = engine_.state.standing;
    if (standing.yellow && moment.now >= standing.lock_until && now >= ask_at_) {
      ask_at_ = now + kHourMs;
      ask(now);
    }
    if (cycle_end_ != 0 && now >= cycle_end_) {
      // The account query at the new cycle.
      cycle_end_ = 0;
      Signal signal;
      signal.kind = Signal::Kind::capping;
      signal.status = "NONE";
      engine_.on_signal(signal, moment);
    }
    if (!throttle::needs_acknowledgement(standing)) {
      needed_since_ = 0;
      return;
    }
    const Tick from = standing.red ? standing.red_until : standing.reopen_at;
    if (standing.black || moment.now < from) return;
    if (needed_since_ == 0) needed_since_ = now;
    if (now - needed_since_ >= static_cast<Time>(model_.operator_hours * kHourMs))
      standing.acknowledged = true;
  }

  const Model& model_;
  const Session& session_;
  Engine engine_;
  std::uint32_t flying_ = 0;
  throttle::Lane lane_ = throttle::Lane::first;
  Time ask_at_ = 0;
  Time cycle_end_ = 0;
  Time needed_since_ = 0;
  Beside beside_;
  std::deque<std::uint32_t> official_;  ///< on their way by the other number
  Time look_again_at_ = kForever;
};

}  // namespace

std::unique_ptr<Policy> make_posthorn(const Setup& setup, Beside beside) {
  return std::make_unique<Posthorn>(setup, beside);
}

}  // namespace posthorn::evaluation
