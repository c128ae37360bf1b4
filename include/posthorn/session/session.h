#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/clock.h"
#include "posthorn/base/config.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/base/worker.h"
#include "posthorn/session/events.h"
#include "posthorn/session/line.h"
#include "posthorn/session/listener.h"

namespace posthorn::store {
class Store;
}

namespace posthorn::session {

struct Account {
  std::string phone;       ///< digits; empty when not linked
  std::string device_jid;  ///< "4915550001234:17@s.whatsapp.net"
  std::string push_name;
};

/// The shop's WhatsApp session: links, logs in, stays in, and is the line over which chat speaks.
class Session final {
 public:
  struct Outside {
    Scheduler& scheduler;
    Clock& clock;
    Random& random;
    Worker& worker;
    Dialer& dialer;
    store::Store& store;
    /// Before this no linked device connects, whoever asks for it (the throttle's word after a
    /// temporary ban); asked before each attempt. May be empty.
    std::function<std::optional<Wall>()> not_before = {};
  };

  /// Everything in `outside` outlives the session. Nothing happens before start().
  Session(const WhatsAppConfig& config, Outside outside, EventSink sink);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Once, before start(). The listener outlives stop().
  void join(Listener& listener);
  void start();
  /// Leaves in order; pending questions get Errc::cancelled.
  void stop();

  [[nodiscard]] State state() const;
  /// The state with its cause, as the last StateChanged event said it.
  [[nodiscard]] const StateChanged& state_detail() const;
  [[nodiscard]] Account account() const;

  /// Text of the QR code to show now (five fields, chapter 03); nullopt while there is none. Asking
  /// while not linked begins a new round when the last one ran out. After five rounds in a row that
  /// nobody used the session rests for ten minutes and gives no code, so that a page left open does
  /// not look like an attack; the first question after that begins anew, and reconnect() or
  /// request_link_code() end the rest at once.
  [[nodiscard]] std::optional<std::string> qr();
  /// Linking by 8 characters typed on the phone. phone: digits. done: the code, or refused / busy.
  void request_link_code(const std::string& phone, Once<void(Result<std::string>)> done);
  /// Unlinks this device, forgets its keys. Jobs stay in the outbox.
  void log_out(Once<void(Result<void>)> done);
  /// Closes and opens the connection; also ends `paused`.
  void reconnect();

  /// For what is said over it.
  [[nodiscard]] Line& line();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::session
