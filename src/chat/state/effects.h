#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "chat/lane/context.h"
#include "posthorn/base/result.h"
#include "posthorn/store/people_store.h"
#include "posthorn/wire/app_state.h"

namespace posthorn::chat {

/// The collections of an account, in the order of a first sync. Section 1.
inline constexpr std::array kCollections{"critical_block", "critical_unblock_low", "regular_high",
                                         "regular", "regular_low"};

/// What entries of app state mean for us: names, labels, how chats are set, who is who, the salt
/// for first texts. Everything else is left alone. Source: chapter 11 section 10.
class Effects {
 public:
  /// on_salt: the salt for messages to people we have no token of; empty: it is withdrawn.
  /// All outlive this.
  Effects(const MessageContext& context, store::PeopleStore& people,
          std::function<Result<void>(ByteView)> on_salt)
      : context_(context), people_(people), on_salt_(std::move(on_salt)) {}

  /// Inside the lane's transaction. What an entry says makes no error: odd ones have no effect.
  Result<void> apply(wire::SyncOperation operation, const wire::SyncEntry& entry);

 private:
  using Index = std::vector<std::string>;
  Result<void> set(const Index& index, ByteView value);
  Result<void> remove(const Index& index);
  Result<void> set_contact(const Index& index, ByteView action);
  Result<void> set_label(const Index& index, ByteView action);
  Result<void> set_chat(const Index& index, std::uint32_t kind, ByteView action);
  Result<void> forget_chat(const std::string& chat);
  /// until: of the newest message that was read, unix seconds; 0: not said.
  Result<void> mark_read(const wire::Jid& chat, std::int64_t until);
  [[nodiscard]] Result<std::int64_t> newest_of(const wire::Jid& chat);
  /// The row of that chat, under whichever of its names it stands.
  Result<void> change(const std::string& chat,
                      const std::function<void(store::PeopleStore::Chat&)>& change);

  const MessageContext& context_;
  store::PeopleStore& people_;
  std::function<Result<void>(ByteView)> on_salt_;
};

/// The texts of an index ("["mute","…@s.whatsapp.net"]"); empty: it is none.
[[nodiscard]] std::vector<std::string> parse_sync_index(std::string_view index);
[[nodiscard]] std::string write_sync_index(const std::vector<std::string>& index);

}  // namespace posthorn::chat
