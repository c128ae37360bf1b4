#include "fleet/waiting.h"

#include <signal.h>
#include <unistd.h>

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

constexpr std::size_t kRefusedAtMost = 3;

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

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
    tell();
    loop_.run();
    return status_;
  }

 private:
  void tell() {
    desk_.start([this] { return report(); }, [this](const Desk::Wish& wish) { on_wish(wish); });
  }

  /// Every ten seconds; looks, too, whether there is still something to wait for.
  [[nodiscard]] json::Value report() {
    if (exists(places_.state_dir + "/certificate.pem")) {
      log::info("fleet", "enrolled by hand; starts anew as a part of the fleet");
      loop_.stop();
    } else if (desk_.refused() >= kRefusedAtMost) {
      log::warn("fleet", "ends, to be started again",
                {{"why", "the daemon does not know our token any more"}});
      status_ = 1;
      loop_.stop();
    }
    json::Value out(::Json::objectValue);
    out["enrolled"] = false;
    out["message"] = failure_;
    return out;
  }

  /// In a turn of its own: the head office is asked by a loop of its own, within seconds.
  void on_wish(const Desk::Wish& wish) {
    if (wish.what != "enrol") return;
    again_.start(milliseconds(0), [this, wish] {
      const std::string own = own_settings_file(places_.state_dir);
      const bool given = exists(places_.config_file);
      // What an enrolment left that did not come to its end would be kept as somebody's wish.
      if (!given) unlink(own.c_str());
      const auto told = enrol({wish.url, wish.code, "", wish.pin, given ? places_.config_file : own,
                               places_.state_dir});
      if (told) {
        log::info("fleet", "enrolled; starts anew as a part of the fleet");
        return loop_.stop();
      }
      failure_ = told.error().detail;
      log::warn("fleet", "enrolling did not work", {{"why", failure_}});
      tell();  // whoever looks at the page: now, not at the next turn
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
  int status_ = 0;
};

}  // namespace

int wait_for_enrolment(BoxAccess access, const WaitingPlaces& places) {
  return Waiting(std::move(access), places).run();
}

}  // namespace posthorn::fleet
