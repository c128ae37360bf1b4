#include "run.h"

#include <algorithm>

namespace posthorn::evaluation {
namespace {

/// The clock that goes from event to event.
class Account {
 public:
  Account(const Model& model, const Cell& cell, PolicyName policy, int days, std::uint64_t seed)
      : horizon_(days * kDayMs),
        model_(with_answers(model, cell.answers)),
        demand_(make_demand(model_, cell.workload, cell.age_days, days, seed)),
        world_(model_, demand_, cell.age_days, cell.strictness, cell.scored, horizon_, seed),
        session_(world_, demand_),
        policy_(
            make_policy(policy, {model_, session_, regulars(), cell.age_days, cell.start, seed})) {}

  Outcome run() {
    while (now_ < horizon_) {
      follow_connection();
      take_inbounds();
      take_jobs();
      const Time wake = ask_policy();
      look_at_noon();
      now_ =
          std::max(now_ + 1, std::min({wake, next_arrival(), next_inbound(), next_connection()}));
    }
    return close();
  }

 private:
  static Model with_answers(Model model, double answers) {
    if (answers >= 0) model.consent_answers = answers;
    return model;
  }
  [[nodiscard]] std::size_t regulars() const {
    return static_cast<std::size_t>(std::count_if(demand_.people.begin(), demand_.people.end(),
                                                  [](const Person& p) { return p.wrote; }));
  }
  [[nodiscard]] Time next_arrival() const {
    return next_job_ < demand_.jobs.size() ? demand_.jobs[next_job_].at : kForever;
  }
  [[nodiscard]] Time next_inbound() const {
    const Inbound* inbound = world_.next_inbound();
    return inbound == nullptr ? kForever : inbound->at;
  }
  [[nodiscard]] Time next_connection() const {
    return up_ || world_.connected(horizon_) == false ? kForever : world_.banned_until();
  }

  void follow_connection() {
    const bool up = world_.connected(now_);
    if (up == up_) return;
    up_ = up;
    policy_->on_connection(up, now_);
  }

  void take_inbounds() {
    while (next_inbound() <= now_) {
      const Inbound inbound = world_.take_inbound();
      if (inbound.read) {
        policy_->on_read(inbound.job, now_);
        continue;
      }
      world_.write(inbound.person, now_, inbound.stop);
      policy_->on_inbound(inbound.person, inbound.stop, now_);
    }
  }

  void take_jobs() {
    for (; next_arrival() <= now_; ++next_job_) {
      const Job& job = demand_.jobs[next_job_];
      if (job.inbound) {
        world_.write(job.person, now_, false);
        policy_->on_inbound(job.person, false, now_);
        continue;
      }
      ++wanted_;
      if (!policy_->on_job(next_job_, now_)) ++refused_;
    }
  }

  /// Everything it wants to do now; returns when it wants to be asked again.
  Time ask_policy() {
    for (;;) {
      const Step step = policy_->next(now_);
      switch (step.kind) {
        case Step::Kind::wait:
          return step.at;
        case Step::Kind::refuse:
          ++refused_;
          continue;
        case Step::Kind::send:
          send(step.job);
          break;
        case Step::Kind::official:
          send_official(step.job);
          continue;
      }
      follow_connection();
    }
  }

  void look_at_noon() {
    if (now_ < noon_) return;
    noon_ += kDayMs;
    if (policy_->braked()) ++braked_;
  }

  void send(std::uint32_t number) {
    const Job& job = demand_.jobs[number];
    const Person& person = world_.person(job.person);
    const std::size_t lane = !person.wrote ? 2 : now_ - person.last_in < kDayMs ? 0 : 1;
    const Answer answer = world_.send(job.person, job.text, number, now_);
    if (answer == Answer::ok && world_.arrived()) note_delivery(lane, job);
    policy_->on_answer(number, answer, world_.arrived(), now_);
    for (const Notice& notice : world_.take_notices()) policy_->on_notice(notice, now_);
  }

  void send_official(std::uint32_t number) {
    const Job& job = demand_.jobs[number];
    if (world_.send_official(job.person, job.consent, number))
      policy_->on_stop_elsewhere(job.person, now_);
    if (world_.arrived()) note_delivery(2, job);
  }

  void note_delivery(std::size_t lane, const Job& job) {
    latency_[lane].push_back(static_cast<float>(now_ - job.at) / 1000.0F);
    const Time day = job.at / kDayMs;
    if (day == 0) ++first_day_;
    if (day == 6) ++seventh_day_;
  }

  Outcome close() {
    const Tally tally = world_.finish();
    const double days = static_cast<double>(horizon_) / kDayMs;
    Outcome out;
    out.demand = static_cast<double>(wanted_) / days;
    out.delivered = static_cast<double>(tally.delivered + tally.official) / days;
    out.official = static_cast<double>(tally.official) / days;
    out.cost = tally.cost / days;
    out.any_lock = tally.any_lock;
    out.permanent = tally.permanent;
    out.days_locked = static_cast<double>(tally.locked) / kDayMs;
    out.complaints = tally.delivered == 0 ? 0
                                          : 1000.0 * static_cast<double>(tally.complaints) /
                                                static_cast<double>(tally.delivered);
    out.to_opted_out = static_cast<double>(tally.to_opted_out);
    out.unwanted = out.to_opted_out / days;
    out.refused = static_cast<double>(refused_) / days;
    out.first_day = first_day_;
    out.seventh_day = seventh_day_;
    out.braked = braked_ / days;
    out.openings = static_cast<double>(tally.openings) / days;
    out.latency = std::move(latency_);
    for (std::vector<float>& lane : out.latency) std::sort(lane.begin(), lane.end());
    return out;
  }

  Time horizon_;
  Model model_;
  Demand demand_;
  World world_;
  Session session_;
  std::unique_ptr<Policy> policy_;
  Time now_ = 0;
  bool up_ = true;
  std::uint32_t next_job_ = 0;
  std::uint64_t wanted_ = 0;
  std::uint64_t refused_ = 0;
  double first_day_ = 0;
  double seventh_day_ = 0;
  Time noon_ = kDayMs / 2;
  double braked_ = 0;
  std::array<std::vector<float>, 3> latency_;
};

}  // namespace

Outcome run_account(const Model& model, const Cell& cell, PolicyName policy, int days,
                    std::uint64_t seed) {
  return Account(model, cell, policy, days, seed).run();
}

}  // namespace posthorn::evaluation
