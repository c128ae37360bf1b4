#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "posthorn/base/clock.h"
#include "posthorn/base/job.h"
#include "posthorn/base/once.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/chat/events.h"
#include "posthorn/chat/people.h"
#include "posthorn/session/line.h"
#include "posthorn/session/listener.h"
#include "posthorn/throttle/sender.h"
#include "posthorn/wire/node.h"

namespace posthorn::store {
class Store;
}

namespace posthorn::chat {

/// Everything that is said over the line: <message>, <receipt>, message acks, device lists, LID
/// names and privacy tokens. The session feeds it stanzas and connection news, and is reached only
/// through session::Line.
///
/// Stanzas are worked off strictly in the order they are handed in (the inbound lane); calls return
/// quickly and the work goes on in later turns of the loop. Sources: protocol chapters 05 - 07, 09.
class Chat final : public session::Listener, public throttle::Sender {
 public:
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    Random& random;
    store::Store& store;
  };

  /// Everything given outlives this object. Reads nothing and writes nothing yet.
  Chat(session::Line& line, Outside outside, EventSink sink);
  Chat(const Chat&) = delete;
  Chat& operator=(const Chat&) = delete;
  /// Answers every open question with cancelled, a send under way with `uncertain`.
  ~Chat() override;

  void on_message(wire::Node stanza) override;
  void on_receipt(wire::Node stanza) override;
  /// Takes what concerns devices, identities, privacy tokens, number changes and our own account's
  /// devices and privacy, leaves the rest alone.
  void on_notification(wire::Node stanza, Once<void()> handled) override;

  /// Postponed retry requests and sends go on.
  void on_online() override;
  /// Stanzas that were not finished are forgotten: the server sends them again. A send that waits
  /// for its ack ends as `uncertain`, any other as `not_sent`.
  void on_offline(const Error& why) override;
  /// Forgets device lists, names, tokens, sent and seen messages.
  void on_logged_out() override;
  [[nodiscard]] std::size_t unfinished() const override;

  /// Ids of messages that are already in the inbox ring, newest last, given once before the first
  /// connection: a crash between the notification's append and our commit does not notify twice.
  void known_recent(std::span<const std::string> ids);

  /// One at a time; a second one is `not_sent` ("busy").
  void send(const Job& job, Once<void(throttle::SendOutcome)> done) override;
  void show_typing(const std::string& chat, bool on) override;

  /// Digits only, at most 50 at once. Errors: disconnected, busy (asked too often), timeout.
  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<NumberStatus>>)> done);
  /// Sends read receipts: for one message or (empty id) all unread ones of the chat.
  /// done: how many were marked.
  void mark_read(const std::string& chat, const std::string& message_id,
                 Once<void(Result<std::size_t>)> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::chat
