#pragma once

#include <optional>
#include <string>
#include <vector>

#include "posthorn/api/api.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::daemon {

/// Where the box's part in a fleet (the process posthorn-fleet) says how it is and hears what a
/// person at the page wants of it. It has no door of its own: it asks here every ten seconds.
///
/// - POST reportFleet {"enrolled", "org", "host", "box", "broker", "detail", "since", "message",
///   "certificateUntil", "lastCommand": {"do", "status", "time"}}: by posthorn-fleet, with the
///   till's right. Answers {"do": "none" | "enrol" | "leave", "url"?, "code"?, "pin"?}; a wish is
///   given once.
/// - GET getFleet (care): the last report, "running" (it came within 90 s), "reportedAt", "wish"
/// (not
///   fetched yet) and one "sentence".
/// - POST enrolFleet (care) {"url", "code", "pin"?}: https, of the head office.
/// - POST leaveFleet (care) {"confirm": "leave"}
///
/// Errors of the last two: 409 (posthorn-fleet does not run, is enrolled or is not), 400. Kept in
/// memory only: a code is of use once.
class FleetDesk {
 public:
  static constexpr seconds kFresh{90};

  explicit FleetDesk(const Scheduler& scheduler) : scheduler_(scheduler) {}

  [[nodiscard]] std::vector<api::Route> routes();

 private:
  struct Wish {
    std::string what;  ///< "enrol", "leave"
    std::string url = {};
    std::string code = {};
    std::string pin = {};
  };
  [[nodiscard]] bool running() const { return heard_ && scheduler_.now() - *heard_ < kFresh; }
  [[nodiscard]] bool enrolled() const;
  [[nodiscard]] std::string sentence() const;
  void report(api::Call call);
  void show(api::Call call) const;
  void enrol(api::Call call);
  void leave(api::Call call);

  const Scheduler& scheduler_;
  json::Value last_{::Json::objectValue};
  std::optional<Mono> heard_;
  Wall heard_at_;
  std::optional<Wish> wish_;
};

}  // namespace posthorn::daemon
