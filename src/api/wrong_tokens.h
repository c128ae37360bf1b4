#pragma once

#include <list>
#include <map>
#include <string>

#include "posthorn/api/http.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::api {

/// Makes guessing tokens slow: the refusal of a wrong one is held back, longer with every further
/// one from the same address. Right tokens are never slowed down.
class WrongTokens {
 public:
  static constexpr milliseconds kFirstHold{500};
  static constexpr milliseconds kLongestHold{8000};
  static constexpr minutes kForget{10};
  static constexpr std::size_t kPeers = 256;
  static constexpr std::size_t kHeld = 32;

  explicit WrongTokens(Scheduler& scheduler) : scheduler_(scheduler) {}

  /// Sends `refusal` later. When too many are held already, `overload` at once.
  void refuse(const std::string& peer, Reply reply, Response refusal, Response overload);
  void on_right(const std::string& peer);
  /// Answers what is held.
  void stop();

 private:
  struct Peer {
    unsigned wrong = 0;
    Mono last;
  };
  struct Held {
    Held(Scheduler& scheduler, Reply r, Response w)
        : reply(std::move(r)), refusal(std::move(w)), timer(scheduler) {}
    Reply reply;
    Response refusal;
    Timer timer;
  };

  [[nodiscard]] milliseconds next_hold(const std::string& peer);

  Scheduler& scheduler_;
  std::map<std::string, Peer> peers_;
  std::list<Held> held_;
};

}  // namespace posthorn::api
