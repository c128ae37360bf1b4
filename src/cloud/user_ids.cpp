#include "posthorn/cloud/user_ids.h"

#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/base/user_id.h"

namespace posthorn::cloud {
namespace {

constexpr std::size_t kPerBucket = 128;

std::string chat_named(const std::string& user_id) { return user_id + std::string(kUserIdChat); }

void keep(Ledger& ledger, const std::string& key, const std::string& value) {
  if (const auto kept = ledger.put(key, value); !kept) {
    log::warn("cloud", "who a user id is, is not kept", {{"error", kept.error()}});
  }
}

}  // namespace

UserIds::UserIds(BlobStore& blobs,
                 std::function<void(const std::string& from, const std::string& into)> joined)
    : chats_(blobs, "cloud/user", kPerBucket),
      newest_(blobs, "cloud/user-now", kPerBucket),
      joined_(std::move(joined)) {}

std::string UserIds::learn(const std::string& user_id, const std::string& number_chat) {
  if (!is_user_id(user_id)) return number_chat;
  const auto before = chats_.find(user_id);
  if (number_chat.empty()) {
    if (!before) keep(chats_, user_id, chat_named(user_id));
    return kept_as(chat_named(user_id));
  }
  if (before == number_chat) return number_chat;
  keep(chats_, user_id, number_chat);
  if (before && before->ends_with(kUserIdChat)) {
    keep(newest_, *before, number_chat);
    if (joined_) joined_(*before, number_chat);
  }
  return number_chat;
}

void UserIds::replaced(const std::string& old_id, const std::string& new_id) {
  if (!is_user_id(old_id) || !is_user_id(new_id) || old_id == new_id) return;
  const std::string chat = kept_as(chat_named(old_id));
  keep(chats_, new_id, chat);
  if (chat.ends_with(kUserIdChat)) keep(newest_, chat, chat_named(new_id));
}

std::string UserIds::newest(const std::string& chat) const {
  const std::string kept = kept_as(chat);
  return kept.ends_with(kUserIdChat) ? newest_.find(kept).value_or(kept) : kept;
}

std::string UserIds::kept_as(const std::string& chat) const {
  const std::string user_id = user_id_in(chat);
  if (user_id.empty()) return chat;
  const std::string first = chats_.find(user_id).value_or(chat);
  if (!first.ends_with(kUserIdChat)) return first;
  // Under the first id, until the number comes.
  const std::string now = newest_.find(first).value_or(first);
  return now.ends_with(kUserIdChat) ? first : now;
}

}  // namespace posthorn::cloud
