#include "chat/content/key.h"

namespace posthorn::chat {

Result<wa::MessageKey> key_of(const std::string& id, const Outgoing& outgoing) {
  if (!outgoing.target) return fail(Errc::unsupported, "the message that it is about is not known");
  const TargetMessage& target = *outgoing.target;
  wa::MessageKey key;
  key.set_remotejid(target.chat);
  key.set_fromme(target.from_me);
  key.set_id(id);
  if (!target.from_me && !target.author.empty()) key.set_participant(target.author);
  return key;
}

}  // namespace posthorn::chat
