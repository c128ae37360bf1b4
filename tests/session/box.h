#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fake_listener.h"
#include "fake_server.h"
#include "posthorn/session/session.h"
#include "posthorn/store/store.h"

namespace posthorn::session::core_test {

/// A box with a real session and store, whose WhatsApp is a FakeServer on the same fake clock.
class Box {
 public:
  Box();
  ~Box();

  /// Starts the program, as after power on: what the store holds is still there.
  void boot();
  /// Ends the program without any farewell.
  void pull_the_plug();
  void run(milliseconds time = milliseconds(100)) { scheduler.advance(time); }

  /// From a fresh box to a linked one that is online.
  void link();
  /// The server ends a linked connection with this and the box has heard it.
  void server_says(const wire::Node& stanza);
  /// Asks something over the line, as chat does.
  void ask(Once<void(Result<wire::Node>)> done);

  [[nodiscard]] State state() const { return session->state().state; }
  [[nodiscard]] std::vector<StateChanged> states() const;
  [[nodiscard]] std::vector<State> state_names() const;
  [[nodiscard]] std::vector<Restriction> restrictions() const;
  [[nodiscard]] std::vector<Restriction> restrictions(Restriction::Kind kind) const;

  posthorn::test::FakeScheduler scheduler;
  posthorn::test::MemoryDialer dialer{scheduler};
  posthorn::test::SeededRandom random{5};
  posthorn::test::InlineWorker worker{scheduler};
  std::string path;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Clock> clock;
  FakeServer server{scheduler, dialer};
  WhatsAppConfig config;
  std::vector<Event> events;
  std::unique_ptr<FakeListener> listener;
  std::unique_ptr<Session> session;
};

}  // namespace posthorn::session::core_test
