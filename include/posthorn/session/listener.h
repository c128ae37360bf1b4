#pragma once

#include <cstddef>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/node.h"

namespace posthorn::session {

/// Who hears what is said over the line. The session keeps linking, login, prekeys and what
/// WhatsApp restricts to itself and hands on everything else; the composition root joins the two.
/// Calls return quickly.
class Listener {
 public:
  virtual ~Listener() = default;

  /// One <message>. Its receipt, ack or nack is the listener's, after what it became is stored.
  virtual void on_message(wire::Node stanza) = 0;
  /// One <receipt>. Its ack is the listener's.
  virtual void on_receipt(wire::Node stanza) = 0;
  /// Any <notification> (or an <ib><dirty> of account_sync, groups or syncd_app_state), some of
  /// which concerns the listener. `handled` always runs: when the effect is on disk, at once when
  /// there is none; the session then writes the ack.
  virtual void on_notification(wire::Node stanza, Once<void()> handled) = 0;

  /// One <call>. `handled` as above.
  virtual void on_call(wire::Node stanza, Once<void()> handled) = 0;

  /// Line::online() has become true.
  virtual void on_online() = 0;
  /// The connection ended. What has no receipt or ack yet the server sends again.
  virtual void on_offline(const Error& why) = 0;
  /// The account is gone: whatever was known of it is forgotten. The keys in the store are the
  /// session's to clear.
  virtual void on_logged_out() = 0;

  /// Stanzas taken and not finished yet: the session stops reading while they are many.
  [[nodiscard]] virtual std::size_t unfinished() const = 0;
};

}  // namespace posthorn::session
