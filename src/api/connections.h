#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/time.h"

namespace posthorn::api {

/// How many connections a server holds, and for whom.
struct ConnectionLimits {
  unsigned all = 160;
  unsigned strangers = 112;     ///< together; the rest is for tills, who have shown a right
  unsigned stranger_each = 48;  ///< from one address
  unsigned till_each = 96;
  /// For a handshake, a request's head and body, and for a stranger's pause between two requests.
  seconds unfinished{10};
  hours remembered{1};  ///< an address that showed a right counts as a till's for so long
};

/// Who may connect and who has to go, so that no client on the LAN (a scanner, a till that leaks
/// connections) can lock out the others. Nobody is turned away while somebody is there who does
/// nothing: the newcomer takes the place of whoever waits longest at the address that holds most,
/// but a stranger never takes a till's. What is being answered is never cut. Without sockets.
class Connections {
 public:
  using Id = std::uint64_t;

  explicit Connections(ConnectionLimits limits) : limits_(limits) {}

  struct Admission {
    std::optional<Id> id;     ///< nullopt: refused
    std::optional<Id> evict;  ///< has to be closed for it
  };
  [[nodiscard]] Admission open(const std::string& address, Mono now);
  /// A request's head has come whole; its body may follow.
  void on_head(Id id, Mono now);
  /// It showed a right: its connection and its address are a till's.
  void on_trusted(Id id, Mono now);
  /// The request is whole, or its body has a reader that sets the pace: from here on it is ours.
  void on_whole(Id id);
  /// The answer has left; the next request may come.
  void on_answered(Id id, Mono now);
  void on_closed(Id id);

  /// Those whose time is over.
  [[nodiscard]] std::vector<Id> overdue(Mono now) const;
  [[nodiscard]] bool empty() const { return open_.empty(); }
  [[nodiscard]] std::size_t size() const { return open_.size(); }

 private:
  enum class State : std::uint8_t {
    fresh,   ///< connected; handshake or head to come
    head,    ///< a head has come, the body is coming
    ours,    ///< being answered
    resting  ///< answered, the next request may come
  };
  struct One {
    std::string address;
    State state = State::fresh;
    bool till = false;
    Mono since;
  };
  struct Held {
    unsigned strangers = 0;
    unsigned tills = 0;
  };

  [[nodiscard]] bool knows(const std::string& address, Mono now) const;
  void remember(const std::string& address, Mono now);
  [[nodiscard]] Held held_by(const std::string& address) const;
  /// The one with the least claim to its place among those that `eligible` names.
  template <class Eligible>
  [[nodiscard]] std::optional<Id> least_busy(Mono now, Eligible eligible) const;
  [[nodiscard]] std::string greediest_stranger() const;

  ConnectionLimits limits_;
  Id next_ = 1;
  std::map<Id, One> open_;  ///< in the order of their coming
  std::map<std::string, Held> held_;
  unsigned strangers_ = 0;
  std::map<std::string, Mono> tills_;  ///< addresses, with their latest right request
};

}  // namespace posthorn::api
