#pragma once

#include <optional>
#include <string>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::chat {

/// How the account's devices show their chats, and whom its address book names. A change here is
/// seen on the phone and on every other device. Source: chapter 11.
///
/// Errors of all: malformed (chat), disconnected (also: WhatsApp has failed with settings of this
/// kind, the box tries again later), timeout, not_found (the phone has not handed out the keys for
/// this yet; it does so within minutes of linking), busy (too many changes wait), refused
/// (WhatsApp's copy cannot be read, or its word is in the detail).
class ChatState {
 public:
  using Done = Once<void(Result<void>)>;
  virtual ~ChatState() = default;

  /// An archived chat is not pinned any more.
  virtual void archive(const std::string& chat, bool on, Done done) = 0;
  /// A pinned chat is not archived any more.
  virtual void pin(const std::string& chat, bool on, Done done) = 0;
  /// until: nullopt ends it; the far future is for ever.
  virtual void mute(const std::string& chat, std::optional<Wall> until, Done done) = 0;
  /// The mark that the owner sees in the list. Nobody else is told.
  virtual void mark_read(const std::string& chat, bool read, Done done) = 0;
  /// Takes the chat off all devices of the account.
  virtual void remove(const std::string& chat, Done done) = 0;

  /// Deletes one message on all devices of the account, and nowhere else. sent_at: of the message.
  virtual void remove_message(const std::string& chat, const std::string& message_id, bool from_me,
                              Wall sent_at, Done done) = 0;

  /// in_phone_book: also in the address book of the phone, not only in WhatsApp's.
  virtual void save_contact(const std::string& chat, const std::string& first_name,
                            const std::string& last_name, bool in_phone_book, Done done) = 0;
  virtual void remove_contact(const std::string& chat, Done done) = 0;
};

}  // namespace posthorn::chat
