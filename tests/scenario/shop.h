#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/app.h"
#include "media_http.h"
#include "posthorn/base/json.h"
#include "posthorn/files/store.h"
#include "posthorn/simulator/simulator.h"
#include "support/fakes.h"
#include "support/mem_disk.h"

namespace posthorn::scenario {

/// What the till learns about one message, by its notifications.
struct Story {
  std::vector<std::string> statuses;  ///< of outgoingMessageStatus, in order
  std::string description;            ///< of "failed"

  [[nodiscard]] bool has(const std::string& status) const;
  /// "sent", "failed" or "noAccount"; empty: not yet.
  [[nodiscard]] std::string end() const;
};

/// A number that has been in daily use for half a year, so that pace is not what holds things up.
[[nodiscard]] Config established();

/// A shop: the daemon's own composition (daemon::App) with real rings, store, throttle, session and
/// API, on one fake clock. Sockets, disk and time are the test's; the other end is the simulator.
/// The till speaks to it as it would over HTTP.
class Shop {
 public:
  /// config.api and config.whatsapp are filled in here. It is midnight, the clock is not trusted.
  explicit Shop(Config config = {});
  ~Shop();
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  void boot();
  void shut_down();
  void restart() {
    shut_down();
    boot();
  }
  /// As the program ends on SIGTERM (appliance.cpp): nobody waits for what is still under way, and
  /// what comes back afterwards finds nobody.
  void end_at_once();
  /// The phone scans the code, and the box comes online.
  void link();
  /// Links, and has a customer write, so that answers go out at once; gives the customer's number.
  std::string link_with_customer();

  /// One API call; runs the loop until it is answered (10 s at most).
  struct Answer {
    int status = 0;
    json::Value body;
  };
  Answer call(const std::string& method, const std::string& body = "",
              const std::string& behind = "", api::Verb verb = api::Verb::get);
  Answer post(const std::string& method, const std::string& body) {
    return call(method, body, "", api::Verb::post);
  }
  /// With the technician's right.
  Answer care(const std::string& method, const std::string& body);
  Answer ask(api::Request request);
  /// A request with the technician's right.
  [[nodiscard]] static api::Request with_care(api::Verb verb, const std::string& method,
                                              const std::string& body);
  /// Takes a streamed body to its end, as a client does.
  void take_stream(api::Response& response);
  std::string metrics();
  /// One API call whose body is streamed, as multipart forms are.
  Answer upload(const std::string& method, const std::string& content_type, const std::string& body,
                const std::string& file_name = "");
  /// GET of a whole link, as the till follows it.
  api::Response follow(const std::string& link, const std::string& range = "");

  /// sendMessage with consent; the id that the 200 named, and one more accepted job.
  std::string send(const std::string& chat, const std::string& text);
  /// Takes every notification out of the inbox, as a till that polls.
  void take_notifications();
  [[nodiscard]] std::string state();
  /// Ids in showMessagesQueue, with their holdReason.
  std::map<std::string, std::string> queue();
  [[nodiscard]] std::string level();
  void pass(milliseconds time) { scheduler.advance(time); }

  Config config;
  test::FakeScheduler scheduler;
  test::SeededRandom random{7};
  test::SeededRandom world_random{8};
  test::InlineWorker worker{scheduler};
  test::MemoryDialer dialer{scheduler};
  test::MemDisk disk;
  simulator::Simulator world{scheduler, world_random};
  MediaHttp http{scheduler, world};
  std::string folder;
  /// What the box believes at power on: a board without a battery may wake in 1970.
  std::optional<Wall> clock_at_boot;

  std::unique_ptr<store::Store> store;
  std::unique_ptr<Clock> clock;
  std::unique_ptr<queue::RingFile> outbox_ring;
  std::unique_ptr<queue::RingFile> inbox_ring;
  std::unique_ptr<files::Store> files;
  std::unique_ptr<daemon::App> box;

  std::string phone;                     ///< the shop's own number
  std::set<std::string> accepted;        ///< ids that a 200 named
  std::map<std::string, Story> stories;  ///< by id
  struct StateNews {
    std::string state;
    Mono taken;
  };
  std::vector<StateNews> states;        ///< stateInstanceChanged, as the till took them
  std::vector<std::string> texts;       ///< that customers wrote
  std::vector<json::Value> files_told;  ///< messageData of incoming messages with a file
  int led_changes = 0;                  ///< how often the box asked for a look at its status
};

}  // namespace posthorn::scenario
