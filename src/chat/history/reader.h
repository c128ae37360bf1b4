#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/store/people_store.h"
#include "posthorn/wire/field_stream.h"
#include "posthorn/wire/inflate_stream.h"

namespace posthorn::chat {

/// What is taken out of one file of the phone's history. Its messages are counted, not kept.
struct HistoryDigest {
  struct Conversation {
    std::string id, pn, lid;  ///< as written; pn, lid: the other names, when told
    store::PeopleStore::Chat settings;
    std::int64_t timer = 0;  ///< seconds after which messages disappear
    std::int64_t timer_set_at = 0;
    Bytes token;  ///< trusted contact token of theirs
    std::int64_t token_at = 0;
    std::int64_t token_issued_at = 0;
    std::int64_t heard_at = 0;    ///< newest message of theirs, unix seconds; 0: none
    std::int64_t written_at = 0;  ///< newest message of ours
    std::uint32_t unanswered = 0;
    std::int64_t since = 0;  ///< groups: made or first seen at
  };
  struct Name {
    std::string user, name, first_name;
    bool from_address_book = false;
  };
  std::vector<std::pair<std::string, std::string>> same;  ///< number and LID of one person
  std::vector<Conversation> conversations;
  std::vector<Name> names;
  Bytes salt;
  bool lid_migrated = false;
  std::uint64_t messages = 0;  ///< that were looked at
  std::size_t bytes = 0;       ///< about what all of this takes
  bool cut = false;            ///< there was more than is kept of one file
};

/// Reads a HistorySync that comes compressed and in pieces: neither the file, a conversation nor a
/// message is ever in memory. Source: chapter 12 sections 1.2 - 1.4.
class HistoryReader final : private wire::FieldStream::Reader {
 public:
  /// What one file may leave in memory before it is stored: about 10,000 conversations.
  static constexpr std::size_t kMostKept = 4U << 20;
  /// A file may inflate to so much.
  static constexpr std::uint64_t kMostInflated = std::uint64_t{2} << 30;

  HistoryReader();

  /// A piece of the zlib data. Errors: malformed, full.
  Result<void> add(ByteView compressed);
  /// After the last piece. Errors: malformed (it ends too early).
  Result<HistoryDigest> finish();

 private:
  using Path = wire::FieldStream::Path;
  wire::FieldStream::Want want(Path path, std::uint32_t number, std::uint64_t size) override;
  Result<void> field(Path path, const wire::Field& field) override;
  Result<void> closed(Path path) override;
  void top_field(const wire::Field& field);
  void chat_field(const wire::Field& field);
  void message_field(const wire::Field& field);
  void end_message();
  void end_chat();
  [[nodiscard]] bool has_room(std::size_t more);

  struct Seen {
    std::int64_t at = 0;
    bool from_us = false;
    bool stub = false;  ///< no message: somebody joined, a number changed
  };
  wire::InflateStream inflater_;
  wire::FieldStream fields_;
  HistoryDigest out_;
  HistoryDigest::Conversation chat_;
  std::vector<std::int64_t> ours_;  ///< times of our newest messages in the chat
  Seen message_;
};

}  // namespace posthorn::chat
