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

Result<wa::Message> write(const content::Reaction&, const Outgoing&) {
  return fail(Errc::unsupported, "reactions are not sent by this release");
}

}  // namespace posthorn::chat
