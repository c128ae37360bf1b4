#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/content.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/store/database.h"

namespace posthorn::store {

/// Where files lie at WhatsApp's media hosts: those that we have put there, and those that came in
/// messages. Every call may stand alone or join an open transaction. Errors: io, full, malformed
/// (database damaged).
class MediaStore {
 public:
  static constexpr int kMostUploads = 1'000;
  static constexpr int kMostReceived = 5'000;

  static Result<std::unique_ptr<MediaStore>> open(Database& database);

  // Ours: the newest 1,000 ------------------------------------------------------------------------
  /// group: files of one group are encrypted alike, so that one upload serves them all.
  struct Upload {
    content::MediaPlace place;  ///< direct_path is empty until the host has it
    Bytes mac;                  ///< the last bytes of what lies there
    Wall at;                    ///< when the host said so
  };
  [[nodiscard]] Result<std::optional<Upload>> upload(std::string_view ref, std::string_view group);
  Result<void> save_upload(std::string_view ref, std::string_view group, const Upload& upload);
  Result<void> drop_upload(std::string_view ref, std::string_view group);

  // Received: the newest 5,000 --------------------------------------------------------------------
  struct Received {
    content::File file;  ///< with its place
    std::string chat;    ///< JID as text
    std::string sender;
    std::string message_id;
    bool from_me = false;
  };
  Result<void> save_received(const Received& received);
  /// Messages that said they bring that file, newest first, at most 8: one of them may lie.
  [[nodiscard]] Result<std::vector<Received>> received(std::string_view ref);
  /// The file of that message lies elsewhere now.
  Result<void> move_received(std::string_view ref, std::string_view message_id,
                             std::string_view direct_path);

  /// Forgets everything (logout).
  Result<void> clear();

 private:
  explicit MediaStore(Database& database) : db_(database) {}

  Database& db_;
  Statement find_upload_{db_,
                         "SELECT direct_path, url, key, sha256, enc_sha256, key_at, mac, at_ms"
                         " FROM media_uploads WHERE ref = ?1 AND kind = ?2"};
  Statement save_upload_{db_,
                         "INSERT OR REPLACE INTO media_uploads"
                         " (ref, kind, direct_path, url, key, sha256, enc_sha256, key_at, mac,"
                         " at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"};
  Statement drop_upload_{db_, "DELETE FROM media_uploads WHERE ref = ?1 AND kind = ?2"};
  Statement prune_uploads_{
      db_, "DELETE FROM media_uploads WHERE n <= (SELECT max(n) FROM media_uploads) - ?1"};
  Statement find_received_{
      db_,
      "SELECT kind, mime, name, size, direct_path, url, key, sha256, enc_sha256, key_at, chat,"
      " sender, message, from_me FROM media_received WHERE ref = ?1 ORDER BY n DESC LIMIT 8"};
  Statement save_received_{
      db_,
      "INSERT OR REPLACE INTO media_received (ref, kind, mime, name, size, direct_path, url, key,"
      " sha256, enc_sha256, key_at, chat, sender, message, from_me)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"};
  Statement prune_received_{
      db_, "DELETE FROM media_received WHERE n <= (SELECT max(n) FROM media_received) - ?1"};
  Statement move_received_{
      db_, "UPDATE media_received SET direct_path = ?3 WHERE ref = ?1 AND message = ?2"};
  Statement clear_uploads_{db_, "DELETE FROM media_uploads"};
  Statement clear_received_{db_, "DELETE FROM media_received"};
};

}  // namespace posthorn::store
