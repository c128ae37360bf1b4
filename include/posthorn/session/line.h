#pragma once

#include <optional>
#include <string>

#include "posthorn/base/clock.h"
#include "posthorn/base/once.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/session/events.h"
#include "posthorn/wire/node.h"

namespace posthorn::session {

/// Who we are on WhatsApp, since linking.
struct Identity {
  wire::Jid pn;           ///< with our device
  wire::Jid lid;          ///< with our device; empty on accounts without LID
  Bytes device_identity;  ///< ADVSignedDeviceIdentity as received, account signature key included
  Bytes account_key;      ///< the account's signature public key, 32 bytes
  std::string push_name;
  /// Whether WhatsApp has moved the account to LIDs, as said when it was linked and by the A/B
  /// property since; nullopt: it did not say.
  std::optional<bool> lid_migrated;
};

/// The line to WhatsApp as those see it who say something over it: stanzas, questions and acks.
/// Session implements it, chat uses it.
class Line {
 public:
  virtual ~Line() = default;

  /// Logged in, and the offline backlog is drained: own messages may leave.
  [[nodiscard]] virtual bool online() const = 0;
  [[nodiscard]] virtual const Identity& identity() const = 0;

  /// Writes a stanza; dropped when there is no connection.
  virtual void write(wire::Node stanza) = 0;
  /// Sends an <iq> (the id is filled in here) and gives the result, or: refused (detail holds code
  /// and text of <error>), timeout, disconnected.
  virtual void ask(wire::Node iq, milliseconds timeout, Once<void(Result<wire::Node>)> done) = 0;
  /// Gives the <ack> with that id, whatever its class: timeout, disconnected otherwise.
  virtual void await_ack(const std::string& id, milliseconds timeout,
                         Once<void(Result<wire::Node>)> done) = 0;
  /// An answer that was heard here says "slow down or stop".
  virtual void restrict(Restriction restriction) = 0;
  /// Breaks the connection so that the server redelivers what we could not store.
  virtual void drop(Error why) = 0;
};

}  // namespace posthorn::session
