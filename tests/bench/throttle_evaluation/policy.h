#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "world.h"

namespace posthorn::evaluation {

/// What a policy may ask of the account: no more than a real session can.
class Session {
 public:
  Session(const World& world, const Demand& demand) : world_(world), demand_(demand) {}

  [[nodiscard]] bool on_whatsapp(std::uint32_t person) const { return world_.registered(person); }
  struct Lock {
    bool active = false;
    Time until = 0;
  };
  [[nodiscard]] Lock lock(Time now) const { return {world_.lock_active(now), world_.lock_until()}; }
  [[nodiscard]] const Job& job(std::uint32_t job) const { return demand_.jobs[job]; }

 private:
  const World& world_;
  const Demand& demand_;
};

inline constexpr Time kForever = INT64_MAX / 4;

struct Step {
  enum class Kind : std::uint8_t {
    send,
    official,  ///< by the shop's official number, for a price
    refuse,
    wait
  };
  Kind kind = Kind::wait;
  std::uint32_t job = 0;
  Time at = kForever;
};

/// Decides when which job leaves. Jobs are numbers into the demand.
class Policy {
 public:
  virtual ~Policy() = default;

  /// False: refused at once.
  virtual bool on_job(std::uint32_t job, Time now) = 0;
  virtual Step next(Time now) = 0;
  virtual void on_answer(std::uint32_t job, Answer answer, bool arrived, Time now) = 0;
  /// The customer has opened a message that job made.
  virtual void on_read(std::uint32_t job, Time now) = 0;
  virtual void on_inbound(std::uint32_t person, bool stop, Time now) = 0;
  /// A customer wrote STOP to the official number.
  virtual void on_stop_elsewhere(std::uint32_t, Time) {}
  virtual void on_notice(const Notice& notice, Time now) = 0;
  virtual void on_connection(bool up, Time now) = 0;
  /// Holds new customers back because of numbers that did not exist.
  [[nodiscard]] virtual bool braked() const { return false; }
};

enum class PolicyName : std::uint8_t {
  none,
  fixed_second,
  green_api,
  green_api_pause,
  waha,
  antiban_moderate,
  antiban_conservative,
  simple,  ///< number check, opt-out, 20 openings a day, stop on a signal
  posthorn,
  routed,  ///< posthorn with the official number beside it ([cloud] transport = auto)
};
inline constexpr std::size_t kPolicies = 10;
/// Those that cost nothing and are compared when nobody names any.
inline constexpr std::size_t kCompared = 9;
[[nodiscard]] std::string_view to_string(PolicyName name);

/// What a box knows of the shop when it is taken over.
enum class Start : std::uint8_t {
  history,   ///< the phone's history says who has written; an old number is declared
  import,    ///< a list of regulars, by number alone; an old number is declared
  declared,  ///< nobody; an old number is declared
  nothing,   ///< nobody, and nothing is declared
};
inline constexpr std::size_t kStarts = 4;
[[nodiscard]] std::string_view to_string(Start start);

struct Setup {
  const Model& model;
  const Session& session;
  std::size_t regulars = 0;  ///< the first so many people have written before
  int age_days = 0;
  Start start = Start::history;
  std::uint64_t seed = 0;

  /// Whether the box is told of its regulars.
  [[nodiscard]] bool knows_regulars() const {
    return start == Start::history || start == Start::import;
  }
};
[[nodiscard]] std::unique_ptr<Policy> make_policy(PolicyName name, const Setup& setup);
enum class Beside : std::uint8_t { nothing, official };
[[nodiscard]] std::unique_ptr<Policy> make_posthorn(const Setup& setup, Beside beside);
[[nodiscard]] std::unique_ptr<Policy> make_simple(const Setup& setup);

}  // namespace posthorn::evaluation
