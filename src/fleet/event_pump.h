#pragma once

#include <deque>
#include <functional>
#include <string>

#include "fleet/event_share.h"
#include "fleet/outlet.h"
#include "fleet/topics.h"
#include "posthorn/base/alive.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/fleet/box_api.h"

namespace posthorn::fleet {

/// From the inbox ring's named reader "fleet" to the broker. The ring is the queue: what the broker
/// has acknowledged moves the reader on, nothing is stored here. "seq" of an event is its number in
/// the ring; each number is either published or named in an event "gap", so a centre that sees a
/// number missing without one has lost something itself. The same number may come twice.
class EventPump {
 public:
  /// Published and not yet acknowledged; under the receive maximum of 20, so that replies fit too.
  static constexpr std::size_t kInFlight = 16;
  static constexpr seconds kExpiry{24 * 3600};

  struct Outside {
    Scheduler& scheduler;
    BoxApi& box;
    Outlet& outlet;
    Topics topics;
    Share share = Share::metadata;
    Bytes hash_key;
    std::function<void(std::uint64_t from, std::uint64_t to)> on_gap;
  };

  explicit EventPump(Outside outside) : outside_(std::move(outside)), timer_(outside_.scheduler) {}
  EventPump(const EventPump&) = delete;
  EventPump& operator=(const EventPump&) = delete;

  void on_connected();
  void on_lost();
  /// Publishes once more what comes from that number on, among the newest hundred of the ring; done
  /// gets how many. For a centre whose broker lost them.
  void resend(std::uint64_t from, Function<void(Result<std::size_t>)> done);
  [[nodiscard]] std::uint64_t published() const { return published_; }
  /// The last number of which the broker has everything.
  [[nodiscard]] std::uint64_t position() const { return acknowledged_; }

 private:
  struct Item {
    std::uint64_t number = 0;
    Publication publication;
    enum class State : std::uint8_t { waiting, in_flight, done } state = State::waiting;
  };

  void ask_position();
  void on_readers(Result<BoxAnswer> answer);
  void fetch();
  void on_events(Result<BoxAnswer> answer);
  void take(const json::Value& answer);
  void add_gap(std::uint64_t from, std::uint64_t to);
  void add_event(std::uint64_t number, const json::Value& event);
  [[nodiscard]] Publication publication_of(std::uint64_t number, const json::Value& event) const;
  void pump();
  void on_fate(std::uint64_t number, Outlet::Fate fate);
  void again(milliseconds after);
  /// f, unless this is gone by then.
  template <class F>
  [[nodiscard]] Once<void(Result<BoxAnswer>)> alive_or(F f) {
    return [self = alive_.weak(), f = std::move(f)](Result<BoxAnswer> answer) mutable {
      if (self.get() != nullptr) f(std::move(answer));
    };
  }

  Outside outside_;
  bool known_ = false;    ///< where the reader stands
  bool refused_ = false;  ///< the broker's rules said no: a pause before the next try
  bool asking_ = false;   ///< a call is under way
  std::uint64_t acknowledged_ = 0;
  std::uint64_t taken_ = 0;  ///< the last number in items_ or before
  std::deque<Item> items_;
  std::uint64_t published_ = 0;
  Timer timer_;
  Alive<EventPump> alive_{this};
};

}  // namespace posthorn::fleet
