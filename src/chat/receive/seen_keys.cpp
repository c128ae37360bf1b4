#include "chat/people/names.h"
#include "chat/receive/message.h"

/// The names under which a message is recognised when it comes again.
namespace posthorn::chat {
namespace {

using wire::Jid;

/// The name that is kept now, then the one that was kept before the other was learned.
Result<std::vector<Jid>> names_of(Names& names, const Jid& jid) {
  TRY(Jid kept, names.preferred(jid));
  std::vector<Jid> list{std::move(kept)};
  TRY(auto other, names.other(list.front()));
  if (other) list.push_back(std::move(*other));
  return list;
}

}  // namespace

Result<std::vector<std::uint64_t>> seen_keys_of(Names& names, const Envelope& envelope) {
  TRY(const auto chats, names_of(names, envelope.chat));
  TRY(const auto senders, names_of(names, envelope.sender.bare()));
  std::vector<std::uint64_t> keys;
  for (const Jid& chat : chats) {
    for (const Jid& sender : senders) {
      keys.push_back(
          store::MessageStore::seen_key(to_string(chat), envelope.id, to_string(sender)));
    }
  }
  return keys;
}

bool Receiver::was_seen(const std::vector<std::uint64_t>& keys) const {
  for (const std::uint64_t key : keys) {
    if (context_.messages.was_seen(key)) return true;
  }
  return false;
}

}  // namespace posthorn::chat
