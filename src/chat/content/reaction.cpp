#include "chat/content/key.h"
#include "chat/content/kinds.h"

// reactionMessage (chapter 07 section 5.4).
namespace posthorn::chat {

bool read(const wa::Message& message, content::Reaction& kind, Beside& beside) {
  if (!message.has_reactionmessage()) return false;
  const auto& reaction = message.reactionmessage();
  if (reaction.key().id().empty()) return false;
  kind.emoji = reaction.text();
  Quote& target = beside.quote.emplace();
  target.id = reaction.key().id();
  target.participant = reaction.key().participant();
  beside.target_from_me = reaction.key().fromme();
  return true;
}

Result<wa::Message> write(const content::Reaction& kind, const Outgoing& outgoing) {
  if (!outgoing.quoted) return fail(Errc::unsupported, "a reaction is to a message");
  wa::Message message;
  auto& reaction = *message.mutable_reactionmessage();
  TRY(*reaction.mutable_key(), key_of(outgoing.quoted->id, outgoing));
  reaction.set_text(kind.emoji);
  reaction.set_sendertimestampms(outgoing.now.since_epoch.count());
  return message;
}

}  // namespace posthorn::chat
