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
  enum class Kind : std::uint8_t { send, refuse, wait };
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
  virtual void on_inbound(std::uint32_t person, bool stop, Time now) = 0;
  virtual void on_notice(const Notice& notice, Time now) = 0;
  virtual void on_connection(bool up, Time now) = 0;
};

enum class PolicyName : std::uint8_t {
  none,
  fixed_second,
  green_api,
  green_api_pause,
  waha,
  antiban_moderate,
  antiban_conservative,
  posthorn,
};
inline constexpr std::size_t kPolicies = 8;
[[nodiscard]] std::string_view to_string(PolicyName name);

/// regulars: how many of the first people are known from the phone's history.
[[nodiscard]] std::unique_ptr<Policy> make_policy(PolicyName name, const Model& model,
                                                  const Session& session, std::size_t regulars,
                                                  int age_days, std::uint64_t seed);
[[nodiscard]] std::unique_ptr<Policy> make_posthorn(const Model& model, const Session& session,
                                                    std::size_t regulars, int age_days,
                                                    std::uint64_t seed);

}  // namespace posthorn::evaluation
