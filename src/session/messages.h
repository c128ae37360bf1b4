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
#include "posthorn/session/session.h"
#include "posthorn/throttle/sender.h"
#include "posthorn/wire/node.h"
#include "session/link.h"

namespace posthorn::store {
class Store;
}
namespace posthorn::signal {
class Protocol;
}

namespace posthorn::session {

/// The message half of the session: everything about <message>, <receipt>, message acks, device
/// lists, LID names and privacy tokens. The connection half (core) feeds it stanzas and connection
/// news, and is reached only through Link.
///
/// Stanzas are worked off strictly in the order they are handed in (the inbound lane); calls return
/// quickly and the work goes on in later turns of the loop. Sources: protocol chapters 05 - 07, 09.
class Messages final {
 public:
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    Random& random;
    store::Store& store;
    signal::Protocol& protocol;
  };

  /// Everything given outlives this object. Reads nothing and writes nothing yet.
  Messages(Link& link, Outside outside);
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  /// Answers every open question with cancelled, a send under way with `uncertain`.
  ~Messages();

  /// One <message>. Its receipt, ack or nack is written from here, after what it became is stored.
  void on_message(wire::Node stanza);
  /// One <receipt>. Its ack is written from here.
  void on_receipt(wire::Node stanza);
  /// Any <notification> (or an <ib><dirty type="account_sync">): takes what concerns devices,
  /// identities, privacy tokens, number changes and our own account's devices and privacy, leaves
  /// the rest alone. `handled` always runs: when the effect is on disk, at once when there is none;
  /// core then writes the ack.
  void on_notification(wire::Node stanza, Once<void()> handled);

  /// Link::online() has become true: postponed retry requests and sends go on.
  void on_online();
  /// The connection ended. Stanzas that were not finished are forgotten: the server sends them
  /// again. A send that waits for its ack ends as `uncertain`, any other as `not_sent`.
  void on_offline(Error why);
  /// Credentials are gone: forgets device lists, names, tokens, sent and seen messages (the keys
  /// in the store are core's to clear).
  void on_logged_out();

  /// Received stanzas that are not finished yet: core stops reading while they are many.
  [[nodiscard]] std::size_t unfinished() const;

  /// Ids of messages that are already in the inbox ring, newest last, given once before the first
  /// connection: a crash between the notification's append and our commit does not notify twice.
  void known_recent(std::span<const std::string> ids);

  /// See throttle::Sender. One at a time; a second one is `not_sent` ("busy").
  void send(const Job& job, Once<void(throttle::SendOutcome)> done);
  void show_typing(const std::string& chat, bool on);
  /// See Session.
  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<NumberStatus>>)> done);
  void mark_read(const std::string& chat, const std::string& message_id,
                 Once<void(Result<std::size_t>)> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::session
