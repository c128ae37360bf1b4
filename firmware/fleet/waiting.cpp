#include "fleet/waiting.h"

#include <signal.h>

#include <cstdio>

#include "daemon/service_manager.h"
#include "fleet/enrol.h"
#include "posthorn/base/log.h"
#include "posthorn/fleet/desk.h"
#include "posthorn/fleet/local_box_api.h"
#include "posthorn/loop/loop.h"
#include "posthorn/net/dialer.h"

namespace posthorn::fleet {

namespace {

class Waiting {
 public:
  Waiting(BoxAccess access, const WaitingPlaces& places)
      : places_(places),
        worker_(loop_),
        dialer_(loop_, worker_, random_, [] { return true; }),
        box_(loop_, dialer_, std::move(access)),
        desk_(loop_, box_),
        again_(loop_) {}

  int run() {
    const loop::SignalWatch terminate(loop_, SIGTERM, [this] { loop_.stop(); });
    const loop::SignalWatch interrupt(loop_, SIGINT, [this] { loop_.stop(); });
    const daemon::ServiceManager service(loop_, daemon::ServiceEnvironment::read());
    log::info("fleet", "not enrolled; waits for a code from the box's page");
    std::printf("{\"box\":\"\"}\n");
    std::fflush(stdout);
    desk_.start([this] { return report(); }, [this](const Desk::Wish& wish) { on_wish(wish); });
    loop_.run();
    return 0;
  }

 private:
  [[nodiscard]] json::Value report() const {
    json::Value out(::Json::objectValue);
    out["enrolled"] = false;
    out["message"] = failure_;
    return out;
  }

  /// In a turn of its own: the head office is asked by a loop of its own, within seconds.
  void on_wish(const Desk::Wish& wish) {
    if (wish.what != "enrol") return;
    again_.start(milliseconds(0), [this, wish] {
      const auto told =
          enrol({wish.url, wish.code, "", wish.pin, places_.config_file, places_.state_dir});
      if (told) {
        log::info("fleet", "enrolled; starts anew as a part of the fleet");
        return loop_.stop();
      }
      failure_ = told.error().detail;
      log::warn("fleet", "enrolling did not work", {{"why", failure_}});
      // Whoever looks at the page is told now, not at the next turn.
      desk_.start([this] { return report(); }, [this](const Desk::Wish& next) { on_wish(next); });
    });
  }

  WaitingPlaces places_;
  loop::Loop loop_;
  loop::PoolWorker worker_;
  loop::SystemRandom random_;
  net::NetDialer dialer_;
  LocalBoxApi box_;
  Desk desk_;
  Timer again_;
  std::string failure_;
};

}  // namespace

int wait_for_enrolment(BoxAccess access, const WaitingPlaces& places) {
  return Waiting(std::move(access), places).run();
}

}  // namespace posthorn::fleet
