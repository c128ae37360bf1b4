#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/session/events.h"

namespace posthorn::session {

struct Account {
  std::string phone;       ///< digits; empty when not linked
  std::string device_jid;  ///< "4915550001234:17@s.whatsapp.net"
  std::string push_name;
  /// When the account was made, as the last login told.
  std::optional<Wall> made = std::nullopt;
};

/// WhatsApp's question for the account's passkey, between the scan and the link (chapter 14).
struct Passkey {
  enum class Stage : std::uint8_t {
    none,                   ///< not asked for
    awaiting_response,      ///< a person makes the browser answer `options`
    awaiting_confirmation,  ///< a person compares `code` with the phone's
    finishing,              ///< the box, WhatsApp or the phone is at work
  };
  Stage stage = Stage::none;
  std::string options;        ///< WebAuthn request options, JSON as WhatsApp sent it
  std::string code;           ///< "ABCD-EFGH"
  std::optional<Wall> until;  ///< then this stage ends without a link
  std::string message;        ///< what to do now; while none: why the last try failed, or nothing
};

/// Whether and how the box is linked to an account, as people ask it. Session implements it, the
/// API's account methods use it.
class Linking {
 public:
  virtual ~Linking() = default;

  /// The state with its cause, as the last StateChanged event said it.
  [[nodiscard]] virtual const StateChanged& state() const = 0;
  [[nodiscard]] virtual Account account() const = 0;

  /// Text of the QR code to show now (five fields, chapter 03); nullopt while there is none. Asking
  /// while not linked begins a new round when the last one ran out. After five rounds in a row that
  /// nobody used the session rests for ten minutes and gives no code, so that a page left open does
  /// not look like an attack; the first question after that begins anew, and reconnect() or
  /// request_link_code() end the rest at once.
  [[nodiscard]] virtual std::optional<std::string> qr() = 0;
  /// Linking by 8 characters typed on the phone. phone: digits. done: the code, or refused / busy.
  virtual void request_link_code(const std::string& phone,
                                 Once<void(Result<std::string>)> done) = 0;
  [[nodiscard]] virtual Passkey passkey() const = 0;
  /// What the browser answered, JSON. done: when WhatsApp has taken it; malformed (what does not
  /// fit, in words for the person), not_found (nobody asks), busy (an answer is being looked at),
  /// refused (by WhatsApp: there is a new request to answer), timeout, cancelled.
  virtual void answer_passkey(const std::string& response, Once<void(Result<void>)> done) = 0;
  enum class Codes : bool { differ, match };
  /// match: the phone shows the same code; done: when WhatsApp has taken it. differ: the linking is
  /// broken off, at any stage. Errors: not_found (nothing to compare), refused, timeout, cancelled.
  virtual void confirm_passkey(Codes codes, Once<void(Result<void>)> done) = 0;
  /// Unlinks this device, forgets its keys. Jobs stay in the outbox.
  virtual void log_out(Once<void(Result<void>)> done) = 0;
  /// Closes and opens the connection; also ends `paused`.
  virtual void reconnect() = 0;
};

}  // namespace posthorn::session
