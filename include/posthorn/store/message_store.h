#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/store/database.h"
#include "posthorn/store/poll_store.h"
#include "posthorn/store/timer_store.h"

namespace posthorn::store {

/// What message handling remembers: names, device lists, which messages were seen, what was sent
/// (for resends), what was received (for quotes and read receipts), push names, privacy tokens.
///
/// Users and chats are JIDs as text without device. Every call may stand alone or join an open
/// transaction; every table is bounded. Errors: io, full, malformed (database damaged).
class MessageStore {
 public:
  /// Brings the tables up to this release and reads the seen messages into memory.
  static Result<std::unique_ptr<MessageStore>> open(Database& database, Wall now);
  ~MessageStore();

  // Names: phone number (digits) and LID (digits) of one account --------------------------------
  [[nodiscard]] Result<std::optional<std::string>> lid_of(std::string_view pn);
  [[nodiscard]] Result<std::optional<std::string>> pn_of(std::string_view lid);
  /// The newest word wins, on both sides. true: it was not known like this.
  Result<bool> save_name(std::string_view pn, std::string_view lid);

  // Device lists ----------------------------------------------------------------------------------
  struct DeviceList {
    std::string devices;         ///< written and read by session alone
    std::int64_t timestamp = 0;  ///< of the signed key index list; 0: there was none
    std::uint32_t raw_id = 0;    ///< of the signed list
    Wall fetched_at;
  };
  [[nodiscard]] Result<std::optional<DeviceList>> device_list(std::string_view user);
  Result<void> save_device_list(std::string_view user, const DeviceList& list);
  Result<void> drop_device_list(std::string_view user);

  // Seen messages: 14 days, 20,000
  // -----------------------------------------------------------------
  /// A short name of (chat, id, sender).
  [[nodiscard]] static std::uint64_t seen_key(std::string_view chat, std::string_view id,
                                              std::string_view sender);
  [[nodiscard]] bool was_seen(std::uint64_t key) const;
  /// Visible to was_seen() at once, also inside a transaction.
  Result<void> save_seen(std::uint64_t key, Wall now);
  /// Reads them again, after a transaction with save_seen() in it has failed.
  Result<void> reload_seen();

  // Messages sent: 24 hours, 2,000; without their content: 30 days, 20,000
  // -------------------------------------------------------------------
  struct Sent {
    std::string id;
    std::string chat;    ///< as it was addressed
    std::string posted;  ///< the chatId that the till used; empty in rows of an older release
    Bytes message;       ///< serialized wa::Message, without padding
    Wall at;
    /// How far it has come. Stored: do not renumber.
    enum class Status : std::uint8_t { made = 0, acked = 1, delivered = 2, read = 3, played = 4 };
    Status status = Status::made;
  };
  /// One whose content is still kept.
  [[nodiscard]] Result<std::optional<Sent>> sent(std::string_view id);
  /// The same without `message`, and for longer: whoever reads a receipt after a holiday gives a
  /// status like anybody else.
  [[nodiscard]] Result<std::optional<Sent>> sent_outline(std::string_view id);
  /// Replaces an earlier one of that id.
  Result<void> save_sent(const Sent& message);
  /// Never lowers it. `acked` is written with the next commit: what a crash takes of it lets a
  /// message go again that the server drops by its id. The others count at once and are written
  /// with the next message sent, when many wait, or at the end: what a crash takes of them only
  /// lets a receipt be told twice that the server repeats.
  Result<void> raise_status(std::string_view id, Sent::Status status);

  // Messages received: the newest 2,000; their content: the newest 4 MiB
  // --------------------------------------------------------------
  struct Received {
    std::string id;
    std::string chat;
    std::string sender;
    Bytes message;  ///< serialized wa::Message without thumbnails; may be empty
    bool unread = false;
  };
  Result<void> save_received(const Received& message);
  /// The newest of that id in that chat.
  [[nodiscard]] Result<std::optional<Received>> received(std::string_view chat,
                                                         std::string_view id);
  /// Whether somebody else than `sender` wrote one of that id there: ids are their senders' choice.
  [[nodiscard]] Result<bool> others_wrote(std::string_view chat, std::string_view id,
                                          std::string_view sender);
  /// Which of these ids in that chat `sender` wrote.
  [[nodiscard]] Result<std::vector<std::string>> written_by(std::string_view chat,
                                                            std::string_view sender,
                                                            std::span<const std::string> ids);
  /// Of one chat, oldest first, without `message`.
  [[nodiscard]] Result<std::vector<Received>> unread(std::string_view chat);
  /// These are read now.
  Result<void> mark_read(std::string_view chat, std::span<const std::string> ids);

  [[nodiscard]] PollStore& polls();
  [[nodiscard]] TimerStore& timers();

  // People
  // -------------------------------------------------------------------------------------------
  [[nodiscard]] Result<std::optional<std::string>> push_name(std::string_view user);
  Result<void> save_push_name(std::string_view user, std::string_view name);

  // Privacy tokens (chapter 12 section 7)
  // ------------------------------------------------------------
  struct Token {
    Bytes token;                 ///< received; empty: none
    std::int64_t timestamp = 0;  ///< of the received one, unix seconds
    std::int64_t issued_at = 0;  ///< ours to them, unix seconds; 0: never
  };
  [[nodiscard]] Result<Token> token(std::string_view user);
  /// Kept only when newer than the one we have.
  Result<void> save_token(std::string_view user, ByteView token, std::int64_t timestamp);
  Result<void> save_token_issued(std::string_view user, std::int64_t issued_at);

  /// What was kept under the phone number goes to the LID; there the newer wins.
  Result<void> move_user(std::string_view from, std::string_view to);
  /// Drops what is too old. Cheap; call now and then.
  Result<void> prune(Wall now);
  /// Forgets everything (logout).
  Result<void> clear();

 private:
  class Impl;
  explicit MessageStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::store
