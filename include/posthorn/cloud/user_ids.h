#pragma once

#include <functional>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/cloud/ledger.h"

namespace posthorn::cloud {

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
  /// A webhook of the official number has named somebody so.
  [[nodiscard]] bool knows(const std::string& user_id) const {
    return chats_.find(user_id).has_value();
  }
  /// The person's one chatId, whichever of their names `chat` is: what is kept about them is kept
  /// under it.
  [[nodiscard]] std::string kept_as(const std::string& chat) const;

 private:
  Ledger chats_;   ///< user id: chatId
  Ledger newest_;  ///< chatId without a number: what names them now, a chatId too
  std::function<void(const std::string& from, const std::string& into)> joined_;
};

}  // namespace posthorn::cloud
