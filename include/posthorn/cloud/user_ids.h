#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/blob_store.h"
#include "posthorn/cloud/ledger.h"

namespace posthorn::cloud {

/// "DE.1a2b@bsuid": the chatId of somebody whom the official API names without a number, by a
/// business-scoped user id. The id's letters count as they are written.
inline constexpr std::string_view kUserIdChat = "@bsuid";

/// Of a chatId with kUserIdChat: the id in it; else "".
[[nodiscard]] std::string user_id_in(std::string_view chat);

/// Which user id is whose: a person has one chatId, whichever names a webhook has for them. Kept
/// on disk, the newest thousands.
/// Source: Meta's page on business-scoped user ids, November 2026.
class UserIds {
 public:
  /// joined: what was kept about a chatId is about another one now; may be empty.
  UserIds(BlobStore& blobs,
          std::function<void(const std::string& from, const std::string& into)> joined);

  /// Both names of one person; either may be "". Returns their chatId, "" when both are.
  std::string learn(const std::string& user_id, const std::string& number_chat);
  /// They have a new id; what was known under the old one goes on.
  void replaced(const std::string& old_id, const std::string& new_id);
  /// What to write to: "4915550007777@c.us" when the number is known by now, else the newest id.
  [[nodiscard]] std::string newest(const std::string& chat) const;
  /// Somebody has come by with it.
  [[nodiscard]] bool knows(const std::string& user_id) const {
    return chats_.find(user_id).has_value();
  }

 private:
  [[nodiscard]] std::string chat_of(const std::string& user_id) const;

  Ledger chats_;   ///< user id: chatId
  Ledger newest_;  ///< chatId without a number: what names them now, a chatId too
  std::function<void(const std::string& from, const std::string& into)> joined_;
};

}  // namespace posthorn::cloud
