#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <unordered_map>

#include "policy.h"

namespace posthorn::evaluation {
namespace {

/// The rules of a first in, first out sender, as documented by its maker (section 15.4).
struct Rules {
  enum class Pause : std::uint8_t { never, until_lock_ends, by_risk };
  Time gap_low = 0, gap_high = 0;
  bool replies_at_once = false;  ///< the gap is for messages that are not replies
  std::size_t per_minute = 0, per_hour = 0, per_day = 0;  ///< 0: no limit
  Time new_chat_extra = 0;
  std::size_t equal_per_hour = 0;  ///< more are refused
  double ramp_first = 0;           ///< messages on day 0; times 1.8 each day; 0: no ramp
  int ramp_days = 0;
  Pause pause = Pause::never;
  int risk_limit = 0;
};

Rules rules_of(PolicyName name, int age_days) {
  Rules r;
  switch (name) {
    case PolicyName::none:
    case PolicyName::simple:
    case PolicyName::posthorn:
    case PolicyName::routed:
      return r;
    case PolicyName::fixed_second:
      r.gap_low = r.gap_high = 1000;
      return r;
    case PolicyName::green_api:
    case PolicyName::green_api_pause:
      r.gap_low = r.gap_high = 500;
      r.per_day = 5000;
      if (name == PolicyName::green_api_pause) r.pause = Rules::Pause::until_lock_ends;
      return r;
    case PolicyName::waha:
      r.gap_low = 30'000;
      r.gap_high = 60'000;
      r.replies_at_once = true;
      return r;
    case PolicyName::antiban_moderate:
      r = {1500, 5000, false, 10, 300, 1500, 3000, 5, 20, 7, Rules::Pause::by_risk, 40};
      break;
    case PolicyName::antiban_conservative:
      r = {2500, 7000, false, 5, 100, 800, 4000, 3, 15, 10, Rules::Pause::by_risk, 15};
      break;
  }
  // An old number is taken over with its warm-up done: the kinder reading for the baseline.
  if (age_days > 0) r.ramp_first = 0;
  return r;
}

class Fifo final : public Policy {
 public:
  Fifo(Rules rules, const Model& model, const Session& session, std::uint64_t seed)
      : rules_(rules),
        session_(session),
        life_(static_cast<Time>(model.job_hours * kHourMs)),
        seed_(seed) {}

  bool on_job(std::uint32_t job, Time) override {
    queue_.push_back(job);
    return true;
  }

  Step next(Time now) override {
    if (!up_) return {};
    if (rules_.replies_at_once) {
      if (const Step step = next_reply(now); step.kind != Step::Kind::wait) return step;
    }
    if (queue_.empty()) return {};
    const std::uint32_t job = queue_.front();
    if (now - session_.job(job).at >= life_) return refuse(job);
    if (now < paused_until_) return {Step::Kind::wait, 0, paused_until_};
    if (rules_.pause == Rules::Pause::by_risk && risk(now) >= rules_.risk_limit)
      return {Step::Kind::wait, 0, now + kMinuteMs};
    const std::uint32_t text = session_.job(job).text;
    if (rules_.equal_per_hour != 0 && text != 0 && equal(text, now) >= rules_.equal_per_hour)
      return refuse(job);
    const Time at = std::max({next_at_, window(minute_, rules_.per_minute, kMinuteMs, now),
                              window(hour_, rules_.per_hour, kHourMs, now),
                              window(day_, per_day(now), kDayMs, now)});
    if (at > now) return {Step::Kind::wait, 0, std::min(at, session_.job(job).at + life_)};
    queue_.pop_front();
    return send(job, now);
  }

  void on_answer(std::uint32_t, Answer answer, bool, Time now) override {
    if (answer == Answer::ok || answer == Answer::no_account) return;
    last_bad_ = now;
    if (answer == Answer::locked463) timelocks_.push_back(now);
    failures_.push_back(now);
    if (rules_.pause == Rules::Pause::until_lock_ends) {
      const Session::Lock lock = session_.lock(now);
      if (lock.active) paused_until_ = std::max(paused_until_, lock.until);
    }
  }
  void on_read(std::uint32_t, Time) override {}
  void on_inbound(std::uint32_t person, bool, Time now) override { last_in_[person] = now; }
  void on_notice(const Notice& notice, Time now) override {
    const bool lock =
        notice.kind == Notice::Kind::lock || notice.kind == Notice::Kind::temporary_ban;
    if (lock && rules_.pause == Rules::Pause::until_lock_ends)
      paused_until_ = std::max(paused_until_, notice.until);
    if (notice.kind == Notice::Kind::temporary_ban) {
      forbidden_.push_back(now);
      last_bad_ = now;
    }
  }
  void on_connection(bool up, Time) override { up_ = up; }

