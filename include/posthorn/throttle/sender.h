#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/job.h"
#include "posthorn/base/once.h"
#include "posthorn/base/typing.h"

namespace posthorn::throttle {

/// What became of one job that was handed over.
struct SendOutcome {
  enum class Kind : std::uint8_t {
    sent,        ///< the server's positive ack; server_time is the message's time
    uncertain,   ///< no ack in time or the link broke: hand the same job (same id) over again
    not_sent,    ///< nothing left the box (offline, busy): hand over again later; not counted
    rejected,    ///< failed for good, `code` says why (0: our own reason in detail)
    no_account,  ///< the number is not on WhatsApp
    restricted,  ///< 463, 475, 429: the account may not do this now; never retried at once
  };
  Kind kind = Kind::sent;
  int code = 0;        ///< ack error code, 0 when there was none
  std::string detail;  ///< for people
  Wall server_time;
};

/// Where the throttle hands jobs over: the WhatsApp session, later the Cloud API.
class Sender {
 public:
  virtual ~Sender() = default;

  /// One job at a time; done comes with the ack, or after its 20 s timeout, or on disconnect.
  /// Nothing of it leaves the box before the store lets it leave (Store::leave): its ratchet is
  /// leased on disk; its charge rides with the next sync, and what a cut takes of it is harmless.
  virtual void send(const Job& job, Once<void(SendOutcome)> done) = 0;

  /// Shows "typing…" or "recording audio…" to the chat until it is none. For the eye only: nothing
  /// is answered, and a sender that is offline, or cannot, does nothing.
  virtual void show_typing(const std::string& chat, Typing what) = 0;
};

/// Asks whether a chat is there, before a first message to it (throttle policy section 5).
class NumberChecker {
 public:
  virtual ~NumberChecker() = default;

  /// chat: of a person, by number or LID.
  virtual void on_whatsapp(const std::string& chat, Once<void(Result<bool>)> done) = 0;
  /// Since when the account is in that group, at the latest; nullopt: it is not, or there is none.
  virtual void member_since(const std::string& group,
                            Once<void(Result<std::optional<Wall>>)> done) = 0;
};

}  // namespace posthorn::throttle
