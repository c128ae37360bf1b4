#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "model.h"
#include "workload.h"

namespace posthorn::evaluation {

/// What the sender's session would see of one send.
enum class Answer : std::uint8_t { ok, locked463, capped475, no_account };

/// What the account would be told.
struct Notice {
  enum class Kind : std::uint8_t {
    lock,
    temporary_ban,
    permanent_ban,
    warn_first,
    warn_second,
    capped
  };
  Kind kind = Kind::lock;
  Time until = 0;
};

/// Somebody writes to the shop, or opens what it wrote.
struct Inbound {
  Time at = 0;
  std::uint32_t person = 0;
  bool stop = false;  ///< "STOP"
  bool read = false;  ///< opened `job`, no words
  std::uint32_t job = 0;
  bool operator>(const Inbound& other) const { return at > other.at; }
};

struct Tally {
  std::uint64_t delivered = 0, complaints = 0, to_opted_out = 0, strikes = 0;
  std::uint64_t to_wrong_numbers = 0;
  bool any_lock = false;
  bool permanent = false;
  Time locked = 0;  ///< inside the horizon
  std::uint64_t openings = 0;
  std::uint64_t official = 0;  ///< delivered by the official number, in no other count
  double cost = 0;             ///< of those
};

/// Points that fade, the other way to enforce: everything adds to one sum.
class Score {
 public:
  void add(double points, Time now, double half_life_days);
  [[nodiscard]] double value() const { return points_; }

 private:
  double points_ = 0;
  Time at_ = 0;
};

/// One account at the pretend WhatsApp, and the people it writes to. Policies see Answers, Notices,
/// Inbounds and deliveries, never the thresholds.
class World {
 public:
  /// scored: enforced by Score instead of the thresholds of section 15.2.
  World(const Model& model, Demand& demand, int age_days, double strictness, bool scored,
        Time horizon, std::uint64_t seed);

  /// Whether the connection would be accepted.
  [[nodiscard]] bool connected(Time now) const { return !tally_.permanent && now >= banned_until_; }
  [[nodiscard]] Time banned_until() const { return banned_until_; }
  /// What the account query would say.
  [[nodiscard]] bool lock_active(Time now) const { return now < lock_until_; }
  [[nodiscard]] Time lock_until() const { return lock_until_; }
  [[nodiscard]] bool registered(std::uint32_t person) const { return people_[person].registered; }

  /// One message leaves. job: its number, for the luck of this message.
  Answer send(std::uint32_t person, std::uint32_t text, std::uint64_t job, Time now);
  /// One message leaves by the official number, whose standing is nobody's business here: what
  /// people answer there is not modelled but for "STOP". True: they have just said so.
  bool send_official(std::uint32_t person, bool consent, std::uint64_t job);
  /// Did the last send reach a device?
  [[nodiscard]] bool arrived() const { return arrived_; }
  /// A customer writes first (workload), or answers.
  void write(std::uint32_t person, Time now, bool stop);

  [[nodiscard]] std::vector<Notice> take_notices() { return std::move(notices_); }
  [[nodiscard]] const Inbound* next_inbound() const {
    return inbounds_.empty() ? nullptr : &inbounds_.top();
  }
  Inbound take_inbound();
  [[nodiscard]] Person& person(std::uint32_t id) { return people_[id]; }
  /// Closes the books at the horizon.
  [[nodiscard]] Tally finish();

 private:
  struct Thresholds {
    double openings, unanswered, minute, same_text, complaints;
  };
  [[nodiscard]] double median(double a, double b, double c, double d, Time now) const;
  [[nodiscard]] double trust() const;
  [[nodiscard]] double chance_above(double level, double threshold) const;
  bool luck(double p, std::uint64_t job, std::uint64_t what) const;
  void roll_cycle(Time now);
  void forget(Time now);
  void strike(Time now, bool ban);
  void lock(Time now, Time until);
  void book(Time now, Time until);
  void extend(Time now, std::uint64_t job);
  void count_unanswered(Time now);
  std::uint32_t note_text(Person& person, std::uint32_t text, Time now);
  /// Both return what the one send may trigger, by threshold or by score.
  void judge(const Person& person, bool reply, bool opening, std::uint32_t same, std::uint64_t job,
             Time now);
  void judge_by_score(const Person& person, bool reply, bool opening, std::uint32_t same,
                      std::uint64_t job, Time now);
  void react(std::uint32_t id, std::uint64_t job, Time now);

  const Model& model_;
  std::vector<Person>& people_;
  int age_days_;
  double strictness_;
  bool scored_;
  Score score_;
  Time horizon_;
  std::uint64_t seed_;
  Thresholds luck_{};  ///< this account's own factors

  std::deque<Time> openings_, minute_, wrong_;
  std::deque<Time> complaints_;
  std::deque<std::pair<Time, std::uint32_t>> week_;  ///< messages per hour of the last 7 days
  std::uint64_t week_count_ = 0;
  std::unordered_map<std::uint32_t, std::deque<Time>> texts_;
  std::uint32_t opened_ = 0, answered_ = 0;
  Time cycle_start_ = 0;
  double unanswered_ = 0;
  int warned_ = 0;
  Time capped_until_ = 0;
  Time lock_until_ = 0;
  Time booked_to_ = 0;  ///< locked time is counted up to here
  Time banned_until_ = 0;
  int strikes_ = 0;
  Time last_strike_ = 0;
  bool arrived_ = false;
  std::vector<Notice> notices_;
  std::priority_queue<Inbound, std::vector<Inbound>, std::greater<>> inbounds_;
  Tally tally_;
};

}  // namespace posthorn::evaluation
