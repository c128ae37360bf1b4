#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "posthorn/base/clock.h"
#include "posthorn/base/config.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/base/worker.h"
#include "posthorn/session/events.h"
#include "posthorn/throttle/sender.h"

namespace posthorn::store {
class Store;
}

namespace posthorn::session {

/// Answers of one number check.
struct NumberStatus {
  std::string phone;  ///< as asked, digits
  bool exists = false;
  std::string
      chat;  ///< Green-API chatId that WhatsApp knows it under; empty when it does not exist
};

struct Account {
  std::string phone;       ///< digits; empty when not linked
  std::string device_jid;  ///< "4915550001234:17@s.whatsapp.net"
  std::string push_name;
};

/// The shop's WhatsApp session: links, logs in, stays in, sends and receives.
class Session final : public throttle::Sender {
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
  ~Session() override;

  /// Ids of messages that are already in the inbox ring, newest last; before start(). A crash
  /// between storing a notification and committing its ratchet then does not notify twice.
  void known_recent(std::span<const std::string> ids);
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

  /// Digits only, at most 50 at once. Errors: disconnected, busy (asked too often), timeout.
  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<NumberStatus>>)> done);
  /// Sends read receipts: for one message or (empty id) all unread ones of the chat.
  /// done: how many were marked.
  void mark_read(const std::string& chat, const std::string& message_id,
                 Once<void(Result<std::size_t>)> done);

  void send(const Job& job, Once<void(throttle::SendOutcome)> done) override;
  void show_typing(const std::string& chat, bool on) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::session
