#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/alive.h"
#include "posthorn/base/json.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/fleet/box_api.h"

namespace posthorn::fleet {

/// What the daemon says about itself, gathered over its API.
struct BoxState {
  bool reachable = false;  ///< the daemon answers
  std::string version;
  std::string link;
  std::string link_cause;
  std::string what_to_do;
  std::string throttle;
  bool storage_ok = true;
  bool clock_trusted = false;
  bool paused = false;
  std::int64_t outbox_jobs = 0;
  std::int64_t inbox_notifications = 0;
  json::Value board{::Json::objectValue};  ///< getBoardStatus
  std::map<std::string, double> metrics;   ///< of /metrics, "posthorn_jobs_total{fate=\"sent\"}"
};

/// The samples of Prometheus' text format, at most `most`; lines that are none are left out.
[[nodiscard]] std::map<std::string, double> parse_metrics(std::string_view text,
                                                          std::size_t most = 1000);

/// Looks at the box every `poll`, at counters and board once a minute.
class BoxView {
 public:
  BoxView(Scheduler& scheduler, BoxApi& box, milliseconds poll);
  BoxView(const BoxView&) = delete;
  BoxView& operator=(const BoxView&) = delete;

  /// on_look runs after each look, whatever it found.
  void start(std::function<void()> on_look);
  /// Looks at everything now, and then runs done.
  void look_now(Function<void()> done);
  [[nodiscard]] const BoxState& state() const { return state_; }
  /// The box's own time, as its daemon believes it: nullopt while that does not know.
  [[nodiscard]] std::optional<Wall> now() const;
  /// How often in a row the daemon did not know our token: it was replaced.
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  void look(bool all, Function<void()> done);
  void on_health(Result<BoxAnswer> answer);
  void on_throttle(const Result<BoxAnswer>& answer);
  void ask(BoxRequest request, Function<void(Result<BoxAnswer>)> then);
  void look_at_counters();
  void looked();

  Scheduler& scheduler_;
  BoxApi& box_;
  milliseconds poll_;
  Timer timer_;
  std::function<void()> on_look_;
  BoxState state_;
  Mono counters_at_{};
  std::optional<std::pair<Wall, Mono>> heard_;
  std::size_t refused_ = 0;
  bool looking_ = false;
  bool all_ = false;
  std::vector<Function<void()>> waiting_;
  Alive<BoxView> alive_{this};
};

}  // namespace posthorn::fleet
