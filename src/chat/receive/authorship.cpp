#include "chat/content/parse.h"
#include "chat/people/names.h"
#include "chat/receive/message.h"

/// Who may change a message that was sent before.
namespace posthorn::chat {

using wire::Jid;

/// Only the author may change a message; in a group its admins may delete one. A change says of
/// itself that it is its author's: that counts where the target is not remembered.
Result<Receiver::Changer> Receiver::changer_of(const Envelope& envelope, const Parsed& parsed) {
  const auto* edit = std::get_if<content::Edit>(&parsed.content->what);
  const auto* deletion = std::get_if<content::Deletion>(&parsed.content->what);
  const std::string& target = edit != nullptr ? edit->target_id : deletion->target_id;
  if (parsed.target_from_me) {
    TRY(const bool own, is_own_message(envelope, target));
    if (own) return Changer::author;
  }
  if (deletion == nullptr) return Changer::nobody;
  TRY(const bool admin, is_group_admin(envelope));
  return admin ? Changer::admin : Changer::nobody;
}

Result<bool> Receiver::is_own_message(const Envelope& envelope, const std::string& id) {
  if (envelope.from_me) return true;
  TRY(const auto sent, context_.messages.sent_outline(id));
  if (sent) return false;
  TRY(const Jid chat, context_.names.preferred(envelope.chat));
  TRY(const Jid sender, context_.names.preferred(envelope.sender.bare()));
  TRY(const bool others, context_.messages.others_wrote(to_string(chat), id, to_string(sender)));
  return !others;
}

/// As far as it is known: of a group that was never asked about nobody is.
Result<bool> Receiver::is_group_admin(const Envelope& envelope) {
  if (!envelope.chat.is_group()) return false;
  TRY(const auto group, context_.groups.find(to_string(envelope.chat)));
  TRY(const Jid sender, context_.names.preferred(envelope.sender.bare()));
  return group && (' ' + group->admins).find(' ' + to_string(sender) + ' ') != std::string::npos;
}

}  // namespace posthorn::chat