 private:
  [[nodiscard]] bool is_reply(std::uint32_t job, Time now) const {
    const auto found = last_in_.find(session_.job(job).person);
    return found != last_in_.end() && now - found->second < kDayMs;
  }
  Step next_reply(Time now) {
    for (auto at = queue_.begin(); at != queue_.end(); ++at) {
      if (!is_reply(*at, now) || now - session_.job(*at).at >= life_) continue;
      const std::uint32_t job = *at;
      queue_.erase(at);
      return {Step::Kind::send, job, now};
    }
    return {};
  }
  Step refuse(std::uint32_t job) {
    queue_.pop_front();
    return {Step::Kind::refuse, job, 0};
  }
  Step send(std::uint32_t job, Time now) {
    const std::uint32_t person = session_.job(job).person;
    const double u = uniform(seed_, job, 31);
    next_at_ = now + rules_.gap_low +
               static_cast<Time>(u * static_cast<double>(rules_.gap_high - rules_.gap_low));
    if (rules_.new_chat_extra != 0 && !written_[person]) next_at_ += rules_.new_chat_extra;
    written_[person] = true;
    if (rules_.per_minute != 0) minute_.push_back(now);
    if (rules_.per_hour != 0) hour_.push_back(now);
    if (rules_.per_day != 0) day_.push_back(now);
    if (session_.job(job).text != 0) texts_[session_.job(job).text].push_back(now);
    return {Step::Kind::send, job, now};
  }
  [[nodiscard]] std::size_t per_day(Time now) const {
    const auto day = static_cast<int>(now / kDayMs);
    if (rules_.ramp_first <= 0 || day >= rules_.ramp_days) return rules_.per_day;
    const double ramp = rules_.ramp_first * std::pow(1.8, day);
    return std::min(rules_.per_day, static_cast<std::size_t>(ramp));
  }
  static Time window(std::deque<Time>& times, std::size_t limit, Time length, Time now) {
    while (!times.empty() && times.front() <= now - length) times.pop_front();
    if (limit == 0 || times.size() < limit) return now;
    return times[times.size() - limit] + length;
  }
  std::size_t equal(std::uint32_t text, Time now) {
    std::deque<Time>& times = texts_[text];
    while (!times.empty() && times.front() <= now - kHourMs) times.pop_front();
    return times.size();
  }
  /// Points as in its health monitor: 25 for time-locks, 40 a refusal, 20 for five failures within
  /// an hour; less 5 a minute since the last bad event (2 after a refusal).
  int risk(Time now) {
    for (std::deque<Time>* times : {&timelocks_, &failures_, &forbidden_}) {
      while (!times->empty() && times->front() <= now - kHourMs) times->pop_front();
    }
    int score = static_cast<int>(forbidden_.size()) * 40;
    if (!timelocks_.empty()) score += 25;
    if (failures_.size() >= 5) score += 20;
    const int decay = forbidden_.empty() ? 5 : 2;
    return std::min(100, score) - static_cast<int>((now - last_bad_) / kMinuteMs) * decay;
  }

  Rules rules_;
  const Session& session_;
  Time life_;
  std::uint64_t seed_;
  std::deque<std::uint32_t> queue_;
  std::deque<Time> minute_, hour_, day_, timelocks_, failures_, forbidden_;
  std::unordered_map<std::uint32_t, std::deque<Time>> texts_;
  std::unordered_map<std::uint32_t, bool> written_;
  std::unordered_map<std::uint32_t, Time> last_in_;
  Time next_at_ = 0, paused_until_ = 0, last_bad_ = 0;
  bool up_ = true;
};

}  // namespace

std::string_view to_string(PolicyName name) {
  constexpr std::array<std::string_view, kPolicies> kNames{"none",
                                                           "fixed 1 s",
                                                           "Green-API",
                                                           "Green-API pause",
                                                           "WAHA",
                                                           "antiban moderate",
                                                           "antiban conservative",
                                                           "simple",
                                                           "posthorn",
                                                           "posthorn + official"};
  return kNames[static_cast<std::size_t>(name)];
}

std::string_view to_string(Start start) {
  constexpr std::array<std::string_view, kStarts> kNames{"history", "import", "declared",
                                                         "nothing"};
  return kNames[static_cast<std::size_t>(start)];
}

std::unique_ptr<Policy> make_policy(PolicyName name, const Setup& setup) {
  if (name == PolicyName::posthorn) return make_posthorn(setup, Beside::nothing);
  if (name == PolicyName::routed) return make_posthorn(setup, Beside::official);
  if (name == PolicyName::simple) return make_simple(setup);
  return std::make_unique<Fifo>(rules_of(name, setup.age_days), setup.model, setup.session,
                                setup.seed);
}

}  // namespace posthorn::evaluation
