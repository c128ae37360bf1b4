#include "chat/groups/desk.h"

#include <algorithm>
#include <utility>

#include "chat/groups/stories.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"

namespace posthorn::chat {

using wire::Jid;

void Desk::may_read(const Jid& group, const Jid& user, Once<void(Result<bool>)> done) {
  if (is_own_user(context_.line.identity(), user)) return done(true);
  if (is_story_chat(group)) return done(holds_our_key(group, user));
  if (!group.is_group()) return done(false);
  groups_.get(group, [user, done = std::move(done)](Result<GroupCache::Info> info) mutable {
    if (!info) return done(fail(info.error(), "members"));
    done((*info)->find(user) != nullptr);
  });
}

/// Whether somebody was to read our newest status: a device of theirs got its key.
Result<bool> Desk::holds_our_key(const Jid& chat, const Jid& user) {
  const signal::SenderKeyName own = own_sender_key(context_.line.identity(), chat);
  TRY(const auto known, protocol_.own_sender_key(own));
  if (!known) return false;
  TRY(const Jid named, context_.names.preferred(from_hosted(user)));
  TRY(const auto holders, context_.groups.holders(to_string(chat), known->id));
  return std::any_of(holders.begin(), holders.end(), [&named](const std::string& holder) {
    const auto device = wire::parse_jid(holder);
    return device && device->bare() == named.bare();
  });
}

Result<void> Desk::add_key(const Jid& group, const Jid& device, wa::Message& message) {
  const signal::SenderKeyName own = own_sender_key(context_.line.identity(), group);
  // Never a new key from here: it would be one that nobody else has.
  TRY(const auto known, protocol_.own_sender_key(own));
  if (!known) return {};
  TRY(const Bytes distribution, protocol_.create_distribution(own));
  auto& key = *message.mutable_senderkeydistributionmessage();
  key.set_groupid(to_string(group));
  key.set_axolotlsenderkeydistributionmessage(to_string(distribution));
  return context_.groups.drop_holder(to_string(group), to_string(device));
}

}  // namespace posthorn::chat
