#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// What the phone's address book and chat list say: names that the owner gave, and how each chat is
/// set. Users are JIDs as text without device, as they were written (number or LID): whoever reads
/// asks for both. Every call may stand alone or join an open transaction; every table is bounded.
/// Errors: io, full, malformed (database damaged).
class PeopleStore {
 public:
  static constexpr std::int64_t kMostContacts = 50'000;
  static constexpr std::int64_t kMostChats = 20'000;
  static constexpr std::int64_t kMostLabels = 200;
  static constexpr std::int64_t kMostLabelled = 20'000;

  static Result<std::unique_ptr<PeopleStore>> open(Database& database);
  ~PeopleStore();

  struct Contact {
    std::string full_name;
    std::string first_name;
  };
  [[nodiscard]] Result<std::optional<Contact>> contact(std::string_view user);
  Result<void> save_contact(std::string_view user, const Contact& contact);
  Result<void> drop_contact(std::string_view user);

  struct Chat {
    std::string name;  ///< of a group; of a person what the phone showed
    bool archived = false;
    bool pinned = false;
    bool marked_unread = false;
    std::int64_t muted_until = 0;  ///< unix seconds; -1: for ever, 0: not muted
    std::int64_t last_at = 0;      ///< of its newest message, unix seconds
  };
  [[nodiscard]] Result<std::optional<Chat>> chat(std::string_view user);
  Result<void> save_chat(std::string_view user, const Chat& chat);
  Result<void> drop_chat(std::string_view user);
  /// A message came or went. Counts at once and is written when many wait, or at the end: a crash
  /// costs the order of a list.
  Result<void> touch(std::string_view user, std::int64_t at);
  /// The newest of those, unix seconds, whether the chat has a row yet or not; 0: none is known.
  [[nodiscard]] Result<std::int64_t> last_at(std::string_view user);

  Result<void> save_label(std::string_view id, std::string_view name);
  Result<void> drop_label(std::string_view id);
  Result<void> set_labelled(std::string_view label, std::string_view user, bool on);
  /// Names of the labels on that chat.
  [[nodiscard]] Result<std::vector<std::string>> labels_of(std::string_view user);

  struct Listed {
    std::string_view chat;     ///< Green-API chatId
    std::string_view name;     ///< push name or subject
    std::string_view contact;  ///< as the owner wrote it
    bool archived = false;     ///< this and what follows: only of each_chat()
    std::int64_t timer = 0;    ///< TimerStore's, seconds
    std::int64_t timer_set_at = 0;
  };
  /// Everybody who has a name, and all groups. The views last for the call.
  Result<void> each_person(const std::function<void(const Listed&)>& take);
  /// The newest first.
  Result<void> each_chat(std::size_t most, const std::function<void(const Listed&)>& take);

  /// Drops what is over the bounds. Call when many rows came.
  Result<void> prune();
  /// Forgets everything (logout).
  Result<void> clear();

 private:
  explicit PeopleStore(Database& database);
  Result<void> write_touched();

  Database& db_;
  std::map<std::string, std::int64_t, std::less<>> touched_;  ///< not written yet
  std::uint32_t writes_ = 0;                                  ///< since the last pruning

  Statement find_contact_{db_, "SELECT full_name, first_name FROM contacts WHERE user = ?1"};
  Statement save_contact_{
      db_, "INSERT OR REPLACE INTO contacts (user, full_name, first_name) VALUES (?1, ?2, ?3)"};
  Statement drop_contact_{db_, "DELETE FROM contacts WHERE user = ?1"};
  Statement find_chat_{db_,
                       "SELECT name, archived, pinned, marked_unread, muted_until, last_at"
                       " FROM chats WHERE user = ?1"};
  Statement save_chat_{db_,
                       "INSERT OR REPLACE INTO chats (user, name, archived, pinned, marked_unread,"
                       " muted_until, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
  Statement drop_chat_{db_, "DELETE FROM chats WHERE user = ?1"};
  Statement touch_{db_,
                   "INSERT INTO chats (user, last_at) VALUES (?1, ?2) ON CONFLICT (user)"
                   " DO UPDATE SET last_at = max(last_at, ?2)"};
  Statement save_label_{db_, "INSERT OR REPLACE INTO labels (id, name) VALUES (?1, ?2)"};
  Statement drop_label_{db_, "DELETE FROM labels WHERE id = ?1"};
  Statement drop_labelled_{db_, "DELETE FROM labelled WHERE label = ?1"};
  Statement label_{db_, "INSERT OR IGNORE INTO labelled (user, label) VALUES (?2, ?1)"};
  Statement unlabel_{db_, "DELETE FROM labelled WHERE user = ?2 AND label = ?1"};
  Statement labels_of_{db_,
                       "SELECT labels.name FROM labelled JOIN labels ON labels.id = label"
                       " WHERE user = ?1"};
  Statement each_person_;
  Statement each_chat_;
};

}  // namespace posthorn::store
