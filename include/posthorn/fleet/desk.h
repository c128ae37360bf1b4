#pragma once

#include <functional>
#include <string>

#include "posthorn/base/alive.h"
#include "posthorn/base/json.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/fleet/box_api.h"

namespace posthorn::fleet {

/// Tells the daemon every ten seconds how we are (reportFleet), and hears what a person at the
/// box's page wants of us.
class Desk {
 public:
  static constexpr seconds kEvery{10};

  struct Wish {
    std::string what;  ///< "enrol", "leave"
    std::string url;
    std::string code;
    std::string pin;
  };

  Desk(Scheduler& scheduler, BoxApi& box) : box_(box), timer_(scheduler) {}
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  /// report: how we are now. on_wish: may end this object's owner only in a later turn.
  void start(std::function<json::Value()> report, std::function<void(const Wish&)> on_wish);
  void stop();
  /// How often in a row the daemon did not know our token: it was replaced.
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  void say();
  void on_answer(const Result<BoxAnswer>& answer);

  BoxApi& box_;
  Timer timer_;
  std::function<json::Value()> report_;
  std::function<void(const Wish&)> on_wish_;
  std::size_t refused_ = 0;
  bool stopped_ = false;
  Alive<Desk> alive_{this};
};

}  // namespace posthorn::fleet
