#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::chat {

/// One row of a list. The views last for the call that shows it.
struct ListedChat {
  std::string_view chat;     ///< chatId
  std::string_view name;     ///< push name or subject; may be empty
  std::string_view contact;  ///< as the owner's address book has it; may be empty
  bool archived = false;
  std::int64_t timer = 0;  ///< seconds after which messages disappear; 0: never
  std::int64_t timer_set_at = 0;
};

/// What a business says of itself.
struct BusinessProfile {
  std::string description, email, category;
};

/// A profile picture. url: of a JPEG at WhatsApp's, good for hours; empty: none, or not for us.
struct Picture {
  std::string url;
  bool hidden = false;
};

/// What is known of one chat.
struct ChatDetails {
  std::string chat, name, contact;
  std::string about;  ///< what they say of themselves; empty: nothing, or hidden from us
  bool archived = false;
  bool blocked = false;  ///< by the owner, on the phone
  std::int64_t timer = 0;
  std::optional<Wall> muted_until;  ///< the far future: for ever
  std::vector<std::string> labels;
  std::optional<BusinessProfile> business;
  Picture picture;
};

/// The people and groups that the account knows, and what they show of themselves.
class Contacts {
 public:
  virtual ~Contacts() = default;

  /// Everybody who has a name, and the groups, by chatId. Errors: io.
  virtual Result<void> each(const std::function<void(const ListedChat&)>& take) = 0;
  /// As the owner's address book has that person; empty: it does not, or cannot be read.
  virtual std::string contact_name(const std::string& chat) = 0;
  /// What a chat is called: a group's subject; of a person as the address book has them, else their
  /// own name; empty: not known, or cannot be read.
  virtual std::string chat_name(const std::string& chat) = 0;
  /// The chats, the newest first. Errors: io.
  virtual Result<void> each_chat(std::size_t most,
                                 const std::function<void(const ListedChat&)>& take) = 0;

  /// Errors: malformed (chat), disconnected, timeout, busy (asked too often), io.
  virtual void details(const std::string& chat, Once<void(Result<ChatDetails>)> done) = 0;
  virtual void picture(const std::string& chat, Once<void(Result<Picture>)> done) = 0;
  /// The same, when it was just changed: what was known of it before does not count.
  virtual void new_picture(const std::string& chat, Once<void(Result<Picture>)> done) = 0;
  /// The account's own. jpeg: square, 640 pixels is what phones send. Errors also: refused.
  virtual void set_own_picture(Bytes jpeg, Once<void(Result<void>)> done) = 0;
};

}  // namespace posthorn::chat
