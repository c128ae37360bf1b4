#include "world.h"

#include <algorithm>
#include <cmath>

namespace posthorn::evaluation {
namespace {

constexpr Time kCycle = 30 * kDayMs;

bool is_night(Time now) {
  const Time hour = now % kDayMs / kHourMs;
  return hour >= 21 || hour < 8;
}

void drop_older(std::deque<Time>& times, Time than) {
  while (!times.empty() && times.front() <= than) times.pop_front();
}

}  // namespace

void Score::add(double points, Time now, double half_life_days) {
  const double passed = static_cast<double>(now - at_) / kDayMs;
  points_ = std::max(0.0, points_ * std::exp2(-passed / half_life_days) + points);
  at_ = now;
}

World::World(const Model& model, Demand& demand, int age_days, double strictness, bool scored,
             Time horizon, std::uint64_t seed)
    : model_(model),
      people_(demand.people),
      age_days_(age_days),
      strictness_(strictness),
      scored_(scored),
      horizon_(horizon),
      seed_(mix(seed ^ 0x5eed)) {
  const auto draw = [this](std::uint64_t which) {
    return std::exp(model_.threshold_spread * normal(seed_, which)) * strictness_;
  };
  luck_ = {draw(1), draw(2), draw(3), draw(4), draw(5)};
}

double World::median(double a, double b, double c, double d, Time now) const {
  const Time age = age_days_ + now / kDayMs;
  return age < 10 ? a : age < 30 ? b : age < 90 ? c : d;
}

double World::trust() const {
  if (opened_ < model_.trust_from_openings) return 1.0;
  const double share = static_cast<double>(answered_) / opened_;
  if (share <= 0.3) return model_.trust_low + (1.0 - model_.trust_low) * share / 0.3;
  if (share <= 0.6) return 1.0 + (model_.trust_high - 1.0) * (share - 0.3) / 0.3;
  return model_.trust_high;
}

double World::chance_above(double level, double threshold) const {
  if (level <= threshold) return 0;
  return std::min(model_.trigger_most, model_.trigger_slope * (level / threshold - 1.0));
}

bool World::luck(double p, std::uint64_t job, std::uint64_t what) const {
  return p > 0 && uniform(seed_, job, what) < p;
}

void World::roll_cycle(Time now) {
  while (now - cycle_start_ >= kCycle) {
    cycle_start_ += kCycle;
    unanswered_ = 0;
    warned_ = 0;
  }
}

void World::forget(Time now) {
  drop_older(openings_, now - kDayMs);
  drop_older(minute_, now - kMinuteMs);
  drop_older(wrong_, now - kDayMs);
  drop_older(complaints_, now - 7 * kDayMs);
  while (!week_.empty() && week_.front().first <= now - 7 * kDayMs) {
    week_count_ -= week_.front().second;
    week_.pop_front();
  }
  const Time clean = static_cast<Time>(model_.forgiven_days * kDayMs);
  while (strikes_ > 0 && now - last_strike_ >= clean) {
    --strikes_;
    last_strike_ += clean;
  }
}

void World::book(Time now, Time until) {
  tally_.any_lock = true;
  const Time from = std::min(std::max(now, booked_to_), horizon_);
  tally_.locked += std::max<Time>(0, std::min(until, horizon_) - from);
  booked_to_ = std::max(booked_to_, until);
}

void World::lock(Time now, Time until) {
  book(now, until);
  lock_until_ = std::max(lock_until_, until);
}

void World::strike(Time now, bool ban) {
  ++strikes_;
  ++tally_.strikes;
  last_strike_ = now;
  if (strikes_ >= 5) {
    tally_.any_lock = true;
    tally_.permanent = true;
    notices_.push_back({Notice::Kind::permanent_ban, 0});
    return;
  }
  const std::array hours{model_.lock1_hours, model_.lock2_hours, model_.lock3_hours,
                         model_.lock4_hours};
  const auto length = static_cast<Time>(hours[static_cast<std::size_t>(strikes_ - 1)] * kHourMs);
  const Time until = std::max(now, lock_until_) + length;
  lock(now, until);
  if (ban) {
    banned_until_ = std::max(banned_until_, until);
    notices_.push_back({Notice::Kind::temporary_ban, banned_until_});
  } else {
    notices_.push_back({Notice::Kind::lock, until});
  }
}

void World::extend(Time now, std::uint64_t job) {
  if (luck(model_.attempt_extends, job, 11)) {
    lock(now, lock_until_ + static_cast<Time>(model_.attempt_hours * kHourMs));
    notices_.push_back({Notice::Kind::lock, lock_until_});
  }
  if (luck(model_.attempt_strikes, job, 12)) strike(now, false);
}

void World::count_unanswered(Time now) {
  ++unanswered_;
  const double limit = median(model_.unanswered_age0, model_.unanswered_age10,
                              model_.unanswered_age30, model_.unanswered_age90, now) *
                       luck_.unanswered;
  const Time end = cycle_start_ + kCycle;
  if (warned_ < 1 && unanswered_ >= model_.warn_first * limit) {
    warned_ = 1;
    notices_.push_back({Notice::Kind::warn_first, end});
  }
  if (warned_ < 2 && unanswered_ >= model_.warn_second * limit) {
    warned_ = 2;
    notices_.push_back({Notice::Kind::warn_second, end});
  }
  if (warned_ < 3 && unanswered_ > limit) {
    warned_ = 3;
    capped_until_ = end;
    book(now, end);
    notices_.push_back({Notice::Kind::capped, end});
  }
}

std::uint32_t World::note_text(Person& person, std::uint32_t text, Time now) {
  if (text == 0) return 0;
  std::deque<Time>& times = texts_[text];
  drop_older(times, now - kHourMs);
  if (person.last_text != text || now - person.last_text_at >= kHourMs) times.push_back(now);
  person.last_text = text;
  person.last_text_at = now;
  return static_cast<std::uint32_t>(times.size());
}

Answer World::send(std::uint32_t id, std::uint32_t text, std::uint64_t job, Time now) {
  roll_cycle(now);
  forget(now);
  Person& person = people_[id];
  arrived_ = false;
  const bool reply = person.wrote && now - person.last_in < kDayMs;
  const bool opening = !person.wrote && person.received == 0 && !person.opened;
  if (opening && now < lock_until_) {
    extend(now, job);
    return Answer::locked463;
  }
  if (opening && now < capped_until_) return Answer::capped475;
  if (person.opted_out && !reply) ++tally_.to_opted_out;

  if (!person.registered) {
    wrong_.push_back(now);
    ++tally_.to_wrong_numbers;
    score_.add(model_.score_wrong, now, model_.score_fades_days);
    const double chance =
        wrong_.size() >= 3 ? model_.unregistered_chance_third : model_.unregistered_chance;
    if (luck(chance, job, 101)) strike(now, false);
    return Answer::no_account;
  }
  if (week_.empty() || week_.back().first != now / kHourMs * kHourMs)
    week_.emplace_back(now / kHourMs * kHourMs, 0);
  ++week_.back().second;
  ++week_count_;
  if (!reply) minute_.push_back(now);
  const std::uint32_t same = reply ? 0 : note_text(person, text, now);
  if (opening) {
    openings_.push_back(now);
    person.opened = true;
    ++opened_;
    ++tally_.openings;
  }
  if (!person.wrote && !scored_) count_unanswered(now);
  if (scored_) {
    judge_by_score(person, reply, opening, same, job, now);
  } else {
    judge(person, reply, opening, same, job, now);
  }

  const bool dropped = !reply && !opening && now < lock_until_ && luck(model_.lock_drops, job, 13);
  if (!dropped) {
    arrived_ = true;
    ++tally_.delivered;
    react(id, job, now);
  }
  return Answer::ok;
}

bool World::send_official(std::uint32_t id, bool consent, std::uint64_t job) {
  Person& person = people_[id];
  arrived_ = person.registered;
  if (!arrived_) return false;
  if (person.opted_out) ++tally_.to_opted_out;
  ++tally_.official;
  tally_.cost += consent ? model_.price_utility : model_.price_marketing;
  const std::uint16_t run = person.official_run++;
  if (person.opted_out || run < 2 || !luck(model_.opts_out, job, 31)) return false;
  person.opted_out = true;
  return true;
}

void World::judge(const Person&, bool reply, bool opening, std::uint32_t same, std::uint64_t job,
                  Time now) {
  std::uint64_t what = 101;
  const auto trigger = [&](double p, bool ban = false) {
    if (luck(p, job, ++what)) strike(now, ban);
  };
  if (!reply) {
    trigger(chance_above(static_cast<double>(minute_.size()), model_.per_minute * luck_.minute));
    trigger(chance_above(same, model_.same_text_hour * luck_.same_text * trust()));
  }
  if (opening) {
    const double limit = median(model_.openings_age0, model_.openings_age10, model_.openings_age30,
                                model_.openings_age90, now) *
                         luck_.openings * trust();
    trigger(chance_above(static_cast<double>(openings_.size()), limit));
    trigger(model_.opening_chance);
  }
  const double bearable =
      (model_.complaints_week + model_.complaints_share * static_cast<double>(week_count_)) *
      luck_.complaints;
  trigger(chance_above(static_cast<double>(complaints_.size()), bearable), true);
}

void World::judge_by_score(const Person& person, bool reply, bool opening, std::uint32_t same,
                           std::uint64_t job, Time now) {
  double points = reply ? 0 : model_.score_message;
  if (opening) points += model_.score_opening;
  if (!opening && !person.wrote) points += model_.score_follow_up;
  if (static_cast<double>(minute_.size()) > model_.per_minute) points += model_.score_crowd;
  if (same > 10) points += model_.score_same_text;
  score_.add(points, now, model_.score_fades_days);
  if (points <= 0) return;
  const double limit =
      median(model_.score_age0, model_.score_age10, model_.score_age30, model_.score_age90, now) *
      luck_.openings;
  const double over = score_.value() / limit - 1.0;
  // Whoever complained lately makes it a ban rather than a lock.
  if (over > 0 && luck(std::min(model_.trigger_most, model_.score_slope * over), job, 102))
    strike(now, complaints_.size() >= 5);
  if (opening && luck(model_.opening_chance, job, 103)) strike(now, false);
}

void World::react(std::uint32_t id, std::uint64_t job, Time now) {
  Person& person = people_[id];
  const bool reply = person.wrote && now - person.last_in < kDayMs;
  const std::array answers{model_.regular_answers, model_.consent_answers, model_.bot_answers,
                           model_.lukewarm_answers, model_.bought_answers};
  const std::array complains{model_.regular_complains, model_.consent_complains,
                             model_.bot_complains, model_.lukewarm_complains,
                             model_.bought_complains};
  const auto kind = static_cast<std::size_t>(person.kind);
  const std::uint16_t run = person.run++;
  ++person.received;
  double p = complains[kind];
  if (is_night(now) && !reply) p *= model_.night_complaints;
  p *= std::pow(model_.run_complaints, std::min<int>(run, 20));
  if (luck(p, job, 21)) {
    ++tally_.complaints;
    complaints_.push_back(now);
    score_.add(model_.score_complaint, now, model_.score_fades_days);
  }
  const std::array reads{model_.regular_reads, model_.consent_reads, model_.bot_reads,
                         model_.lukewarm_reads, model_.bought_reads};
  if (luck(reads[kind], job, 25))
    inbounds_.push({now + 5 * kMinuteMs, id, false, true, static_cast<std::uint32_t>(job)});
  if (person.opted_out) return;
  const Time after = static_cast<Time>(-std::log(std::max(1e-12, uniform(seed_, job, 22))) *
                                       model_.answer_minutes * kMinuteMs);
  if (run >= 2 && luck(model_.opts_out, job, 23)) {
    inbounds_.push({now + after, id, true});
  } else if (luck(answers[kind], job, 24)) {
    inbounds_.push({now + after, id, false});
  }
}

Inbound World::take_inbound() {
  const Inbound inbound = inbounds_.top();
  inbounds_.pop();
  return inbound;
}

void World::write(std::uint32_t id, Time now, bool stop) {
  roll_cycle(now);
  Person& person = people_[id];
  if (person.opened && !person.answered_opening) {
    person.answered_opening = true;
    ++answered_;
    score_.add(model_.score_answered, now, model_.score_fades_days);
  }
  if (!person.wrote) unanswered_ = std::max(0.0, unanswered_ - person.run);
  person.wrote = true;
  // A "STOP" is no invitation to go on.
  if (!stop) person.last_in = now;
  person.run = 0;
  if (stop) person.opted_out = true;
}

Tally World::finish() { return tally_; }

}  // namespace posthorn::evaluation
