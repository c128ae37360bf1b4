#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "posthorn/throttle/valve.h"
#include "support/fakes.h"
#include "throttle/valve_fixture.h"

namespace posthorn::throttle::test {

/// What a storm does, and how often.
struct Weather {
  double signals = 0.0005;  ///< chance per step
  double restarts = 0.0005;
  double clocks = 0.01;       ///< the untrusted clock jumps, the server tells its time
  double bad_outcomes = 0.2;  ///< of sends
  std::uint64_t seed = 1;
};

/// Random traffic, clocks, signals, outcomes and power cuts against a whole valve, and an
/// independent observer who knows the true time and checks every hand-over. Violations are
/// collected as sentences.
class Storm {
 public:
  explicit Storm(Weather weather);
  ~Storm();
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  void run(std::uint64_t steps);
  /// Afterwards: every job sent, failed with a reason, cancelled or still present.
  void settle_accounts();

  std::vector<std::string> violations;
  std::uint64_t handed_over = 0;
  std::uint64_t finished = 0;
  std::uint64_t level_changes = 0;
  std::uint64_t restarts = 0;

 private:
  struct Chat {
    std::int64_t last_in = 0;    ///< true ms; 0: never
    std::int64_t opted_out = 0;  ///< true ms; 0: not
    bool refused463 = false;
    bool surely_lately = true;      ///< last_in was heard while the time was known
    std::uint64_t newest_sent = 0;  ///< sequence
  };
  class Observer;
  friend class Observer;

  std::uint64_t below(std::uint64_t n) { return random_.between(0, n - 1); }
  bool chance(double p) { return static_cast<double>(random_.between(0, 999'999)) < p * 1e6; }
  /// Milliseconds that have really passed, power off included.
  [[nodiscard]] std::int64_t true_ms() const {
    return (scheduler_.now().since_start.count()) + off_ms_;
  }
  [[nodiscard]] std::int64_t server_ms() const { return kEpoch + true_ms(); }
  void step();
  void post_job();
  void inbound();
  void signal();
  void operator_acts();
  void clock_acts();
  void power_cut();
  void open();
  void check_hand_over(const Job& job, bool leaves);
  void check_windows(const std::string& chat);
  void remember_limits();
  [[nodiscard]] std::uint32_t openings_before_this();
  void violation(const std::string& what);

  static constexpr std::int64_t kEpoch = 1'790'000'000'000;
  Weather weather_;
  posthorn::test::SeededRandom random_;
  posthorn::test::FakeScheduler scheduler_;
  std::int64_t off_ms_ = 0;
  std::unique_ptr<Clock> clock_;
  posthorn::test::MemoryBlobStore blobs_{scheduler_};
  MemoryOutbox outbox_{scheduler_};
  std::unique_ptr<Observer> observer_;
  std::unique_ptr<Valve> valve_;
  bool connected_ = true;

  std::map<std::string, Chat> chats_;
  std::map<std::string, std::uint64_t> sequence_of_;  ///< by job id
  std::set<std::string> written_;                     ///< chats that got a first message
  std::set<std::uint64_t> accepted_, final_, cancelled_, sent_once_;
  std::deque<std::int64_t> known_first_, replies_, all_, openings_, strangers_;
  std::map<std::string_view, std::uint32_t> limits_;  ///< the larger of before and after the step
  Level told_ = Level::green;
  std::uint64_t made_ = 0;
  std::uint64_t step_ = 0;
};

}  // namespace posthorn::throttle::test
