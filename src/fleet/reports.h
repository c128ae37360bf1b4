#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fleet/box_view.h"
#include "fleet/topics.h"
#include "posthorn/base/time.h"
#include "posthorn/fleet/agent.h"

/// What the retained topics say, from what is known: pure.
namespace posthorn::fleet {

[[nodiscard]] std::string birth_text(const Facts& facts, const Settings& settings,
                                     const BoxState& box, std::int64_t certificate_until,
                                     bool certificate_due);

/// Counters since the day began, from totals that only rise and begin again with the daemon.
class DayCounters {
 public:
  void on_metrics(const std::map<std::string, double>& metrics, std::optional<Wall> now);
  [[nodiscard]] json::Value to_json() const;

 private:
  std::int64_t day_ = -1;
  std::map<std::string, double> last_;
  std::map<std::string, double> today_;
};

struct StateFacts {
  bool fleet_paused = false;
  std::int64_t certificate_until = 0;
  std::uint64_t event_position = 0;
  std::string update;  ///< Updater::state(); empty: none
};
/// Without a time in it, so that what has not changed reads the same.
[[nodiscard]] json::Value state_json(const BoxState& box, const DayCounters& day,
                                     const StateFacts& facts);

struct Alert {
  std::string name;  ///< of the topic alert/NAME
  std::string text;
  std::string what_to_do;
};
inline constexpr const char* kAlertNames[] = {"restriction", "unlinked", "storage",
                                              "clock",       "daemon",   "certificate",
                                              "gap",         "twin",     "update"};
/// Those that follow from how the box is now.
[[nodiscard]] std::vector<Alert> alerts_of(const BoxState& box, const CertificateFacts& certificate,
                                           std::optional<Wall> now);

/// Home Assistant's device discovery: topic and payload.
[[nodiscard]] std::pair<std::string, std::string> discovery_of(const Topics& topics,
                                                               const Settings& settings,
                                                               const Facts& facts,
                                                               const std::string& version);

}  // namespace posthorn::fleet
