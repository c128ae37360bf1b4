#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model.h"

namespace posthorn::evaluation {

/// Milliseconds since the simulated account's first midnight.
using Time = std::int64_t;
inline constexpr Time kSecondMs = 1'000, kMinuteMs = 60'000, kHourMs = 3'600'000,
                      kDayMs = 86'400'000;

enum class Kind : std::uint8_t { regular, consent, bot, lukewarm, bought };

/// Somebody with a phone number.
struct Person {
  Kind kind = Kind::regular;
  bool registered = true;
  bool wrote = false;  ///< has ever written to the shop
  bool opted_out = false;
  bool answered_opening = false;
  bool opened = false;             ///< our first message to somebody who had never written
  std::uint16_t run = 0;           ///< messages since the last of theirs
  std::uint16_t official_run = 0;  ///< the same, by the official number
  std::uint32_t last_text = 0;
  Time last_text_at = -kDayMs * 1000;
  Time last_in = -kDayMs * 1000;
  std::uint32_t received = 0;
};

/// One message that the shop wants to send, or (in_bound) one that a customer writes.
struct Job {
  Time at = 0;
  std::uint32_t person = 0;
  std::uint32_t text = 0;  ///< 0: a text of its own
  bool consent = false;
  bool inbound = false;
};

enum class Workload : std::uint8_t {
  w1,
  w2,
  w3,
  w4,
  w5,
  kiosk,
  walk_in,
  walk_in_scan,  ///< the same shop with the sign: most new customers write first
  restaurant,
  season,   ///< W1, growing to season_peak times as much over the days
  closure,  ///< W1 with a closed shop in the middle
};
inline constexpr std::size_t kWorkloads = 11;
[[nodiscard]] std::string_view to_string(Workload workload);

struct Demand {
  std::vector<Person> people;
  std::vector<Job> jobs;  ///< by time
};
/// The same for every policy. age_days: of the account at the start.
[[nodiscard]] Demand make_demand(const Model& model, Workload workload, int age_days, int days,
                                 std::uint64_t seed);

}  // namespace posthorn::evaluation
