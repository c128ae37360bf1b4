#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "chat/groups/metadata.h"
#include "chat/lane/context.h"
#include "chat/people/block_list.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/store/people_store.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// The chat of statuses (stories): "status@broadcast".
[[nodiscard]] wire::Jid story_chat();
[[nodiscard]] bool is_story_chat(const wire::Jid& chat);

/// Whom the owner lets see statuses.
struct StoryPrivacy {
  enum class Kind : std::uint8_t { contacts, allowed, denied };
  Kind kind = Kind::contacts;
  std::vector<wire::Jid> users;  ///< of allowed and denied
};
/// <iq get xmlns="status"><privacy/>. Source: chapter 10 section 11.
[[nodiscard]] wire::Node build_story_privacy_query();
/// The list that is in force; contacts when there is none.
[[nodiscard]] StoryPrivacy parse_story_privacy(const wire::Node& iq);

/// Who a status goes to, in the form of a group: those whom the till names, else the people in the
/// owner's address book, as the owner's privacy settings have it; at most 2,047 of them, and nobody
/// whom the owner has blocked.
class Stories {
 public:
  /// All outlive this.
  Stories(const MessageContext& context, store::PeopleStore& people, const BlockList& blocked)
      : context_(context), people_(people), blocked_(blocked) {}

  struct Audience {
    GroupInfo people;
    std::string setting;  ///< as the stanza names it: "contacts", "allowlist", "denylist"
  };
  /// named: chatIds of persons; empty: everybody. Errors: malformed (a chatId), not_found (nobody
  /// would see it), io.
  void audience(const std::vector<std::string>& named, Once<void(Result<Audience>)> done);
  /// The people behind those devices, blocked since or not: what they have seen is taken from them.
  [[nodiscard]] Result<Audience> readers(const std::vector<std::string>& devices);

 private:
  [[nodiscard]] Result<Audience> named_people(const std::vector<std::string>& named);
  [[nodiscard]] Result<Audience> contacts(const StoryPrivacy& privacy);
  /// denied: people who may not see it, as they are written to.
  Result<void> add_contacts(GroupInfo& people, std::set<std::string>& had,
                            const std::set<std::string>& denied);
  [[nodiscard]] Result<wire::Jid> written_to(const wire::Jid& person);
  [[nodiscard]] Audience begin(std::string setting) const;
  Result<void> add_unblocked(GroupInfo& people, std::set<std::string>& had,
                             const wire::Jid& person) const;

  const MessageContext& context_;
  store::PeopleStore& people_;
  const BlockList& blocked_;
};

}  // namespace posthorn::chat
