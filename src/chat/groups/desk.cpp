#include "chat/groups/desk.h"

#include <utility>

#include "chat/people/ids.h"

namespace posthorn::chat {

using wire::Jid;

void Desk::may_read(const Jid& group, const Jid& user, Once<void(Result<bool>)> done) {
  if (is_own_user(context_.line.identity(), user)) return done(true);
  if (!group.is_group()) return done(false);
  groups_.get(group, [user, done = std::move(done)](Result<GroupCache::Info> info) mutable {
    if (!info) return done(fail(info.error(), "members"));
    done((*info)->find(user) != nullptr);
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
