#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/alive.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/config.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/cloud/ledger.h"
#include "posthorn/net/http_client.h"

namespace posthorn::cloud {

/// Whether a read mark shows "typing…", too.
enum class Typing : std::uint8_t { no, yes };

/// The newest message of each person to the official number, and what Meta is told about it: that
/// it was read, and that an answer is being typed. Kept on disk, of the newest thousands of people.
/// chat: the person's one chatId, as UserIds::kept_as() has it.
/// Source: Meta's reference of the messages endpoint, v26.0 (status read, typing_indicator).
class OfficialReads {
 public:
  struct Outside {
    BlobStore& blobs;
    net::HttpClient& http;
    std::string proxy = {};
  };

  OfficialReads(const CloudConfig& config, std::string token, Outside outside);
  OfficialReads(const OfficialReads&) = delete;
  OfficialReads& operator=(const OfficialReads&) = delete;
  void stop() { alive_.end(); }

  /// They wrote to the official number.
  void on_inbound(const std::string& chat, const std::string& wamid, std::int64_t unix_seconds);
  /// They wrote to another number of the shop's.
  void on_inbound_elsewhere(const std::string& chat, std::int64_t unix_seconds);
  /// What was kept of `from` is about `into` now: one person.
  void on_joined(const std::string& from, const std::string& into);
  /// Their newest message came to the official number, as far as is remembered.
  [[nodiscard]] bool is_last(const std::string& chat) const;
  /// Their newest message to the official number was not marked.
  [[nodiscard]] bool has_unread(const std::string& chat) const;

  /// Says so to Meta, by one POST. wamid: of a message of theirs; "": the newest one, which marks
  /// those before it. Typing ends by itself after 25 s or with the next message. done: how many
  /// were told to Meta, 0 or 1: what was marked before is told again only with typing.
  /// Errors: malformed (Meta refuses it, in its words), else as HttpClient::send().
  void mark(const std::string& chat, const std::string& wamid, Typing typing,
            Once<void(Result<std::size_t>)> done);

 private:
  struct Newest {
    std::string wamid;
    std::int64_t at = 0;
    bool read = false;
    bool elsewhere = false;  ///< they have written to another number since
  };
  [[nodiscard]] std::optional<Newest> find(const std::string& chat) const;
  void keep(const std::string& chat, const Newest& newest);
  /// Wamids are one number's.
  [[nodiscard]] std::string key_of(const std::string& chat) const {
    return config_.phone_number_id + "/" + chat;
  }

  CloudConfig config_;
  std::string token_;
  Outside out_;
  Ledger newest_;  ///< number and chatId: "unix seconds, flags, wamid"
  Alive<OfficialReads> alive_{this};
};

}  // namespace posthorn::cloud
