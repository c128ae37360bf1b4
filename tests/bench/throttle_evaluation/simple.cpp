#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "policy.h"

namespace posthorn::evaluation {
namespace {

/// What anybody would write in an afternoon, and the yardstick of what all the rest is worth: asks
/// whether the number exists, keeps to opt-outs, 20 openings in 24 h, stands still while locked.
class Simple final : public Policy {
 public:
  explicit Simple(const Setup& setup)
      : session_(setup.session), life_(static_cast<Time>(setup.model.job_hours * kHourMs)) {
    if (!setup.knows_regulars()) return;
    for (std::uint32_t person = 0; person < setup.regulars; ++person) written_.insert(person);
  }

  bool on_job(std::uint32_t job, Time) override {
    queue_.push_back(job);
    return true;
  }

  Step next(Time now) override {
    while (!openings_.empty() && openings_.front() <= now - kDayMs) openings_.pop_front();
    if (!up_ || queue_.empty()) return {};
    for (auto at = queue_.begin(); at != queue_.end(); ++at) {
      const std::uint32_t job = *at;
      const std::uint32_t person = session_.job(job).person;
      const auto wrote = last_in_.find(person);
      const bool reply = wrote != last_in_.end() && now - wrote->second < kDayMs;
      const bool opening = !written_.contains(person);
      const bool late = now - session_.job(job).at >= life_;
      if (late || (stopped_.contains(person) && !reply) ||
          (opening && !session_.on_whatsapp(person))) {
        queue_.erase(at);
        return {Step::Kind::refuse, job, 0};
      }
      if (now < paused_until_ || (opening && openings_.size() >= 20)) continue;
      if (opening) openings_.push_back(now);
      written_.insert(person);
      queue_.erase(at);
      return {Step::Kind::send, job, now};
    }
    const Time slot = openings_.size() >= 20 ? openings_.front() + kDayMs : kForever;
    Time wake = std::min(slot, session_.job(queue_.front()).at + life_);
    if (now < paused_until_) wake = paused_until_;
    return {Step::Kind::wait, 0, std::max(wake, now + kSecondMs)};
  }

  void on_answer(std::uint32_t, Answer answer, bool, Time now) override {
    if (answer != Answer::locked463 && answer != Answer::capped475) return;
    const Session::Lock lock = session_.lock(now);
    paused_until_ = std::max(paused_until_, lock.active ? lock.until : now + kDayMs);
  }
  void on_read(std::uint32_t, Time) override {}
  void on_inbound(std::uint32_t person, bool stop, Time now) override {
    written_.insert(person);
    if (stop) {
      stopped_.insert(person);
    } else {
      last_in_[person] = now;
    }
  }
  void on_notice(const Notice& notice, Time) override {
    const bool warning =
        notice.kind == Notice::Kind::warn_first || notice.kind == Notice::Kind::warn_second;
    if (!warning) paused_until_ = std::max(paused_until_, notice.until);
  }
  void on_connection(bool up, Time) override { up_ = up; }

 private:
  const Session& session_;
  Time life_;
  std::deque<std::uint32_t> queue_;
  std::deque<Time> openings_;
  std::unordered_set<std::uint32_t> written_, stopped_;
  std::unordered_map<std::uint32_t, Time> last_in_;
  Time paused_until_ = 0;
  bool up_ = true;
};

}  // namespace

std::unique_ptr<Policy> make_simple(const Setup& setup) { return std::make_unique<Simple>(setup); }

}  // namespace posthorn::evaluation
